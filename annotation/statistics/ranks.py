"""Intervals and ranks of several estimates that hold together."""

from dataclasses import dataclass

import numpy as np

from annotation.statistics.outcomes import Floats, Ints
from schemas.intervals import CONFIDENCE

DRAWS = 10_000
SEED = 0
EQUAL = 1e-9
"""Estimates that differ by less share a rank."""


@dataclass(frozen=True)
class Ranks:
    """An entry for each estimate: bounds that hold for all estimates together with 95% confidence, the ``rank`` (1 is
    the largest estimate), and the ``best`` and ``worst`` rank that the differences between estimates allow. All ranks
    hold together with 95% confidence.
    """

    low: Floats
    high: Floats
    rank: Ints
    best: Ints
    worst: Ints


def ranks(value: Floats, covariance: Floats, degrees: float) -> Ranks:
    """Simultaneous intervals and ranks of estimates that are about normal, whose covariance has that many degrees.

    The critical values are 95% quantiles of the largest t (Hothorn, Bretz and Westfall 2008), by simulation with a
    fixed seed. A rank's best and worst count the estimates that are surely larger and smaller (Mogstad, Romano, Shaikh
    and Wilhelm 2024, section 3).
    """
    drawn = _drawn(covariance, degrees)
    error = np.sqrt(np.diag(covariance))
    reach = _critical(drawn, error) * error
    first, second = np.triu_indices(len(value), 1)
    apart = value[first] - value[second]
    error_apart = np.sqrt(
        np.maximum(covariance[first, first] + covariance[second, second] - 2 * covariance[first, second], 0.0)
    )
    reach_apart = _critical_apart(drawn, first, second, error_apart) * error_apart
    larger, smaller = apart > reach_apart + EQUAL, apart < -reach_apart - EQUAL
    size = len(value)
    above = np.bincount(second[larger], minlength=size) + np.bincount(first[smaller], minlength=size)
    below = np.bincount(first[larger], minlength=size) + np.bincount(second[smaller], minlength=size)
    rank = 1 + (value[None, :] > value[:, None] + EQUAL).sum(axis=1)
    return Ranks(value - reach, value + reach, rank, 1 + above, size - below)


def _drawn(covariance: Floats, degrees: float) -> Floats:
    """Draws of Student's t with that covariance as its scale, of shape (DRAWS, estimates)."""
    generator = np.random.default_rng(SEED)
    scale, axes = np.linalg.eigh(covariance)
    normal = generator.standard_normal((DRAWS, len(covariance))) * np.sqrt(np.maximum(scale, 0.0))
    stretch = np.sqrt(max(degrees, 1.0) / generator.chisquare(max(degrees, 1.0), DRAWS))
    drawn: Floats = (normal @ axes.T) * stretch[:, None]
    return drawn


def _critical(drawn: Floats, error: Floats) -> float:
    with np.errstate(invalid="ignore", divide="ignore"):
        largest = np.nan_to_num(np.abs(drawn) / error, nan=0.0, posinf=0.0).max(axis=1, initial=0.0)
    return float(np.quantile(largest, CONFIDENCE))


def _critical_apart(drawn: Floats, first: Ints, second: Ints, error: Floats) -> float:
    """As ``_critical`` for all differences, one row of pairs at a time to keep memory small."""
    largest = np.zeros(len(drawn))
    for one in np.unique(first):
        pairs = (first == one) & (error > EQUAL)
        apart = np.abs(drawn[:, one, None] - drawn[:, second[pairs]]) / error[pairs]
        largest = np.maximum(largest, apart.max(axis=1, initial=0.0))
    return float(np.quantile(largest, CONFIDENCE))
