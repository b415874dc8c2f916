"""A test that may be looked at after every vote."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.statistics.anytime import PRIOR, Decision, decide
from tests.annotation.statistics.simulated import Study, false_decisions

VOTES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.sampled_from([0.0, 0.5, 1.0])), max_size=60)
Vote = tuple[int, int, float]


def decided(votes: list[Vote]) -> Decision:
    prompt, rater, score = np.array(votes, np.float64).reshape(-1, 3).T
    return decide(score, prompt.astype(np.int64), rater.astype(np.int64))


def test_the_evidence_by_hand() -> None:
    """40 wins on 40 prompts: a sum of 20 and squares of 10, in a normal mixture of variance 1 / PRIOR."""
    found = decide(np.ones(40), np.arange(40))
    assert found.evidence == pytest.approx(math.exp(400 / (2 * (10 + PRIOR))) / math.sqrt(1 + 10 / PRIOR))
    assert (found.verdict, found.more_votes, found.obstacle) == ("above", None, None)


def test_the_mixture_is_that_of_numerical_integration() -> None:
    """The e-value is the mean of exp(a S - a² V / 2) over a normal a of variance 1 / PRIOR."""
    score = np.repeat([1.0, 0.0, 0.5], [30, 22, 8])
    total, squares = 4.0, 52 / 4
    a = np.linspace(-5, 5, 200_001)
    density = np.exp(-(a**2) * PRIOR / 2) * math.sqrt(PRIOR / (2 * math.pi))
    expected = float((np.exp(a * total - a**2 * squares / 2) * density).sum() * (a[1] - a[0]))
    assert decide(score, np.arange(60)).evidence == pytest.approx(expected, rel=1e-9)


def test_few_votes_decide_nothing() -> None:
    assert decide(np.ones(8), np.arange(8)).verdict == "open"
    assert decide(np.zeros(0), np.zeros(0, np.int64)) == Decision("open", 1.0, None, "no votes")


def test_ties_alone_are_even() -> None:
    found = decide(np.full(50, 0.5), np.arange(50))
    assert (found.verdict, found.obstacle, found.evidence) == ("open", "even", 1)


def test_copies_of_a_vote_on_its_prompt_do_not_decide() -> None:
    """Ten prompts with thirty equal votes each are as little as ten votes."""
    assert decide(np.ones(300), np.repeat(np.arange(10), 30)).verdict == "open"
    assert decide(np.ones(300), np.arange(300)).verdict == "above"


def test_raters_who_differ_need_more_raters() -> None:
    """Two raters for the first model, one of three for the second: more of their votes decide nothing."""
    score = np.tile([1.0, 1.0, 0.0], 200)
    found = decide(score, np.repeat(np.arange(200), 3), np.tile([0, 1, 2], 200))
    assert (found.verdict, found.obstacle) == ("open", "raters")
    assert decide(score, np.arange(600)).verdict == "above"


@given(VOTES)
def test_the_mirrored_votes_have_the_mirrored_decision(votes: list[Vote]) -> None:
    one, two = decided(votes), decided([(prompt, rater, 1 - score) for prompt, rater, score in votes])
    assert two.evidence == pytest.approx(one.evidence)
    assert two.verdict == {"above": "below", "below": "above", "open": "open"}[one.verdict]
    assert (one.more_votes is None) == (two.more_votes is None)


@given(VOTES)
def test_the_order_of_votes_never_matters(votes: list[Vote]) -> None:
    assert decided(votes) == decided(votes[::-1])


@given(VOTES)
def test_an_open_question_has_a_number_of_votes_or_an_obstacle(votes: list[Vote]) -> None:
    found = decided(votes)
    assert (found.verdict == "open") == ((found.more_votes is None) != (found.obstacle is None))


def test_the_foreseen_votes_decide_if_votes_go_on_as_before() -> None:
    score = np.tile([1.0, 0.0, 1.0, 1.0, 0.0], 12)
    found = decide(score, np.arange(60))
    assert found.more_votes is not None
    times = 1 + round(found.more_votes / 60 + 0.5)
    assert decide(np.tile(score, times), np.arange(60 * times)).verdict == "above"
    assert decide(np.tile(score, times - 2), np.arange(60 * (times - 2))).verdict == "open"


@pytest.mark.soak
@pytest.mark.parametrize(("raters", "effect"), [(30, 0.3), (3, 0.3), (1, 0.0)])
def test_constant_peeking_makes_few_false_decisions(raters: int, effect: float) -> None:
    """200 campaigns of 200 prompts, looked at after every second prompt: 5% and three standard deviations are 9.6%."""
    assert false_decisions(Study(200, raters, 0.5, 0.6, effect, fewest=3), rounds=200, step=2) <= 0.096
