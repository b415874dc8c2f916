"""Whether a win rate is surely above or below 1/2, by a test that may be repeated after every vote.

A usual interval that is looked at every day excludes the truth sooner or later. This test makes a false decision in at
most 5% of campaigns, however often it is looked at.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from annotation.statistics.distributions import student_t
from annotation.statistics.outcomes import Floats, Ints

Verdict = Literal["above", "below", "open"]
Obstacle = Literal["even", "raters", "no votes"]
"""Why no number of further votes is foreseen: the win rate is too near 1/2, or the raters differ so much from each
other that only more raters can decide, or there is no vote yet."""

FALSE_DECISIONS = 0.05
PRIOR = 12.5
"""The variance of the mixture in squared scores: it makes the test sharpest at about 400 decided votes."""
RATER_CONFIDENCE = 0.99
MOST_VOTES = 1_000_000
GROWTH = 1.02
LARGEST_FACTOR = 1e6


@dataclass(frozen=True)
class Decision:
    """Whether the win rate is ``above`` or ``below`` 1/2, or still ``open``.

    ``evidence`` is the e-value against 1/2; a decision needs 20. ``more_votes`` is about how many more votes an open
    question needs if votes go on as before, by the same raters; None if decided, or with an ``obstacle``.
    """

    verdict: Verdict
    evidence: float
    more_votes: int | None
    obstacle: Obstacle | None


@dataclass(frozen=True)
class _Variance:
    """The variance of the sum of scores, in parts: by prompts, by raters, and how uncertain the raters' part is. The
    raters' part grows with the square of the votes."""

    prompts: float
    raters: float
    uncertain: float

    def grown(self, times: float) -> float:
        """The variance with so many times the votes."""
        return (self.prompts + self.uncertain) * times + self.raters * times**2


def decide(score: Floats, prompt: Ints, rater: Ints | None = None) -> Decision:
    """The decision after the votes so far, whose scores are 1 (win), 1/2 (tie) and 0 (loss).

    The test is self-normalised: exp(a S - a² V / 2) with the sum S of scores less 1/2 and V the sum of its squares by
    prompt is a supermartingale for every a if wins and losses are equally likely (de la Peña 1999, theorem 6.1), and so
    is its mixture over a normal prior of a; it exceeds 20 with probability 1/20 at most (Ville 1939). V also holds the
    variance of raters, with the factor of Student's t for few raters: without it, raters who favour one model would
    decide. That part is approximate. Votes on one prompt should be complete, or few.
    """
    if not len(score):
        return Decision("open", 1.0, None, "no votes")
    sums: Floats = np.bincount(prompt, score - 0.5).astype(np.float64)
    total, spread = float(sums.sum()), _variance(score, sums, rater)
    evidence = _evidence(total, spread.grown(1))
    if evidence >= math.log(1 / FALSE_DECISIONS):
        return Decision("above" if total > 0 else "below", math.exp(min(evidence, 700.0)), None, None)
    more = _more(total, spread, len(score))
    obstacle: Obstacle | None = None
    if more is None:
        fixed = _Variance(spread.prompts, 0.0, spread.uncertain)
        obstacle = "even" if _more(total, fixed, len(score)) is None else "raters"
    return Decision("open", math.exp(evidence), more, obstacle)


def _variance(score: Floats, sums: Floats, rater: Ints | None) -> _Variance:
    prompts = float((sums**2).sum())
    codes = None if rater is None else np.unique(rater, return_inverse=True)[1]
    if codes is None or not codes.max(initial=0):
        return _Variance(prompts, 0.0, 0.0)
    votes, mean = np.bincount(codes), float(score.mean())
    share = votes / len(codes)
    squares = float((share**2).sum())
    short = 1 - 2 * float((share**3).sum()) / squares + squares  # as in clusters
    raters = max(1 / squares, 1.0)
    factor = student_t(RATER_CONFIDENCE, max(raters - 1, 0.1)) / student_t(RATER_CONFIDENCE, 1e9)
    factor = min(factor, LARGEST_FACTOR) ** 2
    within = float((score**2).sum()) - len(score) * mean**2
    excess = float(((np.bincount(codes, score) - mean * votes) ** 2).sum()) / short - within
    uncertain = within * math.sqrt(2 / max(raters - 1, 0.1))
    if excess < 0:
        return _Variance(prompts, 0.0, factor * max(0.0, uncertain + excess))
    return _Variance(prompts, factor * excess, factor * uncertain)


def _evidence(total: float, variance: float) -> float:
    """The logarithm of the mixture's e-value."""
    return total**2 / (2 * (variance + PRIOR)) - math.log1p(variance / PRIOR) / 2


def _more(total: float, spread: _Variance, votes: int) -> int | None:
    """How many more votes decide if the sum grows as it did; None if MOST_VOTES do not."""
    times = 1.0
    while times * votes <= MOST_VOTES:
        if _evidence(total * times, spread.grown(times)) >= math.log(1 / FALSE_DECISIONS):
            return max(1, round((times - 1) * votes))
        times *= GROWTH
    return None
