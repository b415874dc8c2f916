"""Difficulties are those at which the penalised likelihood of all models' votes is largest."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from annotation.statistics.difficulty import FREE, VARIANCE, difficulties

MODELS, PROMPTS = 6, 40


def drawn() -> tuple[np.ndarray, ...]:  # type: ignore[type-arg]
    """Votes of which each model has none on some prompts, and the difficulties that they were drawn with."""
    draw = np.random.default_rng(3)
    model, prompt = np.divmod(np.arange(MODELS * PROMPTS), PROMPTS)
    hard, length = draw.normal(size=PROMPTS), np.tanh(draw.normal(size=len(model)))
    wish = 2 * hard[prompt] + length + np.linspace(-1, 1, MODELS)[model]
    said = (draw.random(len(model)) < expit(wish)).astype(float)
    kept = (model + prompt) % 5 > 0
    return said[kept], length[kept], model[kept], prompt[kept], hard


def test_the_estimate_is_the_maximum_that_a_general_optimiser_finds() -> None:
    said, length, model, prompt, _ = drawn()

    def lost(at: np.ndarray) -> float:  # type: ignore[type-arg]
        level, slope, hard = np.split(at, [MODELS, 2 * MODELS])
        along = level[model] + slope[model] * length + hard[prompt]
        chance = expit(along)
        likelihood = np.log(np.where(said == 1, chance, 1 - chance)).sum()
        return float((hard**2).sum() / 2 / VARIANCE + (level**2 + slope**2).sum() / 2 / FREE - likelihood)

    expected = minimize(lost, np.zeros(2 * MODELS + PROMPTS), method="BFGS").x[2 * MODELS :]
    assert difficulties(said, length, model, prompt, PROMPTS) == pytest.approx(expected, abs=2e-3)


def test_planted_difficulties_are_found() -> None:
    said, length, model, prompt, hard = drawn()
    found = difficulties(said, length, model, prompt, PROMPTS)
    assert np.corrcoef(found, hard)[0, 1] > 0.75


def test_a_prompt_without_a_vote_has_no_difficulty() -> None:
    found = difficulties(np.array([1.0, 0.0]), np.zeros(2), np.array([0, 0]), np.array([0, 1]), 3)
    assert found[2] == 0
    assert found[0] == pytest.approx(-found[1])
    assert found[0] > 0
