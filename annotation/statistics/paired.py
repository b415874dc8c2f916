"""The difference of two win rates, shares or means on the same prompts, using the pairing."""

import math
from dataclasses import dataclass

import numpy as np

from annotation.statistics.clusters import Interval, Ratio, Spread, interval, spread


@dataclass(frozen=True)
class Difference:
    """``value`` is the first estimate minus the second, from -1 to 1, with its 95% interval.

    ``error`` is the clustered standard error, ``unpaired_error`` the error as if both had been measured on different
    prompts by different raters. ``shared_prompts`` counts the prompts on which both have votes. All but counts are None
    if either has no vote.
    """

    value: float | None
    low: float | None
    high: float | None
    error: float | None
    unpaired_error: float | None
    method: str
    clustered: str
    first: Interval
    second: Interval
    shared_prompts: int


def difference(first: Ratio, second: Ratio) -> Difference:
    """How much larger a ratio between 0 and 1 is than another one, clustered by the prompts and raters of both.

    Both use the same codes for prompts and raters. Each vote's influence on the difference enters the two-way clustered
    variance, so votes on one prompt, or by one rater, cancel as far as they agree. The bounds join those of the two
    single intervals by their correlation (Zou and Donner 2008, equation 3), so they stay within -1 and 1 and have a
    width where both are 0 or 1.
    """
    one, two = interval(first), interval(second)
    shared = np.intersect1d(first.prompt[first.denominator != 0], second.prompt[second.denominator != 0])
    if one.value is None or two.value is None:
        return Difference(None, None, None, None, None, "no votes", "prompt", one, two, len(shared))
    joint = _joint(first.counted(), second.counted())
    unpaired = _error(one) ** 2 + _error(two) ** 2
    product = _error(one) * _error(two)
    correlation = max(-1.0, min(1.0, (unpaired - joint.variance) / (2 * product))) if product else 0.0
    (below_one, above_one), (below_two, above_two) = _reach(one), _reach(two)
    value = one.value - two.value
    return Difference(
        value=value,
        low=value - _joined(below_one, above_two, correlation),
        high=value + _joined(above_one, below_two, correlation),
        error=math.sqrt(joint.variance),
        unpaired_error=math.sqrt(unpaired),
        method=f"both intervals joined at a correlation of {correlation:.2f} ({one.method}; {two.method})",
        clustered=joint.clustered,
        first=one,
        second=two,
        shared_prompts=len(shared),
    )


def _joint(first: Ratio, second: Ratio) -> Spread:
    """The clustered variance of the difference."""
    influence = np.concatenate([first.influence, -second.influence])
    weight = np.concatenate([each.denominator / each.denominator.sum() for each in (first, second)])
    rater = None
    if first.rater is not None and second.rater is not None:
        rater = np.concatenate([first.rater, second.rater])
    return spread(influence, weight, np.concatenate([first.prompt, second.prompt]), rater)


def _joined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 + other**2 - 2 * correlation * one * other))


def _error(estimate: Interval) -> float:
    return estimate.error or 0.0


def _reach(estimate: Interval) -> tuple[float, float]:
    """How far the bounds lie below and above the estimate."""
    value, low, high = (each or 0.0 for each in (estimate.value, estimate.low, estimate.high))
    return value - low, high - value
