"""The second half of ``make demo`` on a real Label Studio."""

import csv
import json
from pathlib import Path

import pytest

from jobs.demo import __main__ as demonstration
from jobs.demo.questions import KNOWN_ANSWERS, NAMES, documentation, signature
from tests.annotation.parts import Studio


@pytest.mark.parametrize("name", [*NAMES, *KNOWN_ANSWERS])
def test_every_question_has_a_short_and_a_long_answer(name: str) -> None:
    opening, more = documentation(name)
    assert opening
    assert more


@pytest.mark.soak
def test_three_annotators_compare_and_two_pairs_are_left(
    tmp_path: Path, studio: Studio, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demonstration, "STUDIO", studio.home)
    monkeypatch.setattr(demonstration, "HERE", tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    reader = demonstration.compare(tmp_path / "docstrings")
    said = capfd.readouterr().out
    assert "24 pairs and 5 gold pairs in 1 batch; 85 of 87 tasks done" in said
    assert reader.links[0] == f"{studio.connection.public_url}/next"
    ledger = json.loads((tmp_path / "comparisons" / "manifest.json").read_bytes())["ledger"]
    assert ledger["judgments"] == 85
    assert ledger["train"] + ledger["held_out"] + sum(ledger["unresolved"].values()) == ledger["pairs"] == 24


@pytest.mark.soak
def test_people_and_a_judge_compare_three_models(
    tmp_path: Path, studio: Studio, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demonstration, "STUDIO", studio.home)
    monkeypatch.setattr(demonstration, "HERE", tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    demonstration.evaluate(tmp_path / "models")
    said = capfd.readouterr().out
    answered = sum(signature(name) is not None for name in NAMES)
    assert f"{len(NAMES) + 2 * answered} pairs compared" in said
    assert "unparsed" not in said, "the judge of the demo always gives a verdict"
    with (tmp_path / "evaluation" / "leaderboard.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["source"] for row in rows} == {"models", "judged"}
    assert (tmp_path / "evaluation" / "report.html").stat().st_size > 10_000
