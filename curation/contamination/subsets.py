"""Whether contamination moves a score: the mean of four subsets of a benchmark's samples against the mean of all, as in
Llama 2 (Touvron et al. 2023, appendix A.6, Table 51)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CLEAN, DIRTY = 0.2, 0.8
"""A sample is clean below CLEAN, and dirty from DIRTY, of contaminated tokens."""
EVIDENCE = 2.0
"""A subset's mean differs from chance if its Z is further from 0."""
SUBSETS = ("clean", "not clean", "not dirty", "dirty")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Subset:
    """A subset of the samples: the mean share of contaminated tokens, the number of samples, their mean score, the mean
    that chance gives, and Z. Values that are not defined are None."""

    name: str
    contamination: float | None
    samples: int
    mean: float | None
    expected: float | None
    z: float | None


def members(contamination: Floats) -> Mapping[str, npt.NDArray[np.bool_]]:
    """The samples of each subset, from the share of contaminated tokens of each sample.

    >>> {name: each.tolist() for name, each in members(np.array([0.1, 0.2, 0.8])).items()}["not dirty"]
    [True, True, False]
    """
    return {
        "clean": contamination < CLEAN,
        "not clean": contamination >= CLEAN,
        "not dirty": contamination < DIRTY,
        "dirty": contamination >= DIRTY,
    }


def z_score(mean: float, expected: float, variance: float, samples: int) -> float | None:
    """How many standard deviations the mean score of a subset lies above the mean of all samples.

    ``variance`` is that of one sample's score: for scores of 0 and 1 with mean mu, mu (1 - mu). None if all scores are
    equal.

    >>> round(z_score(0.900, 0.800, 0.16, 400), 6)
    5.0
    """
    deviation = math.sqrt(variance / samples)
    return None if deviation == 0 else (mean - expected) / deviation


def subsets(
    contamination: Floats, scores: Floats | None, groups: Mapping[str, npt.NDArray[np.bool_]] | None = None
) -> list[Subset]:
    """The subsets of a benchmark, from the share of contaminated tokens of each sample and, if given, its score. They
    are the four `members`, or other ``groups``.

    Under chance a subset has the mean of all samples; its standard deviation is that of all scores over the square root
    of the subset's samples.
    """
    found = []
    for name, chosen in (groups or members(contamination)).items():
        size = int(chosen.sum())
        share = float(contamination[chosen].mean()) if size else None
        if scores is None or not size:
            found.append(Subset(name, share, size, None, None, None))
            continue
        mean, expected = float(scores[chosen].mean()), float(scores.mean())
        found.append(Subset(name, share, size, mean, expected, z_score(mean, expected, float(scores.var()), size)))
    return found


def is_evident(found: list[Subset]) -> bool | None:
    """Whether all four subsets are evidence that contamination moves the score. None without scores."""
    if all(each.mean is None for each in found):
        return None
    return all(each.z is not None and abs(each.z) > EVIDENCE for each in found)
