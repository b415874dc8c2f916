"""How well scores tell two sets of documents apart, with 95% intervals."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from annotation.statistics.shares import Share
from schemas.intervals import CONFIDENCE

Floats = npt.NDArray[np.float64]
DELONG = "DeLong, DeLong and Clarke-Pearson 1988, on the logit scale"
NEWCOMBE = "Newcombe 2006, method 5"
_Z = float(norm.ppf((1 + CONFIDENCE) / 2))


@dataclass(frozen=True, kw_only=True)
class RocAuc:
    """The share of pairs (a positive and a negative document) in which the positive one has the higher score, ties
    counted as half, with its 95% interval and the ``method`` of that."""

    value: float
    low: float
    high: float
    method: str


@dataclass(frozen=True, kw_only=True)
class AtThreshold:
    """Precision and recall if documents with a score of at least ``threshold`` are called positive; intervals by
    Wilson's method, None where nothing is called positive."""

    threshold: float
    precision: float | None
    precision_interval: tuple[float, float] | None
    recall: float | None
    recall_interval: tuple[float, float] | None


def roc_auc(positive: Floats, negative: Floats) -> RocAuc:
    """The area under the ROC curve of two sets of scores, each of at least two.

    The variance is DeLong's by midranks (Sun and Xu 2014), its interval is made on the logit scale so that it stays
    between 0 and 1. If every pair is in order, or none, DeLong's variance is 0: then the interval is Newcombe's.

    >>> found = roc_auc(np.array([0.8, 0.9, 0.4]), np.array([0.1, 0.5, 0.3, 0.2]))
    >>> round(found.value, 4), found.low < found.value < found.high
    (0.9167, True)
    """
    of_positive, of_negative = _placements(positive, negative)
    value = float(of_positive.mean())
    variance = float(of_positive.var(ddof=1) / len(positive) + of_negative.var(ddof=1) / len(negative))
    if not 0 < value < 1 or variance == 0:
        low, high = _newcombe(value, len(positive), len(negative))
        return RocAuc(value=value, low=low, high=high, method=NEWCOMBE)
    reach = _Z * math.sqrt(variance) / (value * (1 - value))
    centre = math.log(value / (1 - value))
    low, high = (1 / (1 + math.exp(-(centre + side * reach))) for side in (-1, 1))
    return RocAuc(value=value, low=low, high=high, method=DELONG)


def _placements(positive: Floats, negative: Floats) -> tuple[Floats, Floats]:
    """For each positive score the share of negative scores below it, and for each negative score the share of positive
    scores above it; ties count as half."""
    ranks = rankdata(np.concatenate([positive, negative]))
    of_positive = (ranks[: len(positive)] - rankdata(positive)) / len(negative)
    of_negative = 1 - (ranks[len(positive) :] - rankdata(negative)) / len(positive)
    return of_positive, of_negative


def _newcombe(value: float, positive: int, negative: int) -> tuple[float, float]:
    """The interval of areas from which ``value`` differs by no more than chance, by a variance that assumes
    exponential scores."""

    def differs(area: float) -> bool:
        most = (positive + negative) / 2 - 1
        odds = 1 + most * ((1 - area) / (2 - area) + area / (1 + area))
        return abs(value - area) > _Z * math.sqrt(area * (1 - area) * odds / (positive * negative))

    return _edge(value, 0.0, differs), _edge(value, 1.0, differs)


def _edge(inside: float, outside: float, differs: Callable[[float], bool]) -> float:
    """The bound between an area that does not differ and one that may, by bisection."""
    for _ in range(60):
        middle = (inside + outside) / 2
        if differs(middle):
            outside = middle
        else:
            inside = middle
    return inside


def at_threshold(positive: Floats, negative: Floats, threshold: float) -> AtThreshold:
    """Precision and recall at a threshold."""
    right, wrong = int((positive >= threshold).sum()), int((negative >= threshold).sum())
    precision, recall = Share(right, right + wrong), Share(right, len(positive))
    return AtThreshold(
        threshold=threshold,
        precision=precision.value,
        precision_interval=precision.interval,
        recall=recall.value,
        recall_interval=recall.interval,
    )
