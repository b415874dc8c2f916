"""Ratings of models from pairwise outcomes: Bradley and Terry's model with ties, covariates and clustered errors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, diags_array, hstack
from scipy.sparse.csgraph import connected_components

from annotation.statistics.clusters import NEGLIGIBLE, assumed_effect, dense
from annotation.statistics.outcomes import LOSS, TIE, WIN, Flags, Floats, Ints, Outcomes
from annotation.statistics.ranks import Ranks, ranks
from schemas.errors import UserError

Ties = Literal["half", "davidson"]
"""``half``: a tie is half a win and half a loss. ``davidson``: a tie has a probability of its own (Davidson 1970)."""
Unrated = Literal["not compared", "unbeaten", "winless", "apart"]
"""Why a model has no rating: it has no vote with a verdict; it never lost, or never won, against any rated model or
others without a rating; or no chain of wins leads from it to the rated models and back."""
STEPS = 200
TOLERANCE = 1e-10
LARGEST = 30.0
"""Log-odds beyond this grow without end."""


@dataclass(frozen=True)
class Leaderboard:
    """Ratings of the models in ``models``; ``unrated`` says why any other model has none.

    ``rating`` is a log-odds: a model wins a decided vote against another with probability 1 / (1 + exp(-difference)).
    The mean is 0. ``covariance`` is clustered as ``clustered`` says. ``effects`` are the covariates' log-odds with
    standard errors. ``tie`` is Davidson's parameter (0 or more), the odds of a tie between equal models against a win
    and a loss being ``tie`` / 2; None for half ties.
    """

    models: tuple[str, ...]
    rating: Floats
    covariance: Floats
    degrees: float
    ranks: Ranks
    effects: dict[str, tuple[float, float]]
    tie: float | None
    unrated: dict[str, Unrated]
    clustered: str
    votes: int

    @property
    def error(self) -> Floats:
        """The standard error of each rating."""
        errors: Floats = np.sqrt(np.diag(self.covariance))
        return errors


@dataclass(frozen=True)
class _Design:
    """A row for each vote: its row of the linear predictor, and its ``sign`` (1 win, 0 tie, -1 loss)."""

    matrix: csr_array
    sign: Floats
    models: int
    davidson: bool

    @property
    def tied(self) -> Floats:
        return 1.0 - np.abs(self.sign)


def leaderboard(
    outcomes: Outcomes, ties: Ties = "half", covariates: Mapping[str, Floats] | None = None, by_rater: bool = True
) -> Leaderboard:
    """The maximum-likelihood ratings of all models that votes connect, with errors clustered by prompt and rater.

    A covariate has a value for each vote from model A's point of view (mirrored, its sign changes): 1 or -1 for who
    was shown first, or a difference of lengths. Models outside the largest set in which wins lead from each model to
    each other have no finite rating (Ford 1957) and are listed in ``unrated`` instead. Raises UserError if no two
    models can be rated, or if a covariate has no effect of its own to estimate.
    """
    covariates = covariates or {}
    rated, unrated = _rated(outcomes)
    kept = _kept(outcomes, rated, covariates)
    votes = outcomes.take(kept)
    values = {name: np.asarray(covariates[name], np.float64)[kept] for name in sorted(covariates)}
    design = _design(votes, np.flatnonzero(rated), values, ties)
    found, information = _fit(design, list(values))
    covariance, degrees, clustered = _clustered(design, found, information, votes, by_rater)
    size = design.models
    errors = np.sqrt(np.diag(covariance))
    effects = {name: (float(found[size + n]), float(errors[size + n])) for n, name in enumerate(values)}
    return Leaderboard(
        models=tuple(outcomes.models[model] for model in np.flatnonzero(rated)),
        rating=found[:size],
        covariance=covariance[:size, :size],
        degrees=degrees,
        ranks=ranks(found[:size], covariance[:size, :size], degrees),
        effects=effects,
        tie=math.exp(found[-1]) if design.davidson else None,
        unrated=unrated,
        clustered=clustered,
        votes=len(votes),
    )


def _kept(outcomes: Outcomes, rated: Flags, covariates: Mapping[str, Floats]) -> Ints:
    """The places of the votes that count, sorted, so that sums are the same bytes in any order of votes."""
    between = rated[outcomes.model_a] & rated[outcomes.model_b] & (outcomes.model_a != outcomes.model_b)
    codes = outcomes.outcome, outcomes.model_b, outcomes.model_a, outcomes.rater, outcomes.prompt
    columns: list[npt.NDArray[Any]] = [*(covariates[name] for name in sorted(covariates)), *codes]
    order = np.lexsort(columns)
    kept: Ints = order[(outcomes.decided & between)[order]]
    return kept


def length_difference(length_a: Floats, length_b: Floats) -> Floats:
    """A covariate from two lengths: the hyperbolic tangent of their difference in standard deviations.

    So do Dubois et al. (2024, section 3). The ratings are then those of responses of equal length. The
    length-controlled win rate of AlpacaEval 2, which also has a difficulty for each instruction, is in
    `length_controlled`.
    """
    difference = length_a - length_b
    spread = float(difference.std(ddof=1)) if len(difference) > 1 else 0.0
    scaled: Floats = np.tanh(difference / spread) if spread else np.zeros(len(difference))
    return scaled


def _rated(outcomes: Outcomes) -> tuple[Flags, dict[str, Unrated]]:
    """Whether each model can be rated, and why others cannot."""
    size = len(outcomes.models)
    played = outcomes.decided & (outcomes.model_a != outcomes.model_b)
    a, b, outcome = outcomes.model_a[played], outcomes.model_b[played], outcomes.outcome[played]
    beats = np.zeros((size, size), bool)
    beats[a[outcome != LOSS], b[outcome != LOSS]] = True
    beats[b[outcome != WIN], a[outcome != WIN]] = True
    _, component = connected_components(csr_array(beats), connection="strong")
    sizes = np.bincount(component)
    if sizes.max(initial=0) < 2:
        raise UserError("no two models can be rated: each rating needs a win and a loss, or a tie")
    rated = component == component[sizes[component].argmax()]
    reasons: dict[str, Unrated] = {}
    for model in np.flatnonzero(~rated):
        won, lost = beats[model].any(), beats[:, model].any()
        reasons[outcomes.models[model]] = (
            "apart" if won and lost else "unbeaten" if won else "winless" if lost else "not compared"
        )
    return rated, reasons


def _design(votes: Outcomes, rated: Ints, covariates: Mapping[str, Floats], ties: Ties) -> _Design:
    place = np.zeros(len(votes.models), np.int64)
    place[rated] = np.arange(len(rated))
    rows = np.arange(len(votes))
    at = np.concatenate([rows, rows]), np.concatenate([place[votes.model_a], place[votes.model_b]])
    signs = np.repeat([1.0, -1.0], len(votes))
    matrix = csr_array((signs, at), shape=(len(votes), len(rated)))
    if covariates:
        matrix = csr_array(hstack([matrix, csr_array(np.column_stack(list(covariates.values())))]))
    davidson = ties == "davidson" and bool((votes.outcome == TIE).any())
    if davidson and bool((votes.outcome == TIE).all()):
        raise UserError("all votes are ties, which have no probability of their own then: count them as half wins")
    return _Design(matrix, 1.0 - votes.outcome.astype(np.float64), len(rated), davidson)


def _chances(design: _Design, at: Floats) -> tuple[Floats, Floats, Floats, float]:
    """Each vote's probability of a win, a tie and a loss, and the log-likelihood of all votes.

    Both treatments of ties are one model: log P = sign * predictor / 2 + tied * log(tie) - log(normaliser). Half ties
    have no term for a tie in the normaliser (as the logistic likelihood at an outcome of 1/2).
    """
    half = design.matrix @ at[: design.matrix.shape[1]] / 2
    log_tie = at[-1] if design.davidson else -np.inf
    log_sum = np.logaddexp(np.logaddexp(half, -half), log_tie)
    tied = design.tied * log_tie if design.davidson else 0.0
    likelihood = float((design.sign * half + tied - log_sum).sum())
    return np.exp(half - log_sum), np.exp(log_tie - log_sum), np.exp(-half - log_sum), likelihood


def _fit(design: _Design, names: list[str]) -> tuple[Floats, Floats]:
    """The estimates by Newton's method, and the inverse of the information with the ratings' mean held at 0."""
    at = np.zeros(design.matrix.shape[1] + design.davidson)
    for _ in range(STEPS):
        win, tie, loss, likelihood = _chances(design, at)
        gradient = _scores(design, win, tie, loss).sum(axis=0)
        inverse = _inverse(_information(design, win, tie, loss), design.models, names)
        step = inverse @ gradient
        while _chances(design, at + step)[3] < likelihood - 1e-9 * abs(likelihood):
            step = step / 2
        at = at + step
        if np.abs(step).max() < TOLERANCE:
            return at, inverse
        if np.abs(at).max() > LARGEST:
            break
    raise UserError(f"the ratings do not converge: {_cause(design, names)}")


def _cause(design: _Design, names: list[str]) -> str:
    if names:
        return f"the covariates {', '.join(names)} predict too many outcomes without error: leave one out"
    return "with so few wins or losses, ties have no probability of their own to estimate: count them as half wins"


def _scores(design: _Design, win: Floats, tie: Floats, loss: Floats) -> csr_array:
    """The gradient of each vote's log-likelihood, of shape (votes, parameters)."""
    along = diags_array((design.sign - (win - loss)) / 2) @ design.matrix
    if not design.davidson:
        return csr_array(along)
    return csr_array(hstack([along, csr_array((design.tied - tie)[:, None])]))


def _information(design: _Design, win: Floats, tie: Floats, loss: Floats) -> Floats:
    """The negative second derivative of the log-likelihood."""
    matrix = design.matrix
    lead = win - loss
    ratings = (matrix.T @ diags_array((win + loss - lead**2) / 4) @ matrix).toarray()
    if not design.davidson:
        return np.asarray(ratings)
    mixed = -(matrix.T @ (lead * tie)) / 2
    return np.block([[ratings, mixed[:, None]], [mixed[None, :], np.array([[(tie * (1 - tie)).sum()]])]])


def _inverse(information: Floats, models: int, names: list[str]) -> Floats:
    """The inverse on the ratings whose mean is 0."""
    held = np.zeros(len(information))
    held[:models] = 1
    scale = np.sqrt(np.diag(information)[models:])
    if names and (not scale.all() or _singular(information, models)):
        raise UserError(f"the covariates {', '.join(names)} cannot be told apart from the models: leave one out")
    full = np.linalg.inv(information + np.outer(held, held))
    return full - np.outer(held, held) / models**2


def _singular(information: Floats, models: int) -> bool:
    """Whether a covariate is explained by the models or other covariates."""
    scale = np.sqrt(np.diag(information))
    scaled = information / np.outer(scale, scale)
    held = np.zeros(len(information))
    held[:models] = scale[:models] / np.linalg.norm(scale[:models])
    return bool(np.linalg.eigvalsh(scaled + np.outer(held, held))[0] < 1e-9)


def _clustered(
    design: _Design, at: Floats, inverse: Floats, votes: Outcomes, by_rater: bool
) -> tuple[Floats, float, str]:
    """The sandwich of the estimates, its degrees of freedom, and by what it is clustered (as ``clusters.spread``).

    Where clusters do not differ, such as if all votes are ties, a rating has no variance to estimate: then that of
    independent votes, increased for the correlations that ``clusters.assumed_effect`` assumes.
    """
    found, degrees, clustered = _sandwich(design, at, inverse, votes, by_rater)
    if (np.diag(found)[: design.models] > NEGLIGIBLE * np.diag(inverse)[: design.models]).all():
        return found, degrees, clustered
    rater = None if clustered == "prompt" else votes.rater
    effect = assumed_effect(np.ones(len(votes)), votes.prompt, rater)
    return inverse * effect, degrees, f"{clustered}, by assumed correlations"


def _sandwich(
    design: _Design, at: Floats, inverse: Floats, votes: Outcomes, by_rater: bool
) -> tuple[Floats, float, str]:
    win, tie, loss, _ = _chances(design, at)
    influence = _scores(design, win, tie, loss) @ inverse
    prompt, rater = dense(votes.prompt), dense(votes.rater)
    by_prompt, prompts = _one_way(influence, prompt)
    if not by_rater or not rater.max(initial=0):
        return by_prompt, prompts - 1, "prompt"
    by_raters, raters = _one_way(influence, rater)
    by_both, _ = _one_way(influence, dense(prompt * (int(rater.max()) + 1) + rater))
    scale, axes = np.linalg.eigh(by_prompt + by_raters - by_both)
    return (axes * np.maximum(scale, 0.0)) @ axes.T, min(prompts, raters) - 1, "prompt and rater"


def _one_way(influence: Floats, cluster: Ints) -> tuple[Floats, float]:
    sizes = np.bincount(cluster).astype(np.float64)
    count = len(sizes)
    rows = np.arange(len(cluster))
    sums = csr_array((np.ones(len(cluster)), (cluster, rows)), shape=(count, len(cluster))) @ influence
    return sums.T @ sums * count / max(count - 1, 1), float(sizes.sum() ** 2 / (sizes**2).sum())
