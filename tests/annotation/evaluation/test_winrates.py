"""Every pair is counted once, and the bounds of a win rate hold whatever the missing verdicts would have been."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.evaluation.judging import Verdict
from annotation.evaluation.pairs import Pair, Pairs
from annotation.evaluation.verdicts import NO_VERDICT, Outcome
from annotation.evaluation.winrates import Matches, matches, outcomes

OUTCOMES: list[Outcome] = ["first", "second", "tie", *NO_VERDICT]
SAID = st.lists(st.sampled_from(OUTCOMES), max_size=40)


def verdicts(said: list[Outcome], first: str = "alpha", second: str = "beta") -> list[Verdict]:
    messages = (("user", "?"),)
    return [
        Verdict(Pair(str(number), f"p{number}", None, messages, first, second, "a", "b"), outcome, False, ())
        for number, outcome in enumerate(said)
    ]


def counted(found: list[Verdict], **changes: object) -> Matches:
    [held] = matches(found, Pairs([], [("alpha", "beta")]), **changes).values()  # type: ignore[arg-type]
    return held


@given(SAID)
def test_every_pair_is_counted_once(said: list[Outcome]) -> None:
    held = counted(verdicts(said))
    assert held.total == len(said) == sum(outcomes(verdicts(said)).values())
    assert held.without == sum(outcome in NO_VERDICT for outcome in said)


@given(SAID, st.data())
def test_the_bounds_hold_whatever_is_missing(said: list[Outcome], data: st.DataObject) -> None:
    held = counted(verdicts(said))
    filled: list[Outcome] = [
        data.draw(st.sampled_from(["first", "second", "tie"])) if outcome in NO_VERDICT else outcome  # type: ignore[misc]
        for outcome in said
    ]
    known = counted(verdicts(filled)).rate
    if known is not None:
        assert held.bounds is not None
        assert held.bounds[0] <= known <= held.bounds[1]
    lowest = counted(verdicts([("second" if each in NO_VERDICT else each) for each in said])).rate
    highest = counted(verdicts([("first" if each in NO_VERDICT else each) for each in said])).rate
    assert held.bounds == (None if lowest is None else (lowest, highest))


@given(SAID)
def test_the_baseline_is_the_opponent_on_either_side(said: list[Outcome]) -> None:
    found = verdicts(said)
    against = matches(found, Pairs([], [("alpha", "beta")]), baseline="alpha")["beta", "alpha"]
    plain = counted(found)
    assert (against.wins, against.losses, against.ties) == (plain.losses, plain.wins, plain.ties)


def test_a_prompt_that_either_model_left_unanswered_widens_the_bounds() -> None:
    judged = Pairs([], [("alpha", "beta")], [("alpha", "p7"), ("beta", "p7"), ("beta", "p8"), ("gamma", "p9")])
    [held] = matches(verdicts(["first", "second"]), judged).values()
    assert (held.unanswered, held.total) == (2, 4)
    assert (held.rate, held.bounds) == (0.5, (0.25, 0.75))


def test_models_without_a_common_prompt_are_not_left_out() -> None:
    judged = Pairs([], [("alpha", "beta")], [("alpha", "p1"), ("beta", "p2")])
    [held] = matches([], judged).values()
    assert (held.total, held.rate, held.bounds) == (2, None, (0.0, 1.0))


def test_two_responses_of_the_same_model_are_no_match() -> None:
    assert matches(verdicts(["first"], "alpha", "alpha"), Pairs([], [("alpha", "alpha")])) == {}


@pytest.mark.parametrize("said", [["tie", "tie"], []])
def test_ties_alone_have_no_rate(said: list[Outcome]) -> None:
    held = counted(verdicts(said))
    assert (held.rate, held.bounds) == (None, None)
