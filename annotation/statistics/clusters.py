"""The interval of a mean, share or win rate whose votes are clustered by prompt and by rater.

Votes on the same prompt are alike, and votes of the same rater are alike. The interval holds for other prompts and
other raters, if both are samples: raters judge many prompts, and a prompt has several raters.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from annotation.statistics.distributions import student_t
from annotation.statistics.outcomes import Floats, Ints
from annotation.statistics.shares import clopper_pearson
from schemas.intervals import CONFIDENCE, wilson

PROMPT_CORRELATION, RATER_CORRELATION = 0.2, 0.08
"""Intraclass correlations of votes on one prompt, and of one rater, that are assumed where all votes are equal and
nothing can be estimated: the medians over the 59 models of the crowd votes llmfao."""

NEGLIGIBLE = 1e-12
"""A clustered variance below this share of the independent one is 0 but for rounding."""
LEAST_DEGREES, LARGEST_T = 0.1, 1e6


@dataclass(frozen=True)
class Ratio:
    """Sums over votes whose ratio is estimated, with an entry for each vote.

    A mean has denominators of 1. A win rate over decided votes has 1 for a win or loss and 0 for a tie. ``prompt`` and
    ``rater`` are codes of 0 or more; ``rater`` is None if the interval shall hold for the same raters only.
    """

    numerator: Floats
    denominator: Floats
    prompt: Ints
    rater: Ints | None = None

    def counted(self) -> "Ratio":
        """The votes whose denominator is not 0, sorted, so that sums are the same bytes in any order of votes."""
        raters = self.prompt if self.rater is None else self.rater
        order = np.lexsort((self.numerator, self.denominator, raters, self.prompt))
        order = order[self.denominator[order] != 0]
        rater = None if self.rater is None else self.rater[order]
        return Ratio(self.numerator[order], self.denominator[order], self.prompt[order], rater)

    @property
    def value(self) -> float:
        return float(self.numerator.sum() / self.denominator.sum())

    @property
    def influence(self) -> Floats:
        """How much each vote moves the ratio, to first order. The sum is 0."""
        total = self.denominator.sum()
        moved: Floats = (self.numerator - self.value * self.denominator) / total
        return moved


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95% interval.

    ``error`` is the clustered standard error, ``iid_error`` the error as if votes were independent (with n - 1); both
    are 0 if all votes are equal. ``method`` names how ``low`` and ``high`` were made, ``clustered`` by what the votes
    were clustered. ``effective`` is the number of independent votes with the same error. All are None without a vote.
    """

    value: float | None
    low: float | None
    high: float | None
    error: float | None
    iid_error: float | None
    effective: float | None
    method: str
    clustered: str
    votes: int
    prompts: int
    raters: int


@dataclass(frozen=True)
class Spread:
    """The variance of an estimate, and the degrees of freedom of that variance."""

    variance: float
    degrees: float
    clustered: str


def spread(influence: Floats, weight: Floats, prompts: Ints, raters: Ints | None = None) -> Spread:
    """The two-way clustered variance of an estimate from the influence of each vote.

    The variances by prompt and by rater are added, that by prompt and rater together is subtracted (Cameron, Gelbach
    and Miller 2011, equation 2.3); the larger one-way variance is the least. Each is corrected for its number of
    clusters, weighted by the votes' ``weight`` in the estimate. Degrees of freedom are those of the dimension with
    fewer clusters (Cameron and Miller 2015, section VI). A single rater cannot be clustered by.
    """
    prompt = dense(prompts)
    by_prompt, effective_prompts = _one_way(influence, weight, prompt)
    rater = None if raters is None else dense(raters)
    if rater is None or rater.max(initial=0) == 0:
        return Spread(by_prompt, effective_prompts - 1, "prompt")
    by_rater, effective_raters = _one_way(influence, weight, rater)
    by_both, _ = _one_way(influence, weight, dense(prompt * (int(rater.max()) + 1) + rater))
    variance = max(by_prompt + by_rater - by_both, by_prompt, by_rater)
    return Spread(variance, min(effective_prompts, effective_raters) - 1, "prompt and rater")


def dense(codes: Ints) -> Ints:
    """The codes' ranks among the distinct codes: from 0 without gaps."""
    ranks: Ints = np.unique(codes, return_inverse=True)[1]
    return ranks


def _one_way(influence: Floats, weight: Floats, cluster: Ints) -> tuple[float, float]:
    """The clustered variance, corrected for few and unequal clusters, and the effective number of clusters.

    If clusters alone differ, the squared sums of residuals fall short of the variance by the factor below, which is
    1 - 1/n for n equal clusters.
    """
    sums = np.bincount(cluster, influence)
    share = np.bincount(cluster, weight) / weight.sum()
    squares = float((share**2).sum())
    short = 1 - 2 * float((share**3).sum()) / squares + squares
    if len(share) < 2:
        return 0.0, 1.0
    return float((sums**2).sum()) / short, 1 / squares


def interval(ratio: Ratio, lowest: float = 0.0, highest: float = 1.0) -> Interval:
    """The estimate of a ratio that lies between ``lowest`` and ``highest``, and its 95% interval.

    Wilson's interval at the effective number of votes, with Student's t (Franco, Little, Louis and Slud 2019). Where
    all votes are equal there is no variance to estimate: then Clopper and Pearson's, at the effective number of votes
    that PROMPT_CORRELATION and RATER_CORRELATION give. A single rater is no sample of raters: votes are then clustered
    by prompt alone.
    """
    votes = ratio.counted()
    if not len(votes.numerator):
        return Interval(None, None, None, None, None, None, "no votes", "prompt", 0, 0, 0)
    width = highest - lowest
    value = (votes.value - lowest) / width
    influence = votes.influence / width
    found = spread(influence, votes.denominator, votes.prompt, votes.rater)
    count = len(votes.numerator)
    iid = math.sqrt(float((influence**2).sum()) * count / max(count - 1, 1))
    if found.variance > NEGLIGIBLE * iid**2:
        low, high, effective, method = bounded(value, found)
    else:
        rater = None if found.clustered == "prompt" else votes.rater
        low, high, effective, method = assumed(value, replace(votes, rater=rater))
    return Interval(
        value=lowest + width * value,
        low=lowest + width * low,
        high=lowest + width * high,
        error=width * math.sqrt(found.variance),
        iid_error=width * iid,
        effective=effective,
        method=method,
        clustered=found.clustered,
        votes=count,
        prompts=len(np.unique(votes.prompt)),
        raters=0 if votes.rater is None else len(np.unique(votes.rater)),
    )


def bounded(value: float, found: Spread) -> tuple[float, float, float, str]:
    """Wilson's bounds for a value between 0 and 1, the effective number of votes, and the name of the method."""
    effective = value * (1 - value) / found.variance
    critical = min(student_t(CONFIDENCE, max(found.degrees, LEAST_DEGREES)), LARGEST_T)
    low, high = wilson(value * effective, effective, critical)
    return low, high, effective, f"Wilson at {effective:.1f} effective votes, t with {found.degrees:.1f} degrees"


def assumed(value: float, votes: Ratio) -> tuple[float, float, float, str]:
    """As ``bounded``, by Clopper and Pearson's interval where no variance can be estimated, at the effective number of
    votes that `assumed_effect` gives."""
    effective = float(votes.denominator.sum()) / assumed_effect(votes.denominator, votes.prompt, votes.rater)
    low, high = clopper_pearson(value * effective, effective)
    return low, high, effective, f"Clopper-Pearson at {effective:.1f} effective votes, from assumed correlations"


def assumed_effect(weight: Floats, prompt: Ints, rater: Ints | None) -> float:
    """Kish's design effect (1965, section 5.4) of weighted votes at the assumed correlations: how many times larger
    their variance is than that of as many independent votes."""
    effect = 1.0
    for cluster, correlation in ((prompt, PROMPT_CORRELATION), (rater, RATER_CORRELATION)):
        if cluster is not None:
            sizes = np.bincount(dense(cluster), weight)
            effect += (float((sizes**2).sum() / sizes.sum()) - 1) * correlation
    return effect
