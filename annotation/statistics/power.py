"""How narrow an interval a campaign will give, before it begins: prompts, raters and votes for a wanted width."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv

from annotation.statistics.clusters import PROMPT_CORRELATION, RATER_CORRELATION, Ratio, Spread, bounded, dense
from annotation.statistics.outcomes import Floats, Ints

MOST_PROMPTS = 1_000_000
MOST_RATERS = 100_000
QUANTILES = 100


@dataclass(frozen=True)
class Components:
    """The variance of one vote's score in parts: between prompts, between raters, and the rest."""

    prompt: float
    rater: float
    rest: float

    @classmethod
    def assumed(cls, rate: float, prompt: float = PROMPT_CORRELATION, rater: float = RATER_CORRELATION) -> "Components":
        """The parts for a win rate without ties, from the correlations of two votes on a prompt, or of one rater."""
        total = rate * (1 - rate)
        return cls(prompt * total, rater * total, (1 - prompt - rater) * total)


@dataclass(frozen=True)
class Plan:
    """What a campaign is expected to give: the standard error of the win rate, and the width of its 95% interval."""

    prompts: int
    raters: int
    votes: int
    error: float
    width: float


def components(ratio: Ratio) -> Components:
    """The parts of the variance, estimated from earlier votes; at least 0.

    The mean product of two residuals on one prompt, or of one rater, less that of two votes that share neither (which
    is below 0, as residuals are taken from an estimated mean). Votes without a rater have no part between raters.
    """
    votes = ratio.counted()
    residual = votes.numerator - votes.value * votes.denominator
    count = len(residual)
    if count < 2:
        return Components(0.0, 0.0, 0.0)
    squares = float((residual**2).sum())
    in_prompt, prompt_pairs = _products(residual, votes.prompt)
    in_rater, rater_pairs = (0.0, 0) if votes.rater is None else _products(residual, votes.rater)
    other_pairs = count * (count - 1) - prompt_pairs - rater_pairs
    other = (-squares - in_prompt - in_rater) / other_pairs if other_pairs > 0 else 0.0
    prompt = max(0.0, in_prompt / prompt_pairs - other) if prompt_pairs else 0.0
    rater = max(0.0, in_rater / rater_pairs - other) if rater_pairs else 0.0
    return Components(prompt, rater, max(0.0, squares / (count - 1) - prompt - rater))


def _products(residual: Floats, cluster: Ints) -> tuple[float, int]:
    """The sum of products of two different residuals in a cluster, over ordered pairs, and the number of pairs."""
    codes = dense(cluster)
    sums, squares, sizes = np.bincount(codes, residual), np.bincount(codes, residual**2), np.bincount(codes)
    return float((sums**2 - squares).sum()), int((sizes * (sizes - 1)).sum())


def plan(rate: float, parts: Components, prompts: int, raters: int, votes_per_prompt: float) -> Plan:
    """The expected error and width of ``clusters.interval`` at a win rate, if raters share the votes evenly.

    Raises ValueError if a prompt needs more votes than there are raters, without two prompts, or for a rate of 0 or 1.
    """
    if not 0 < rate < 1:
        raise ValueError(f"a win rate of {rate:g} has no variance to plan with: take a rate between 0 and 1")
    if votes_per_prompt > raters:
        raise ValueError(f"{votes_per_prompt:g} votes for each prompt need as many raters, not {raters}")
    if prompts < 2:
        raise ValueError("a plan needs two prompts or more")
    votes = round(prompts * votes_per_prompt)
    rest = parts.rest / votes
    by_prompt, by_rater = parts.prompt / prompts + rest, parts.rater / raters
    error = math.sqrt(by_prompt + by_rater)
    if raters < 2:  # a single rater cannot be clustered by
        found, degrees = np.array([by_prompt]), prompts - 1
    else:
        single = (parts.prompt + parts.rater + parts.rest) / votes
        found, degrees = by_prompt + _estimated(by_rater, raters, single), min(prompts, raters) - 1
    return Plan(prompts, raters, votes, error, float(np.mean([_width(rate, each, degrees) for each in found])))


def _estimated(by_rater: float, raters: int, single: float) -> Floats:
    """Quantiles of the raters' part of the variance as it will be estimated from few raters.

    The variance by rater holds the noise of single votes, which is subtracted again; the difference is cut at 0. So the
    mean is larger than ``by_rater``, and the estimate varies from campaign to campaign like a chi-squared variable.
    """
    at = (np.arange(QUANTILES) + 0.5) / QUANTILES
    chi_squared = 2 * gammaincinv((raters - 1) / 2, at)
    estimated: Floats = np.maximum((by_rater + single) * chi_squared / (raters - 1) - single, 0.0)
    return estimated


def _width(rate: float, variance: float, degrees: int) -> float:
    if not variance:
        return 0.0
    low, high, _, _ = bounded(rate, Spread(variance, degrees, ""))
    return high - low


def prompts_needed(width: float, rate: float, parts: Components, raters: int, votes_per_prompt: float) -> int | None:
    """The fewest prompts with which the expected width is at most ``width``; None if more prompts do not suffice.

    Then the raters differ too much: only more raters make the interval narrower.
    """

    def wide(prompts: int) -> bool:
        return plan(rate, parts, prompts, raters, votes_per_prompt).width > width

    return _fewest(wide, MOST_PROMPTS)


def raters_needed(width: float, rate: float, parts: Components) -> int | None:
    """The fewest raters with which many prompts give at most that expected width, or None; one vote on each prompt."""

    def wide(raters: int) -> bool:
        return plan(rate, parts, MOST_PROMPTS, raters, 1).width > width

    return _fewest(wide, MOST_RATERS)


def _fewest(wide: Callable[[int], bool], largest: int) -> int | None:
    """The least number from 2 to ``largest`` for which ``wide`` is false, if it is false from there on."""
    if wide(largest):
        return None
    least, most = 1, 2
    while wide(most):
        least, most = most, min(2 * most, largest)
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if wide(middle) else (least, middle)
    return most
