"""How difficult instructions are for models, estimated from votes on several models against one baseline."""

import numpy as np
from scipy.special import expit

from annotation.statistics.outcomes import Floats, Ints

VARIANCE = 2.0
"""The assumed variance of difficulties: the published ones of AlpacaEval 2 have 2.2."""
FREE = 100.0
"""The assumed variance of the models' own terms, so wide that it only keeps them finite."""
STEPS, TOLERANCE = 100, 1e-8


def difficulties(preference: Floats, length: Floats, model: Ints, prompt: Ints, prompts: int) -> Floats:
    """The term of each of ``prompts`` prompts in a logistic regression of all models' votes at once: a term for each
    model, a slope of the length for each model, and a term for each prompt that all models share (Dubois et al. 2024,
    section 3). The higher, the better do models fare there against the baseline; 0 for a prompt without a vote.

    ``preference`` is between 0 and 1, ``length`` as in `length_controlled.Compared.design`. The terms have normal
    priors, where the paper's code has a penalty on absolute values: with few models, most prompts are won by all or
    lost by all of them.
    """
    models = int(model.max(initial=-1)) + 1
    at: Floats = np.zeros(2 * models + prompts)
    prior = np.concatenate([np.full(2 * models, 1 / FREE), np.full(prompts, 1 / VARIANCE)])
    value = _loss(at, preference, length, model, prompt, prior)
    for _ in range(STEPS):
        step = _step(at, preference, length, model, prompt, prior)
        size = 1.0
        while (new := _loss(at + size * step, preference, length, model, prompt, prior)) > value and size > TOLERANCE:
            size /= 2
        at, value = at + size * step, new
        if np.abs(step).max(initial=0.0) < TOLERANCE:
            break
    found: Floats = at[2 * models :]
    return found


def _along(at: Floats, length: Floats, model: Ints, prompt: Ints, models: int) -> Floats:
    along: Floats = at[model] + at[models + model] * length + at[2 * models + prompt]
    return along


def _loss(at: Floats, preference: Floats, length: Floats, model: Ints, prompt: Ints, prior: Floats) -> float:
    along = _along(at, length, model, prompt, int(model.max(initial=-1)) + 1)
    return float((np.logaddexp(0.0, along) - preference * along).sum() + (prior * at**2).sum() / 2)


def _step(at: Floats, preference: Floats, length: Floats, model: Ints, prompt: Ints, prior: Floats) -> Floats:
    """Newton's step. The prompts' block of the second derivative is diagonal, so that only the models' block, less
    what the prompts explain of it, is solved as a whole (Schur complement)."""
    models = int(model.max(initial=-1)) + 1
    prompts = len(at) - 2 * models
    chance = expit(_along(at, length, model, prompt, models))
    bend = chance * (1 - chance)
    terms = ((model, np.ones(len(length))), (models + model, length))

    def sums(values: Floats) -> Floats:
        own = [np.bincount(place, values * factor, 2 * models) for place, factor in terms]
        return np.concatenate([own[0] + own[1], np.bincount(prompt, values, prompts)])

    slope = sums(chance - preference) + prior * at
    both = np.zeros((2 * models, 2 * models))
    across = np.zeros((2 * models, prompts))
    for row, left in terms:
        np.add.at(across, (row, prompt), bend * left)
        for column, right in terms:
            np.add.at(both, (row, column), bend * left * right)
    both += np.diag(prior[: 2 * models])
    own = np.bincount(prompt, bend, prompts) + prior[2 * models :]
    scaled = across / own
    lead = np.linalg.solve(both - scaled @ across.T, slope[: 2 * models] - scaled @ slope[2 * models :])
    step: Floats = -np.concatenate([lead, (slope[2 * models :] - across.T @ lead) / own])
    return step
