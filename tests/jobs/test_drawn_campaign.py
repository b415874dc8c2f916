"""A campaign that draws prompts from the file that a judge judged has a win rate by people and judge; others do not."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from annotation.campaign.settings import Pairing
from tests.annotation.campaigns import desk
from tests.annotation.evaluation.endpoint import prefers_quality
from tests.annotation.evaluation.judged import rows, write_rows
from tests.jobs.calling import call
from tests.jobs.test_judge import judge

PROMPTS = 21


def by_both(
    folder: Path, own: Sequence[dict[str, Any]], pairs: Pairing, monkeypatch: pytest.MonkeyPatch
) -> dict[str, dict[str, str]]:
    """The numbers of people and judge, by measure: people voted on ``own`` rows, the judge on all of them."""
    whole = write_rows(folder / "responses.jsonl", rows(PROMPTS))
    assert judge(whole, prefers_quality, "--output", folder / "verdicts", monkeypatch=monkeypatch)[0] == 0
    (folder / "mill").mkdir()
    with desk(folder / "mill", own, protocol="evaluation", pairs=pairs) as mill:
        held = {row["pair_id"]: row for row in mill.record.pairs.to_pylist()}
        for task in mill.tasks():
            first, second = (held[task["pair_id"]][side][-1] for side in ("first", "second"))
            left, right = (second, first) if task["swapped"] else (first, second)
            mill.answer(task, "a_better" if left > right else "b_better" if right > left else "about_the_same")
    out = folder / "report"
    assert (
        call("evaluation", "report", folder / "mill", folder / "verdicts", "--output", out, monkeypatch=monkeypatch)
        == 0
    )
    with (out / "people_and_judge.csv").open(encoding="utf-8", newline="") as lines:
        return {row["measure"]: row for row in csv.DictReader(lines)}


def test_prompts_that_the_campaign_drew_are_a_random_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge says what people say, so that the win rate by both is the judge's on all prompts."""
    found = by_both(tmp_path, rows(PROMPTS), Pairing(prompts=8), monkeypatch)
    rate = found["win rate"]
    assert float(rate["low"]) <= float(rate["value"]) <= float(rate["high"])
    assert "lambda" in rate["method"]
    assert rate["votes"] == "24"
    assert float(found["worth of the judge in votes"]["value"]) > 0


def test_a_part_that_somebody_chose_is_refused_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = by_both(tmp_path, rows(8), Pairing(), monkeypatch)
    assert found["win rate"]["value"] == ""
    assert "not a random part of the judged pairs" in found["win rate"]["method"]
    assert (
        "13 judged pairs are not in the campaign, which did not draw its pairs at random" in found["win rate"]["method"]
    )


def test_prompts_drawn_from_another_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = by_both(tmp_path, rows(PROMPTS - 1), Pairing(prompts=8), monkeypatch)
    assert "did not draw its pairs at random from the judged files" in found["win rate"]["method"]


def test_what_the_campaign_leaves_out_is_no_random_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = rows(PROMPTS)
    for row in own[:16]:
        row["response"] = "The same."
    monkeypatch.setattr("tests.jobs.test_drawn_campaign.rows", lambda count: own)
    found = by_both(tmp_path, own, Pairing(prompts=PROMPTS - 2), monkeypatch)
    assert "leaves out pairs of identical responses (" in found["win rate"]["method"]
