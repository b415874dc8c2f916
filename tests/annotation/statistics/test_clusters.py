"""Intervals of clustered votes: known cases, laws, and coverage of known win rates."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.statistics.bootstrap import bootstrap
from annotation.statistics.clusters import Interval, Ratio, interval, spread
from annotation.statistics.outcomes import parts
from annotation.statistics.shares import clopper_pearson
from tests.annotation.statistics.evaluation_data import llmfao
from tests.annotation.statistics.simulated import Study, coverage

VOTES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.sampled_from([0.0, 0.5, 1.0])), min_size=1)
Vote = tuple[int, int, float]


def ratio(votes: list[Vote]) -> Ratio:
    prompt, rater, score = (np.array(column) for column in zip(*votes, strict=True))
    return Ratio(score.astype(np.float64), np.ones(len(votes)), prompt, rater)


def test_one_vote_a_prompt_has_the_error_of_a_mean() -> None:
    score = np.array([1, 0, 0.5, 1, 1, 0, 0.5, 0.5])
    found = interval(Ratio(score, np.ones(8), np.arange(8)))
    assert found.value == score.mean()
    assert found.error == pytest.approx(score.std(ddof=1) / np.sqrt(8))
    assert (found.clustered, found.votes, found.prompts, found.raters) == ("prompt", 8, 8, 0)


def test_two_way_errors_by_hand() -> None:
    """Cameron, Gelbach and Miller 2011, equation 2.3, on two prompts with the same two raters, without corrections:
    residuals 1, -1 (first prompt) and -1, 1 give sums of 0 in each prompt and rater."""
    influence, ones = np.array([1.0, -1.0, -1.0, 1.0]), np.ones(4)
    prompt, rater = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert spread(influence, ones, prompt, rater).variance == 0
    influence = np.array([1.0, 1.0, -1.0, -1.0])  # only prompts differ: 2 * (2² + 2²) for two prompts
    found = spread(influence, ones, prompt, rater)
    assert found.variance == 16  # the variance by both, 4 * 4 / 3, is subtracted, but not below that by prompt
    assert found.degrees == 1


def test_copies_of_each_vote_within_its_prompt_change_nothing() -> None:
    """Judging a prompt three times by a rater who never changes their mind adds no information."""
    draw = np.random.default_rng(0)
    votes = Study(prompts=60, raters=8, rate=0.6).votes(draw)
    copied = Ratio(*(np.repeat(part, 3) for part in (votes.numerator, votes.denominator, votes.prompt, votes.rater)))
    one, three = interval(votes), interval(copied)
    assert (three.low, three.high) == pytest.approx((one.low, one.high))


@given(VOTES)
def test_a_single_rater_is_no_sample_of_raters(votes: list[Vote]) -> None:
    """Whether a judge has a name changes nothing: only prompts cluster."""
    named = ratio([(prompt, 0, score) for prompt, _, score in votes])
    alone = interval(Ratio(named.numerator, named.denominator, named.prompt))
    found = interval(named)
    assert (found.low, found.high, found.method, found.clustered) == (alone.low, alone.high, alone.method, "prompt")


@pytest.mark.parametrize("won", [0.0, 1.0])
def test_equal_votes_have_an_interval_of_some_width(won: float) -> None:
    prompt = np.repeat(np.arange(20), 2)
    found = interval(Ratio(np.full(40, won), np.ones(40), prompt, np.tile([0, 1], 20)))
    assert (found.value, found.error) == (won, 0)
    assert found.method.startswith("Clopper-Pearson")
    assert found.effective is not None
    assert found.effective < 20
    assert (found.low, found.high) == clopper_pearson(won * found.effective, found.effective)


def test_no_votes_give_no_estimate() -> None:
    nothing = np.zeros(0)
    found = interval(Ratio(nothing, nothing, np.zeros(0, np.int64)))
    assert found == Interval(None, None, None, None, None, None, "no votes", "prompt", 0, 0, 0)


def test_a_single_rater_is_named_by_what_is_clustered() -> None:
    found = interval(ratio([(0, 2, 1.0), (1, 2, 0.0), (2, 2, 1.0)]))
    assert (found.clustered, found.raters) == ("prompt", 1)


@given(VOTES, st.randoms(use_true_random=False))
def test_the_order_of_votes_never_matters(votes: list[Vote], random: st.DataObject) -> None:
    other = sorted(votes, key=lambda vote: (vote[2], -vote[1], vote[0]))
    one, two = interval(ratio(votes)), interval(ratio(other))
    assert one == two


@given(VOTES)
def test_the_mirrored_votes_have_the_mirrored_interval(votes: list[Vote]) -> None:
    one = interval(ratio(votes))
    two = interval(ratio([(prompt, rater, 1 - score) for prompt, rater, score in votes]))
    assert one.low is not None
    assert one.high is not None
    assert (two.low, two.high) == pytest.approx((1 - one.high, 1 - one.low))
    assert 0 <= one.low <= one.high <= 1


@given(VOTES)
def test_a_scale_of_1_to_5_stretches_the_interval(votes: list[Vote]) -> None:
    one = interval(ratio(votes))
    two = interval(ratio([(prompt, rater, 1 + 4 * score) for prompt, rater, score in votes]), 1, 5)
    for bound, stretched in ((one.value, two.value), (one.low, two.low), (one.high, two.high)):
        assert bound is not None
        assert stretched == pytest.approx(1 + 4 * bound)


def test_errors_clustered_by_comparison_exceed_the_others_on_real_votes(shared: Path) -> None:
    """The median over 59 models of the clustered over the independent standard error is 1.30."""
    outcomes, comparison = llmfao(shared)
    times = []
    for number, model in enumerate(outcomes.models):
        own = (outcomes.model_a == number) ^ (outcomes.model_b == number)
        worth, counted = parts(outcomes.of_model(model).outcome, "half")
        found = interval(Ratio(worth, counted, comparison[own]))
        assert found.error is not None
        assert found.iid_error is not None
        times.append(found.error / found.iid_error)
    assert np.median(times) == pytest.approx(1.30, abs=0.02)
    assert max(times) == pytest.approx(1.60, abs=0.03)


def test_the_bootstrap_agrees_with_the_sandwich() -> None:
    draw = np.random.default_rng(0)
    for rate in (0.5, 0.7, 0.9):
        votes = Study(prompts=300, raters=12, rate=rate).votes(draw)
        one, two = interval(votes), bootstrap(votes)
        assert one.low is not None
        assert one.high is not None
        assert two.method == "cluster bootstrap, 1000 draws"
        assert (two.low, two.high) == pytest.approx((one.low, one.high), abs=0.15 * (one.high - one.low))


@given(VOTES)
def test_the_bootstrap_has_a_fixed_seed_and_no_order(votes: list[Vote]) -> None:
    one, two = bootstrap(ratio(votes), draws=50), bootstrap(ratio(votes[::-1]), draws=50)
    assert one == two


@pytest.mark.soak
@pytest.mark.parametrize(("prompts", "rate"), [*product([100, 1000], [0.5, 0.7, 0.95])])
def test_intervals_cover_the_true_rate(prompts: int, rate: float) -> None:
    """400 rounds: three standard deviations below 95% are 91.7%."""
    assert 0.917 <= coverage(Study(prompts, 30, rate), interval, rounds=400) <= 0.99


@pytest.mark.soak
@pytest.mark.parametrize("rate", [0.5, 0.7, 0.95])
def test_the_bootstrap_covers_the_true_rate(rate: float) -> None:
    assert 0.917 <= coverage(Study(300, 30, rate), lambda votes: bootstrap(votes, 400), rounds=400) <= 0.99


@pytest.mark.soak
@pytest.mark.parametrize(("raters", "rate"), [*product([3, 5, 8], [0.5, 0.95])])
def test_intervals_of_few_raters_cover_the_true_rate(raters: int, rate: float) -> None:
    assert coverage(Study(300, raters, rate), interval, rounds=400) >= 0.917
