"""The command ``gristmill judge`` on campaigns: pairs, single responses, and agreement with the people who voted."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from annotation.evaluation.agreement import by_category
from annotation.evaluation.folder import load
from tests.annotation.campaigns import desk
from tests.annotation.evaluation.endpoint import Play, says, shown
from tests.annotation.evaluation.judged import write_rows
from tests.jobs.test_judge import judge
from tests.jobs.test_results import rows, safety_rows, vote

PREFERRED = {"p1": "a_better", "p2": "b_much_better", "p3": "about_the_same"}
"""What all people answer, as if the response of alpha was A."""


def prefers_alpha(body: dict[str, Any], number: int) -> Play:
    seen = shown(body)
    return says(f"verdict {seen.key}: {'A' if 'Alpha' in seen.first else 'B'}")


def test_agreement_is_that_with_people_in_all_and_by_category(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The judge agrees on p1, disagrees on p2, and prefers alpha on p3, a tie of people; beta did not answer p4."""
    with desk(tmp_path, rows(), protocol="evaluation") as made:
        for prompt_id, point in PREFERRED.items():
            for annotator in ("mill/a1", "mill/a2", "mill/a3"):
                vote(made, prompt_id, annotator, point)
        snapshot = made.load()
    code, requests = judge(tmp_path, prefers_alpha, "--output", tmp_path / "out", monkeypatch=monkeypatch)
    assert (code, len(requests)) == (0, 6)
    printed = capsys.readouterr().out
    assert "over 3 pairs and 9 votes" in printed
    assert "as most votes: 1 of 3 pairs" in printed
    assert "as most votes: 1 of 2 pairs where both prefer a response" in printed
    assert "unanswered: beta has no response to 1 prompt" in printed
    found = by_category(load(tmp_path / "out")[1].verdicts, snapshot)
    assert {name: (each.pairs, each.majority.count) for name, each in found.items()} == {
        "code": (2, 1),
        "letters": (1, 0),
    }
    assert re.search(
        r"\n  code: AC1 .*, over 2 pairs and 6 votes\n  letters: AC1 .*, over 1 pairs and 3 votes", printed
    )


def test_a_campaign_asks_nothing_that_the_book_of_its_responses_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "campaign").mkdir()
    with desk(tmp_path / "campaign", rows(), protocol="evaluation"):
        pass
    responses = write_rows(tmp_path / "responses.jsonl", rows())
    judge(responses, prefers_alpha, "--dry-run", monkeypatch=monkeypatch)
    assert "unanswered: beta has no response to 1 prompt" in capsys.readouterr().out
    _, requests = judge(responses, prefers_alpha, "--output", tmp_path / "one", monkeypatch=monkeypatch)
    more = ("--output", tmp_path / "two", "--book", tmp_path / "judge.db")
    code, again = judge(tmp_path / "campaign", prefers_alpha, *more, monkeypatch=monkeypatch)
    assert (code, len(requests), again) == (0, 6, [])


def test_single_responses_of_a_campaign_are_graded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def script(body: dict[str, Any], number: int) -> Play:
        found = re.search(r"carry the code (\w+)", body["messages"][0]["content"])
        assert found
        return says(f"grade {found[1]}: {number}")

    with desk(tmp_path, safety_rows(), protocol="safety-rating"):
        pass
    output = ("--output", tmp_path / "out", "--concurrency", "1")
    code, _ = judge(tmp_path, script, *output, monkeypatch=monkeypatch)
    assert code == 2
    assert "mill asks about single responses: judge them with --template single" in capsys.readouterr().err
    code, requests = judge(tmp_path, script, *output, "--template", "single", monkeypatch=monkeypatch)
    assert (code, len(requests)) == (0, 3)
    assert ["alpha", "3", "0", "2.00"] in [line.split()[:4] for line in capsys.readouterr().out.splitlines()]
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["ledger"]["pairs"], manifest["ledger"]["questions"]) == (0, 3)
