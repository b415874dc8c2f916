"""The human win rate from few human votes and many verdicts of a model judge: prediction-powered inference.

The interval holds however bad the judge is, if the prompts with human votes are a random sample of all prompts
(Angelopoulos, Duchi and Zrnic 2023, PPI++: Efficient Prediction-Powered Inference).
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from annotation.statistics.clusters import Interval, Ratio, Spread, bounded, interval, spread
from annotation.statistics.outcomes import Floats, Ints


@dataclass(frozen=True)
class Labelled:
    """Human votes, and the judge's verdict on the same item, as scores from 0 (loss) to 1 (win).

    ``prompt`` and ``rater`` are codes of 0 or more. ``rater`` is None to cluster by prompt only.
    """

    human: Floats
    judge: Floats
    prompt: Ints
    rater: Ints | None = None

    def sorted(self) -> "Labelled":
        """The same votes, sorted, so that sums are the same bytes in any order of votes."""
        raters = self.prompt if self.rater is None else self.rater
        order = np.lexsort((self.human, self.judge, raters, self.prompt))
        rater = None if self.rater is None else self.rater[order]
        return Labelled(self.human[order], self.judge[order], self.prompt[order], rater)


@dataclass(frozen=True)
class Judged:
    """The judge's scores of items without a human vote. They share no prompt with Labelled."""

    judge: Floats
    prompt: Ints

    def sorted(self) -> "Judged":
        order = np.lexsort((self.judge, self.prompt))
        return Judged(self.judge[order], self.prompt[order])


@dataclass(frozen=True)
class Calibrated:
    """The human win rate from people and judge together (``interval``), and from people's votes alone (``human``).

    ``tuning`` is how much the judge is used (lambda of the paper), from 0 (not at all) to 1. ``worth`` is what the
    judge was worth in votes: so many more human votes of the same kind would give the same error as ``interval`` has.
    """

    interval: Interval
    human: Interval
    tuning: float
    worth: float


def prediction_powered(labelled: Labelled, judged: Judged) -> Calibrated:
    """The human win rate by PPI++ with the tuning that gives the smallest error (section 6 of the paper).

    The human part of the variance is clustered by prompt and rater, the judge's part by prompt. If the judge is no
    help, or nothing is left to estimate an error from, the interval is that of people's votes alone.
    """
    labelled, judged = labelled.sorted(), judged.sorted()
    human = interval(Ratio(labelled.human, np.ones(len(labelled.human)), labelled.prompt, labelled.rater))
    if human.value is None or not len(judged.judge):
        return Calibrated(human, human, 0.0, 0.0)
    tuning = tuned(labelled, judged)
    value = float((labelled.human - tuning * labelled.judge).mean() + tuning * judged.judge.mean())
    found = _spread(labelled, judged, tuning)
    if not tuning or not found.variance or not 0 < value < 1 or not human.error:
        return Calibrated(human, human, 0.0, 0.0)
    low, high, effective, method = bounded(value, found)
    worth = len(labelled.human) * (human.error**2 / found.variance - 1)
    made = replace(
        human,
        value=value,
        low=low,
        high=high,
        error=math.sqrt(found.variance),
        iid_error=_independent(labelled, judged, tuning),
        effective=effective,
        method=f"PPI++, {method}",
    )
    return Calibrated(made, human, tuning, worth)


def tuned(labelled: Labelled, judged: Judged) -> float:
    """The tuning of least variance, cut to 0 and 1 (Angelopoulos, Duchi and Zrnic 2023, example 6.1)."""
    both = np.concatenate([labelled.judge, judged.judge])
    varied = float(both.var(ddof=1)) * (1 + len(labelled.judge) / len(judged.judge))
    together = float(((labelled.human - labelled.human.mean()) * (labelled.judge - labelled.judge.mean())).mean())
    return min(max(together / varied, 0.0), 1.0) if varied else 0.0


def _spread(labelled: Labelled, judged: Judged, tuning: float) -> Spread:
    rectified = labelled.human - tuning * labelled.judge
    ones = np.ones(len(rectified))
    people = spread((rectified - rectified.mean()) / len(rectified), ones, labelled.prompt, labelled.rater)
    moved = tuning * (judged.judge - judged.judge.mean()) / len(judged.judge)
    judge = spread(moved, np.ones(len(moved)), judged.prompt)
    return replace(people, variance=people.variance + judge.variance)


def _independent(labelled: Labelled, judged: Judged, tuning: float) -> float:
    """The standard error as if all votes and verdicts were independent."""
    people = float((labelled.human - tuning * labelled.judge).var()) / len(labelled.human)
    return math.sqrt(people + tuning**2 * float(judged.judge.var()) / len(judged.judge))
