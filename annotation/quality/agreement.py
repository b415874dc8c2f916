"""Agreement beyond chance: Gwet's AC1 and AC2, Krippendorff's alpha, and Cohen's kappa of two raters.

The input is how often each point of a scale was given to each unit. A unit may have any number of ratings. A unit with
a single rating affects only the chance agreement of AC, and does not affect alpha. The running time grows with the
number of distinct patterns of ratings, not with the number of units.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from annotation.statistics.distributions import student_t

Weights = Literal["identity", "linear", "quadratic", "ordinal"]
Metric = Literal["nominal", "ordinal", "interval", "ratio"]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A coefficient (1 is perfect agreement, 0 is chance) with its standard error and the bounds of its 95% interval.

    ``units`` is the number of units with two ratings or more. ``value`` is None without such a unit and, for alpha, if
    all ratings are equal. Error and bounds are None if there are too few units: AC needs two rated units; alpha needs
    three, whose ratings differ even without any one of them. The bounds are cut at -1 and 1.
    """

    value: float | None
    error: float | None
    low: float | None
    high: float | None
    units: int


UNDEFINED = Estimate(None, None, None, None, 0)


@dataclass(frozen=True)
class Ratings:
    """Distinct patterns of ratings. ``counts[i]``: how often each point is given; ``times[i]``: units with pattern i.

    ``scale`` is ascending and lists all points, also unused points: they change AC1 and AC2.
    """

    scale: Floats
    counts: Ints
    times: Ints

    @classmethod
    def of(cls, unit: Ints, point: Ints, scale: Sequence[float]) -> "Ratings":
        """Builds ratings from an entry for each rating: its unit (0 or more), and its point's index in ``scale``."""
        size = len(scale)
        units = int(unit.max(initial=-1)) + 1
        return cls.of_counts(np.bincount(unit * size + point, minlength=units * size).reshape(units, size), scale)

    @classmethod
    def of_counts(cls, counts: Ints, scale: Sequence[float]) -> "Ratings":
        """Builds ratings from counts of shape (units, points)."""
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
    """How much any two points agree, 0 to 1 (Gwet 2014, chapter 3). ``ordinal`` uses only the ranks of points."""
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
    """Gwet's AC1 (``identity``), or AC2 (other weights).

    The standard error is conditional on the raters: it covers the sampling of units only. The interval uses Student's t
    with units - 1 degrees of freedom (Gwet 2014, chapters 4 and 5, and his package irrCAC).
    """
    matrix = weights(kind, ratings.scale)
    given = ratings.counts.sum(axis=1)
    agreed = (ratings.counts * (ratings.counts @ matrix - 1)).sum(axis=1) / np.maximum(given * (given - 1), 1)
    return _beyond_chance(
        agreed, ratings.counts / given[:, None], ratings.times.astype(np.float64), given > 1, _spread(matrix)
    )


def gwet_with_others(own: Ints, others: Ints) -> Estimate:
    """Gwet's AC1 of one rater with all others.

    ``own`` is the index of the rater's point for each unit. ``others``, of shape (units, points), counts the points
    that others gave; each unit needs at least one. The observed agreement of a unit is the share of the other ratings
    that equal the rater's own. Chance agreement is that of two raters (Gwet 2008, Computing inter-rater reliability and
    its variance in the presence of high agreement, formulas 6 to 8): the rater, and the others as one rater who gives
    each point as often as they do. With one other rater this is AC1 of the two. Error and interval are as in ``gwet``.
    """
    units, points = others.shape
    shares = others / others.sum(axis=1)[:, None]
    agreed = shares[np.arange(units), own]
    ones = np.ones(units)
    return _beyond_chance(agreed, (np.eye(points)[own] + shares) / 2, ones, ones > 0, _spread(np.eye(points)))


def cohen_kappa(one: Ints, other: Ints, points: int) -> Estimate:
    """Cohen's kappa (1960) of two raters from the index of the point, 0 to ``points`` - 1, that each gave to a unit.

    The standard error is that of Fleiss, Cohen and Everitt (1969, formula 13); the interval uses Student's t with
    units - 1 degrees of freedom. ``value`` is None if both raters give the same point to all units.
    """
    units = len(one)
    both = np.bincount(one * points + other, minlength=points * points).reshape(points, points) / max(units, 1)
    first, second = both.sum(axis=1), both.sum(axis=0)
    chance = float(first @ second)
    if not units or chance >= 1:
        return Estimate(None, None, None, None, units)
    value = float((np.trace(both) - chance) / (1 - chance))
    of_points = np.add.outer(second, first) * (1 - value)  # for the point i of one rater and j of the other
    squares = (both * (np.eye(points) - of_points) ** 2).sum()
    variance = (squares - (value - chance * (1 - value)) ** 2) / ((1 - chance) ** 2 * units)
    return _estimate(value, max(0.0, float(variance)) if units > 1 else None, units, units)


def _spread(matrix: Floats) -> float:
    """The factor of Gwet's chance agreement for a matrix of weights."""
    size = len(matrix)
    return float(matrix.sum() / (size * (size - 1))) if size > 1 else 0.0


def _beyond_chance(agreed: Floats, shares: Floats, times: Floats, paired: Flags, spread: float) -> Estimate:
    """AC of units: the agreement observed in each, the share of each point in it, how often the unit occurs, and
    whether it has two ratings or more."""
    units, rated = times.sum(), times[paired].sum()
    if not rated:
        return UNDEFINED
    observed = times @ agreed / rated
    used = times @ shares / units
    chance = spread * (used @ (1 - used))
    if chance >= 1:
        return UNDEFINED
    value = (observed - chance) / (1 - chance)
    of_unit = units / rated * (agreed - chance * paired) / (1 - chance)
    of_unit = of_unit - 2 * (1 - value) * (spread * (shares @ (1 - used)) - chance) / (1 - chance)
    variance = times @ (of_unit - value) ** 2 / (units * (units - 1)) if units > 1 else None
    return _estimate(float(value), variance, int(units), int(rated))


def krippendorff(ratings: Ratings, metric: Metric = "nominal") -> Estimate:
    """Krippendorff's alpha (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability).

    The standard error is a jackknife over units; the interval uses Student's t with units - 1 degrees of freedom.
    """
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
    """The alpha of each row; NaN if all ratings of the row are equal.

    ``together``, of shape (rows, points, points), counts how often two points occur in the same unit; ``used``, of
    shape (rows, points), how often each point was given.
    """
    apart = _distances(used, metric, scale)
    total = used.sum(axis=1)
    observed = (together * apart).sum(axis=(1, 2))
    expected = np.einsum("ri,rj,rij->r", used, used, apart)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(expected > 0, 1 - (total - 1) * observed / expected, np.nan)


def _distances(used: Floats, metric: Metric, scale: Floats) -> Floats:
    """The squared difference between any two points, for each row of ``used``."""
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
