"""The length-controlled win rate of AlpacaEval 2: the win rate if all responses were as long as the baseline's.

Dubois, Galambosi, Liang and Hashimoto (2024), arXiv 2404.04475, as alpaca_eval 0.6.6 computes it: a logistic regression
of the preferences for one model against a baseline, on the difference of lengths, on how difficult the instruction is,
and on a constant.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from annotation.statistics.clusters import Interval, Ratio, assumed, bounded, dense, spread
from annotation.statistics.outcomes import Floats, Ints
from schemas.errors import UserError

STRENGTHS: tuple[float, ...] = tuple(np.logspace(-4, 4, 10).tolist())
"""The inverse strengths of the penalty on absolute weights, from which cross-validation chooses."""
FOLDS = 5
VARIANTS = 0.2
"""How much a vote on the baseline's variants, all together, weighs against a vote on the model."""
STEPS, SWEEPS, TOLERANCE = 100, 100, 1e-9


@dataclass(frozen=True)
class Compared:
    """Votes on a model against the baseline.

    ``preference`` is 1 if the model's response is better, 0 if the baseline's, 1/2 for a tie, anything between for a
    judge that weighs, and NaN without a verdict. ``longer``: by how many characters the model's response is longer.
    ``difficulty`` of the instruction, on any scale; 0 for all if it is not known. ``prompt`` and ``rater`` are codes
    of 0 or more; ``rater`` is None if the interval shall hold for the same raters only.
    """

    preference: Floats
    longer: Floats
    difficulty: Floats
    prompt: Ints
    rater: Ints | None = None

    def sorted(self) -> "Compared":
        """The votes in an order of their own, so that sums are the same bytes in any order of votes."""
        rater = self.prompt if self.rater is None else self.rater
        order = np.lexsort((self.longer, self.preference, rater, self.prompt))
        columns = {name: getattr(self, name)[order] for name in ("preference", "longer", "difficulty", "prompt")}
        return replace(self, **columns, rater=None if self.rater is None else self.rater[order])

    @property
    def design(self) -> Floats:
        """The columns of the regression: length, difficulty, and 1 for the model itself.

        The length is the hyperbolic tangent of the characters by which the baseline's response is longer, in standard
        deviations of that difference.
        """
        spread_of = float(self.longer.std(ddof=1)) if len(self.longer) > 1 else 0.0
        length = np.tanh(-self.longer / spread_of) if spread_of else np.zeros(len(self.longer))
        return np.column_stack([length, self.difficulty, np.ones(len(self.longer))])


@dataclass(frozen=True)
class LengthControlled:
    """The win rate, with a 95% interval that holds for other prompts (and raters) and contains the doubt of the fit.

    ``weights`` are those of length, difficulty and the model; ``strength`` is the chosen one of STRENGTHS.
    ``published_error`` is the standard error that alpaca_eval gives, the spread of the predictions alone.
    """

    interval: Interval
    weights: tuple[float, float, float]
    strength: float
    published_error: float


def length_controlled(votes: Compared, variants: Sequence[Compared] = ()) -> LengthControlled:
    """The length-controlled win rate of a model.

    ``variants`` are votes on the baseline itself, asked to write longer and shorter, against the baseline: what length
    alone does. They hold the weight of the length near their own. The predictions are for all votes with a length, with
    or without a verdict, at a difference of 0. Raises UserError for fewer than FOLDS prompts with a verdict.
    """
    votes = votes.sorted()
    known = ~np.isnan(votes.preference)
    if len(np.unique(votes.prompt[known])) < FOLDS:
        raise UserError(f"fewer than {FOLDS} prompts have a verdict")
    rows = _Rows.of(votes, [each.sorted() for each in variants])
    strength = _strength(rows)
    weights = _fit(rows, strength)
    equal = votes.design * [0.0, 1.0, 1.0]
    predicted = expit(equal @ weights)
    count = len(predicted)
    return LengthControlled(
        interval=_interval(votes, rows, weights, equal, predicted),
        weights=(float(weights[0]), float(weights[1]), float(weights[2])),
        strength=strength,
        published_error=float(predicted.std(ddof=1)) / count**0.5 if count > 1 else 0.0,
    )


@dataclass(frozen=True)
class _Rows:
    """What the regression is fitted to: votes with a verdict, those on the model first. ``place`` is the vote's among
    the votes on the model, -1 for a variant, which has no term of a model: it is the baseline."""

    design: Floats
    preference: Floats
    weight: Floats
    prompt: Ints
    rater: Ints | None
    place: Ints

    @classmethod
    def of(cls, votes: Compared, variants: Sequence[Compared]) -> "_Rows":
        groups = [votes, *variants]
        shares = [1.0, *[VARIANTS / max(len(variants), 1)] * len(variants)]
        same = [each.design * [1.0, 1.0, 0.0] for each in variants]
        design = np.concatenate([votes.design, *same])
        preference, prompt = (
            np.concatenate([getattr(each, name) for each in groups]) for name in ("preference", "prompt")
        )
        weight = np.repeat(shares, [len(each.preference) for each in groups])
        place = np.concatenate([np.arange(len(votes.preference)), *(np.full(len(v.preference), -1) for v in variants)])
        raters = [each.rater for each in groups if each.rater is not None]
        rater = np.concatenate(raters) if len(raters) == len(groups) else None
        whole = cls(design, preference, weight, prompt, rater, place)
        return whole.take(np.flatnonzero(~np.isnan(preference)))

    def take(self, places: Ints) -> "_Rows":
        rater = None if self.rater is None else self.rater[places]
        columns = {name: getattr(self, name)[places] for name in ("design", "preference", "weight", "prompt", "place")}
        return replace(self, **columns, rater=rater)

    def loss(self, weights: Floats) -> Floats:
        """The weighted negative log-likelihood of each row."""
        along = self.design @ weights
        lost: Floats = self.weight * (np.logaddexp(0.0, along) - self.preference * along)
        return lost


def _strength(rows: _Rows) -> float:
    """The strength whose fits predict other prompts best, by cross-validation over FOLDS groups of prompts."""
    fold = dense(rows.prompt) % FOLDS
    parts = [
        (rows.take(np.flatnonzero(fold != each)), rows.take(np.flatnonzero(fold == each))) for each in range(FOLDS)
    ]
    losses = [sum(float(rest.loss(_fit(most, strength)).mean()) for most, rest in parts) for strength in STRENGTHS]
    return STRENGTHS[int(np.argmin(losses))]


def _fit(rows: _Rows, strength: float) -> Floats:
    """The weights that minimise the losses' sum and the absolute weights' sum / ``strength``, by Newton's method with
    an inner lasso (Yuan, Ho and Lin 2012, newGLMNET)."""
    penalty = 1 / strength
    at: Floats = np.zeros(rows.design.shape[1])
    value = float(rows.loss(at).sum())
    for _ in range(STEPS):
        chance = expit(rows.design @ at)
        gradient = rows.design.T @ (rows.weight * (chance - rows.preference))
        curvature = (rows.design.T * (rows.weight * chance * (1 - chance))) @ rows.design
        step = _lasso(at, gradient, curvature, penalty) - at
        if np.abs(step).max() < TOLERANCE:
            break
        expected = float(gradient @ step) + penalty * float(np.abs(at + step).sum() - np.abs(at).sum())
        size, current = 1.0, value + penalty * float(np.abs(at).sum())
        while size > TOLERANCE:
            trial = at + size * step
            value = float(rows.loss(trial).sum())
            if value + penalty * float(np.abs(trial).sum()) <= current + 1e-4 * size * min(expected, 0.0):
                break
            size /= 2
        at = at + size * step
    return at


def _lasso(at: Floats, gradient: Floats, curvature: Floats, penalty: float) -> Floats:
    """The weights that minimise the quadratic model of the losses around ``at``, with the penalty, by coordinates."""
    found, slope, bends = at.tolist(), gradient.tolist(), curvature.tolist()
    places = [place for place in range(len(found)) if bends[place][place] > TOLERANCE]
    for _ in range(SWEEPS):
        moved = 0.0
        for place in places:
            bend = bends[place][place]
            target = found[place] - slope[place] / bend
            change = math.copysign(max(abs(target) - penalty / bend, 0.0), target) - found[place]
            found[place] += change
            slope = [each + change * across for each, across in zip(slope, bends[place], strict=True)]
            moved = max(moved, abs(change))
        if moved < TOLERANCE / 10:
            break
    return np.array(found)


def _interval(votes: Compared, rows: _Rows, weights: Floats, equal: Floats, predicted: Floats) -> Interval:
    """Wilson's interval at the clustered variance of the mean prediction, by how each vote moves it: as one of the
    predictions, and through the weights (those that the penalty holds at 0 stay there)."""
    value, count = float(predicted.mean()), len(predicted)
    chance = expit(rows.design @ weights)
    residual = rows.weight * (rows.preference - chance)
    bend = rows.weight * chance * (1 - chance)
    free = np.flatnonzero(weights)
    design = rows.design[:, free]
    pull = (predicted * (1 - predicted)) @ equal[:, free] / count
    through: npt.NDArray[np.float64] = residual * (
        design @ (np.linalg.pinv((design.T * bend) @ design, hermitian=True) @ pull)
    )
    own = rows.place >= 0
    moved = (predicted - value) / count
    np.add.at(moved, rows.place[own], through[own])
    influence = np.concatenate([moved, through[~own]])
    influence = influence - influence.mean()
    weight = np.concatenate([np.ones(count), rows.weight[~own]])
    prompt = np.concatenate([votes.prompt, rows.prompt[~own]])
    rater = None if votes.rater is None or rows.rater is None else np.concatenate([votes.rater, rows.rater[~own]])
    found = spread(influence, weight, prompt, rater)
    held = rows.preference[own]
    if found.variance and np.ptp(held):
        low, high, effective, method = bounded(value, found)
    else:
        asked = None if found.clustered == "prompt" or rows.rater is None else rows.rater[own]
        low, high, effective, method = assumed(value, Ratio(held, np.ones(len(held)), rows.prompt[own], asked))
    return Interval(
        value=value,
        low=low,
        high=high,
        error=found.variance**0.5,
        iid_error=float((influence**2).sum() * count / max(count - 1, 1)) ** 0.5,
        effective=effective,
        method=method,
        clustered=found.clustered,
        votes=int(own.sum()),
        prompts=len(np.unique(rows.prompt[own])),
        raters=0 if votes.rater is None else len(np.unique(votes.rater)),
    )
