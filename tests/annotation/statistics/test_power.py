"""The planned interval is that of the campaign that follows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.statistics.clusters import Ratio
from annotation.statistics.power import Components, components, plan, prompts_needed
from tests.annotation.statistics.simulated import Study, mean_width, true_components


def test_the_error_by_hand() -> None:
    """0.04 between 100 prompts, 0.02 between 10 raters, 0.18 over 300 votes."""
    found = plan(0.6, Components(0.04, 0.02, 0.18), prompts=100, raters=10, votes_per_prompt=3)
    assert found.error == pytest.approx(np.sqrt(0.0004 + 0.002 + 0.0006))
    assert found.votes == 300


def test_components_of_independent_votes() -> None:
    """Each vote on its own prompt by its own rater: everything is the rest."""
    score = np.tile([1.0, 0.0, 0.0, 0.0], 25)
    found = components(Ratio(score, np.ones(100), np.arange(100), np.arange(100)))
    assert found == Components(0, 0, pytest.approx(score.var(ddof=1)))


def test_components_of_votes_that_prompts_decide() -> None:
    score = np.repeat(np.tile([1.0, 0.0], 50), 3)
    found = components(Ratio(score, np.ones(300), np.repeat(np.arange(100), 3)))
    assert found.prompt == pytest.approx(0.25, rel=0.02)
    assert found.rest == pytest.approx(0, abs=0.005)


def test_components_of_simulated_votes() -> None:
    """At a rate of 1/2 the correlation of two votes is 2 / pi * arcsin of that of their normal variables."""
    study = Study(20_000, 300, 0.5, prompt_effect=0.6, rater_effect=0.3)
    total, true = 1 + 0.36 + 0.09, true_components(study)
    assert true.prompt == pytest.approx(0.25 * 2 / np.pi * np.arcsin(0.36 / total))
    assert true.rater == pytest.approx(0.25 * 2 / np.pi * np.arcsin(0.09 / total))
    found = components(study.votes(np.random.default_rng(0)))
    assert found.prompt == pytest.approx(true.prompt, rel=0.05)
    assert found.rater == pytest.approx(true.rater, rel=0.15)
    assert found.prompt + found.rater + found.rest == pytest.approx(0.25, rel=0.001)


def test_too_few_raters_or_prompts_are_refused() -> None:
    parts = Components.assumed(0.5)
    with pytest.raises(ValueError, match="need as many raters, not 2"):
        plan(0.5, parts, prompts=10, raters=2, votes_per_prompt=3)
    with pytest.raises(ValueError, match="two prompts"):
        plan(0.5, parts, prompts=1, raters=3, votes_per_prompt=3)
    with pytest.raises(ValueError, match="between 0 and 1"):
        plan(1.0, parts, prompts=10, raters=3, votes_per_prompt=3)


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.5), st.integers(3, 100))
def test_the_needed_prompts_are_the_fewest(rate: float, width: float, raters: int) -> None:
    parts = Components.assumed(rate)
    found = prompts_needed(width, rate, parts, raters, votes_per_prompt=3)
    if found is None:
        assert plan(rate, parts, 1_000_000, raters, 3).width > width
    else:
        assert plan(rate, parts, found, raters, 3).width <= width
        assert found == 2 or plan(rate, parts, found - 1, raters, 3).width > width


def test_more_prompts_do_not_replace_raters() -> None:
    parts = Components.assumed(0.6)
    assert prompts_needed(0.05, 0.6, parts, raters=5, votes_per_prompt=3) is None
    assert prompts_needed(0.05, 0.6, parts, raters=500, votes_per_prompt=3) is not None


@pytest.mark.parametrize(("prompts", "raters", "rate"), [(100, 30, 0.7), (300, 8, 0.5), (200, 4, 0.6), (300, 30, 0.95)])
def test_the_planned_width_is_that_of_simulated_campaigns(prompts: int, raters: int, rate: float) -> None:
    study = Study(prompts, raters, rate)
    planned = plan(rate, true_components(study), prompts, raters, votes_per_prompt=2.5).width
    assert planned == pytest.approx(mean_width(study, rounds=400), rel=0.1)
