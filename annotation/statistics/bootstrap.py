"""The cluster bootstrap of a ratio, by prompt and by rater, with a fixed seed: a check of ``clusters``."""

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np

from annotation.statistics.clusters import Interval, Ratio, dense, interval, spread
from annotation.statistics.distributions import student_t
from annotation.statistics.outcomes import Floats, Ints
from schemas.intervals import CONFIDENCE

DRAWS = 1000
SEED = 0
CHUNK = 4_000_000
"""Clusters drawn at a time, to bound memory."""


def bootstrap(ratio: Ratio, draws: int = DRAWS) -> Interval:
    """The interval of a ratio between 0 and 1 by the percentiles of a two-way cluster bootstrap.

    Prompts are drawn with replacement, and so are raters. The two deviations from the estimate are added and scaled to
    the variance of ``clusters.spread``, since each holds the noise of single votes (drawing both at once, the
    pigeonhole bootstrap of Owen 2007, counts that noise three times). The scale also holds the ratio of Student's t to
    the normal quantile. Equal votes have the interval of ``clusters.interval``.
    """
    plain = interval(ratio)
    votes = ratio.counted()
    if plain.value is None or not plain.error or plain.method.startswith("Clopper"):
        return plain
    found = spread(votes.influence, votes.denominator, votes.prompt, votes.rater)
    generator = np.random.default_rng(SEED)
    deviation = _deviations(votes, votes.prompt, draws, generator)
    if found.clustered == "prompt and rater" and votes.rater is not None:
        deviation = deviation + _deviations(votes, votes.rater, draws, generator)
    stretch = student_t(CONFIDENCE, max(found.degrees, 0.1)) / NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    scaled = deviation * math.sqrt(found.variance) / float(deviation.std()) * stretch
    low, high = np.quantile(plain.value + scaled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    method = f"cluster bootstrap, {draws} draws"
    return replace(plain, low=max(0.0, float(low)), high=min(1.0, float(high)), method=method)


def _deviations(votes: Ratio, cluster: Ints, draws: int, generator: np.random.Generator) -> Floats:
    """How far the ratio of each draw of clusters lies from the estimate."""
    numerator, denominator = (np.bincount(dense(cluster), part) for part in (votes.numerator, votes.denominator))
    size = len(numerator)
    step = max(1, CHUNK // size)
    found = []
    for start in range(0, draws, step):
        drawn = generator.integers(0, size, (min(step, draws - start), size))
        found.append(numerator[drawn].sum(axis=1) / denominator[drawn].sum(axis=1))
    deviation: Floats = np.concatenate(found) - votes.value
    return deviation
