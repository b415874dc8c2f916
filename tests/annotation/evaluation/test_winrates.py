"""Every pair is counted once, and the bounds of a win rate hold whatever the missing verdicts would have been."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.evaluation.folder import ledger
from annotation.evaluation.judging import Verdict
from annotation.evaluation.pairs import Pair, Pairs
from annotation.evaluation.tables import tables_of
from annotation.evaluation.verdicts import NO_VERDICT, Outcome
from annotation.evaluation.winrates import Match, matches

OUTCOMES: list[Outcome] = ["first", "second", "tie", *NO_VERDICT]
PAIRS = Pairs([], [("alpha", "beta")])
SAID = st.lists(st.sampled_from(OUTCOMES), max_size=40)


def verdicts(said: list[Outcome], first: str = "alpha", second: str = "beta") -> list[Verdict]:
    messages = (("user", "?"),)
    return [
        Verdict(Pair(str(number), f"p{number}", None, messages, first, second, "a", "b"), outcome, False, ())
        for number, outcome in enumerate(said)
    ]


def counted(found: list[Verdict]) -> Match:
    [held] = matches(tables_of(found, PAIRS)).values()
    return held


def edges(held: Match) -> tuple[float | None, float | None]:
    return held.bounds.low, held.bounds.high


@given(SAID)
def test_every_pair_is_counted_once(said: list[Outcome]) -> None:
    held = counted(verdicts(said))
    assert held.total == len(said) == ledger(tables_of(verdicts(said), PAIRS)).pairs
    assert held.without == Counter(outcome for outcome in said if outcome in NO_VERDICT)


@given(SAID, st.data())
def test_the_bounds_hold_whatever_is_missing(said: list[Outcome], data: st.DataObject) -> None:
    held = counted(verdicts(said))
    filled: list[Outcome] = [
        data.draw(st.sampled_from(["first", "second", "tie"])) if outcome in NO_VERDICT else outcome  # type: ignore[misc]
        for outcome in said
    ]
    known = counted(verdicts(filled)).rate.value
    if known is not None:
        assert held.bounds.low is not None
        assert held.bounds.high is not None
        assert held.bounds.low <= known <= held.bounds.high
    lowest = counted(verdicts([("second" if each in NO_VERDICT else each) for each in said])).rate.value
    highest = counted(verdicts([("first" if each in NO_VERDICT else each) for each in said])).rate.value
    assert edges(held) == (lowest, highest)


@given(SAID)
def test_the_baseline_is_the_opponent_on_either_side(said: list[Outcome]) -> None:
    found = verdicts(said)
    against = matches(tables_of(found, PAIRS), baseline="alpha")["beta", "alpha"]
    plain = counted(found)
    assert (against.wins, against.losses, against.ties) == (plain.losses, plain.wins, plain.ties)


def test_a_prompt_that_either_model_left_unanswered_widens_the_bounds() -> None:
    judged = Pairs([], [("alpha", "beta")], [("alpha", "p7"), ("beta", "p7"), ("beta", "p8"), ("gamma", "p9")])
    [held] = matches(tables_of(verdicts(["first", "second"]), judged)).values()
    assert (held.without, held.total) == ({"missing": 2}, 4)
    assert (held.rate.value, edges(held)) == (0.5, (0.25, 0.75))


def test_models_without_a_common_prompt_are_not_left_out() -> None:
    judged = Pairs([], [("alpha", "beta")], [("alpha", "p1"), ("beta", "p2")])
    [held] = matches(tables_of([], judged)).values()
    assert (held.total, held.rate.value, edges(held)) == (2, None, (0.0, 1.0))


def test_two_responses_of_the_same_model_are_no_match() -> None:
    assert matches(tables_of(verdicts(["first"], "alpha", "alpha"), Pairs([], [("alpha", "alpha")]))) == {}


@pytest.mark.parametrize("said", [["tie", "tie"], []])
def test_ties_alone_have_no_rate(said: list[Outcome]) -> None:
    held = counted(verdicts(said))
    assert (held.rate.value, edges(held)) == (None, (None, None))


def test_a_judge_that_always_prefers_one_model_has_the_interval_of_its_pairs() -> None:
    """Clopper and Pearson's interval of 10 of 10: the judge is not taken for a sample of judges."""
    held = counted(verdicts(["first"] * 10))
    assert held.rate.low == pytest.approx(0.6915, abs=5e-5)
    assert held.rate.high == 1
