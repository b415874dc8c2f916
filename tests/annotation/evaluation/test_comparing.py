"""People and a judge on the same pairs: agreement, and win rates by both where people judged a random part."""

from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pytest

from annotation.evaluation.calibration import WORTH, calibrated
from annotation.evaluation.comparing import agreements, among
from annotation.evaluation.numbers import Number, Traced
from annotation.evaluation.reported import Choices, report_of
from annotation.statistics.prediction_powered import Judged, Labelled, prediction_powered
from tests.annotation.evaluation.reports import judged, sampled, voted

PEOPLE = {
    "a": ["win", "win", "loss", "tie", "loss", None],
    "b": ["win", "loss", "loss", "tie", None, None],
    "c": ["win", "win", "tie", "loss", None, None],
}
JUDGE = ["first", "second", "second", "tie", "refused", "first"]


def by_measure(found: list[Traced]) -> dict[str, Number]:
    return {each.number.measure: each.number for each in found if each.number.kind == "all"}


def test_a_judge_says_what_most_people_say_on_three_of_four_pairs() -> None:
    """Most votes: win, win, loss, tie; the judge: win, loss, loss, tie; one verdict refused, one pair without votes."""
    found = by_measure(list(agreements(voted(PEOPLE), judged(JUDGE))))
    assert (found["as most votes"].value, found["as most votes"].votes) == (3 / 4, 4)
    assert found["as most votes, without ties"].value == pytest.approx(2 / 3)
    assert found["AC1"].votes == 12
    # Cohen: observed 3/4; people say win 2, loss 1, tie 1, the judge win 1, loss 2, tie 1
    assert found["kappa with most votes"].value == pytest.approx((3 / 4 - 5 / 16) / (1 - 5 / 16))


def test_the_side_of_the_baseline_does_not_change_agreement() -> None:
    plain = by_measure(list(agreements(voted(PEOPLE), judged(JUDGE))))
    turned = by_measure(list(agreements(voted(PEOPLE), judged(JUDGE, baseline="alpha"))))
    assert turned == plain


def test_equal_responses_of_other_models_are_other_pairs() -> None:
    assert list(agreements(voted(PEOPLE), judged(JUDGE, ("gamma", "delta")))) == []


def test_agreement_leads_to_votes_and_verdicts_on_shared_pairs() -> None:
    report = report_of([voted(PEOPLE), judged(JUDGE)], Choices())
    found = next(each for each in report.section("agreement") if each.number.source == "mill and judged")
    rows = found.origin.rows(report.tables["votes"]).to_pylist()
    assert [row["voters"] for row in rows if row["counts"]] == ["people"] * 12 + ["judge"] * 4
    assert {row["prompt_id"] for row in rows} == {f"p{n:04}" for n in range(4)}


def test_people_who_all_agree_have_full_agreement() -> None:
    [found] = among(voted({"a": ["win", "loss", "win"], "b": ["win", "loss", "win"]}))
    assert found.number.value == pytest.approx(1.0)


@pytest.mark.parametrize("baseline", [None, "alpha"])
def test_the_win_rate_by_both_is_that_of_the_labelled_and_the_judged_part(baseline: str | None) -> None:
    """Sixty judged pairs, of which people saw the first thirty; an answer without a verdict says as much as a tie."""
    generator = np.random.default_rng(0)
    truth = generator.random(60) < 0.6
    said = np.where(generator.random(60) < 0.8, truth, ~truth)
    judge = judged(["first" if each else "second" for each in said[:59]] + ["refused"], baseline=baseline)
    votes = {
        rater: [("win" if each else "loss") for each in truth[:30] ^ (generator.random(30) < 0.1)] for rater in "abc"
    }
    people = voted(votes, sampling=sampled(judge))
    found = by_measure(list(calibrated(people, judge)))
    scores = np.append(said[:59].astype(float), 0.5)
    human = np.array([float(votes[rater][n] == "win") for n in range(30) for rater in "abc"])
    prompt, rater = np.repeat(np.arange(30), 3), np.tile(np.arange(3), 30)
    expected = prediction_powered(
        Labelled(human, np.repeat(scores[:30], 3), prompt, rater), Judged(scores[30:], np.arange(30, 60))
    )
    assert found["win rate"].value == pytest.approx(expected.interval.value)
    assert (found["win rate"].low, found["win rate"].high) == pytest.approx(
        (expected.interval.low, expected.interval.high)
    )
    assert found["win rate by people alone"].value == pytest.approx(human.mean())
    assert found[WORTH].value == pytest.approx(expected.worth)


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ("3 tasks were answered before others", "not a random part of the judged pairs: 3 tasks were answered before"),
        (None, "10 judged pairs are not in the campaign"),
    ],
)
def test_no_win_rate_by_both_without_a_random_part(flaw: str | None, reason: str) -> None:
    judge = judged(["first", "second"] * 10)
    part = replace(judge, votes=judge.votes.slice(0, 10))
    people = voted({"a": ["win", "loss"] * 5}, sampling=sampled(judge if flaw else part, flaw))
    [found] = calibrated(people, judge)
    assert found.number.value is None
    assert reason in found.number.method


def test_people_who_saw_everything_need_no_judge() -> None:
    judge = judged(["first", "second"])
    [found] = calibrated(voted({"a": ["win", "loss"]}, sampling=sampled(judge)), judge)
    assert "people voted on all judged pairs" in found.number.method


def test_a_calibrated_number_leads_to_all_votes_and_verdicts() -> None:
    judge = judged(["first", "second", "first", "second", "tie", "first"])
    people = voted({"a": ["win", "loss", "loss"], "b": ["win", "loss", "win"]}, sampling=sampled(judge))
    [found, *_] = calibrated(people, judge)
    rows = [found.origin.rows(source.votes) for source in (people, judge)]
    assert [pc.sum(each["counts"]).as_py() for each in rows] == [6, 6]
