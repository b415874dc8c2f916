"""Agreement beyond chance: Gwet's AC1 and AC2, and Krippendorff's alpha.

Both read how often each point of a scale was given to each unit; units may have any number of ratings, those with
fewer than two say something of chance only (AC), or nothing (alpha). The work grows with the number of different
patterns of ratings, not of units.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from annotation.quality.distributions import student_t

Weights = Literal["identity", "linear", "quadratic", "ordinal"]
Metric = Literal["nominal", "ordinal", "interval", "ratio"]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A coefficient (1 is perfect, 0 is chance) with its standard error and 95% interval, at most 1.

    None where it is not defined: the coefficient without a unit of two ratings (alpha: without two different ones), the
    rest with one such unit (alpha: with two). ``units``: those with two ratings or more.
    """

    value: float | None
    error: float | None
    low: float | None
    high: float | None
    units: int


UNDEFINED = Estimate(None, None, None, None, 0)


@dataclass(frozen=True)
class Ratings:
    """``counts[i]`` says how often each point of ``scale`` was given; ``times[i]`` how many units have this pattern.

    The scale is the full one, in ascending order: a point that nobody used changes AC1 and AC2.
    """

    scale: Floats
    counts: Ints
    times: Ints

    @classmethod
    def of(cls, unit: Ints, point: Ints, scale: Sequence[float]) -> "Ratings":
        """One rating an entry: the unit (0 or more), and the place of the point on the scale."""
        size = len(scale)
        units = int(unit.max(initial=-1)) + 1
        return cls.of_counts(np.bincount(unit * size + point, minlength=units * size).reshape(units, size), scale)

    @classmethod
    def of_counts(cls, counts: Ints, scale: Sequence[float]) -> "Ratings":
        """``counts`` is units x points."""
        base = int(counts.max(initial=0)) + 1
        if base ** len(scale) < 1 << 63:
            keys = counts @ (base ** np.arange(len(scale), dtype=np.int64))
            _, first, times = np.unique(keys, return_index=True, return_counts=True)
            patterns = counts[first]
        else:
            patterns, times = np.unique(counts, axis=0, return_counts=True)
        rated = patterns.sum(axis=1) > 0
        return cls(np.asarray(scale, np.float64), patterns[rated], times[rated])


def weights(name: Weights, scale: Floats) -> Floats:
    """How much two points of the scale agree, 0 to 1 (Gwet 2014, chapter 3). ``ordinal`` looks at ranks only."""
    size = len(scale)
    if name == "identity" or size < 2:
        return np.eye(size)
    if name == "ordinal":
        between = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) + 1.0
        apart = between * (between - 1) / (size * (size - 1))
    else:
        apart = np.abs(np.subtract.outer(scale, scale)) / (scale[-1] - scale[0])
    agree: Floats = 1 - (apart**2 if name == "quadratic" else apart)
    return agree


def gwet(ratings: Ratings, kind: Weights = "identity") -> Estimate:
    """AC1 (``identity``), or AC2 with other weights. The error is that over samples of units, raters held fixed; the
    interval takes Student's t with units - 1 degrees (Gwet 2014, chapters 4 and 5; his irrCAC)."""
    matrix = weights(kind, ratings.scale)
    size = len(ratings.scale)
    given = ratings.counts.sum(axis=1)
    times = ratings.times.astype(np.float64)
    units, paired = times.sum(), times[given > 1].sum()
    if not paired:
        return UNDEFINED
    agreed = (ratings.counts * (ratings.counts @ matrix - 1)).sum(axis=1) / np.maximum(given * (given - 1), 1)
    observed = times @ agreed / paired
    used = times @ (ratings.counts / given[:, None]) / units
    spread = matrix.sum() / (size * (size - 1)) if size > 1 else 0.0
    chance = spread * (used @ (1 - used))
    if chance >= 1:
        return UNDEFINED
    value = (observed - chance) / (1 - chance)
    of_unit = units / paired * (agreed - chance * (given > 1)) / (1 - chance)
    chance_of_unit = spread * (ratings.counts @ (1 - used)) / given
    of_unit = of_unit - 2 * (1 - value) * (chance_of_unit - chance) / (1 - chance)
    variance = times @ (of_unit - value) ** 2 / (units * (units - 1)) if units > 1 else None
    return _estimate(float(value), variance, int(units), int(paired))


def krippendorff(ratings: Ratings, metric: Metric = "nominal") -> Estimate:
    """Alpha (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability); the error is the jackknife's over units,
    and the interval takes Student's t with units - 1 degrees."""
    paired = ratings.counts.sum(axis=1) > 1
    counts, times = ratings.counts[paired].astype(np.float64), ratings.times[paired].astype(np.float64)
    units = int(times.sum())
    if not units:
        return UNDEFINED
    given = counts.sum(axis=1)
    within = counts[:, :, None] * counts[:, None, :] / (given - 1)[:, None, None]
    together = np.tensordot(times, within, 1)
    value = float(_alpha(together[None], (times @ counts)[None], metric, ratings.scale)[0])
    if math.isnan(value):
        return Estimate(None, None, None, None, units)
    without = _alpha(together - within, times @ counts - counts, metric, ratings.scale)
    variance = None
    if units > 2 and not np.isnan(without).any():
        variance = (units - 1) / units * (times @ (without - times @ without / units) ** 2)
    return _estimate(value, variance, units, units)


def _alpha(together: Floats, used: Floats, metric: Metric, scale: Floats) -> Floats:
    """Alpha of each row: ``together`` (rows x points x points) holds how often two points met in a unit, ``used`` (rows
    x points) how often each was given. NaN where all ratings are equal."""
    apart = _distances(used, metric, scale)
    total = used.sum(axis=1)
    observed = (together * apart).sum(axis=(1, 2))
    expected = np.einsum("ri,rj,rij->r", used, used, apart)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, 1 - (total - 1) * observed / expected, np.nan)


def _distances(used: Floats, metric: Metric, scale: Floats) -> Floats:
    """The squared difference of each two points, for each row of ``used``."""
    size = len(scale)
    if metric == "ordinal":
        upto = np.cumsum(used, axis=1) - used / 2
        return (upto[:, :, None] - upto[:, None, :]) ** 2
    if metric == "nominal":
        fixed = 1 - np.eye(size)
    else:
        fixed = np.subtract.outer(scale, scale) ** 2
        if metric == "ratio":
            sums = np.add.outer(scale, scale)
            fixed = np.divide(fixed, sums**2, out=np.zeros_like(fixed), where=sums != 0)
    return np.broadcast_to(fixed, (len(used), size, size))


def _estimate(value: float, variance: float | None, sampled: int, units: int) -> Estimate:
    if variance is None:
        return Estimate(value, None, None, None, units)
    error = math.sqrt(variance)
    reach = student_t(CONFIDENCE, sampled - 1) * error
    return Estimate(value, error, max(-1.0, value - reach), min(1.0, value + reach), units)
