"""The difference of two win rates on the same prompts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.statistics.clusters import Ratio
from annotation.statistics.paired import difference
from tests.annotation.statistics.simulated import Study

SCORES = st.sampled_from([0.0, 0.5, 1.0])
VOTES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), SCORES, SCORES), min_size=1)
Vote = tuple[int, int, float, float]


def ratios(votes: list[Vote]) -> tuple[Ratio, Ratio]:
    """Both models judged in each vote."""
    prompt, rater, *scores = (np.array(column) for column in zip(*votes, strict=True))
    one, two = (Ratio(score.astype(np.float64), np.ones(len(votes)), prompt, rater) for score in scores)
    return one, two


def test_the_error_of_one_vote_a_prompt_is_that_of_the_mean_difference() -> None:
    one, two = np.array([1, 1, 0, 0.5, 1, 0, 1, 0.5]), np.array([1, 0, 0, 0.5, 0, 0, 1, 1])
    found = difference(*(Ratio(score, np.ones(8), np.arange(8)) for score in (one, two)))
    assert found.value == pytest.approx((one - two).mean())
    assert found.error == pytest.approx((one - two).std(ddof=1) / np.sqrt(8))
    assert found.unpaired_error == pytest.approx(np.sqrt((one.var(ddof=1) + two.var(ddof=1)) / 8))
    assert found.shared_prompts == 8


def test_a_model_does_not_differ_from_itself() -> None:
    votes = Study(prompts=50, raters=6, rate=0.7).votes(np.random.default_rng(0))
    found = difference(votes, votes)
    assert (found.value, found.error) == (0, pytest.approx(0, abs=1e-9))
    assert found.low is not None
    assert found.high is not None
    assert -0.05 < found.low <= 0 <= found.high < 0.05


def test_two_models_that_always_win_may_still_differ() -> None:
    votes = Ratio(np.ones(30), np.ones(30), np.arange(30))
    found = difference(votes, votes)
    assert (found.value, found.error) == (0, 0)
    assert found.high == -found.low == pytest.approx(1 - found.first.low)


def test_without_votes_there_is_no_difference() -> None:
    votes, nothing = Ratio(np.ones(3), np.ones(3), np.arange(3)), Ratio(np.zeros(3), np.zeros(3), np.arange(3))
    assert difference(votes, nothing).value is None


@given(VOTES)
def test_the_exchanged_models_have_the_mirrored_difference(votes: list[Vote]) -> None:
    one, two = ratios(votes)
    found, mirrored = difference(one, two), difference(two, one)
    assert found.low is not None
    assert found.high is not None
    assert mirrored.value == pytest.approx(-found.value)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))
    assert -1 <= found.low <= found.value <= found.high <= 1


@given(VOTES)
def test_the_order_of_votes_never_matters(votes: list[Vote]) -> None:
    found, other = difference(*ratios(votes)), difference(*ratios(votes[::-1]))
    assert found == other


@pytest.mark.soak
@pytest.mark.parametrize(("raters", "first", "second"), [(30, 0.5, 0.6), (30, 0.95, 0.9), (5, 0.6, 0.6)])
def test_the_true_difference_is_covered(raters: int, first: float, second: float) -> None:
    """400 rounds in which both models' votes share most effects of prompts and raters."""
    draw, covered, gains = np.random.default_rng(0), [], []
    study = Study(prompts=300, raters=raters, rate=first, fewest=3)
    for _ in range(400):
        found = difference(*study.both(draw, second))
        covered.append(found.low <= first - second <= found.high)
        gains.append(found.unpaired_error / found.error)
    assert 0.917 <= np.mean(covered) <= 0.99
    assert np.median(gains) > 1.1
