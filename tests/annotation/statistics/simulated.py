"""Simulated raters with a known true win rate."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from annotation.statistics.clusters import Interval, Ratio

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Study:
    """Prompts with ``fewest`` to ``most`` votes each, by different raters of one pool, drawn at random.

    A vote is a win if a normal variable with the effects of its prompt and its rater exceeds a threshold; the standard
    deviation of the rest is 1. The threshold makes ``rate`` the share of wins among all prompts and raters.
    """

    prompts: int
    raters: int
    rate: float
    prompt_effect: float = 0.6
    rater_effect: float = 0.3
    fewest: int = 2
    most: int = 3

    def votes(self, draw: np.random.Generator) -> Ratio:
        most = min(self.most, self.raters)
        given = draw.integers(min(self.fewest, most), most + 1, self.prompts)
        order = np.argsort(draw.random((self.prompts, self.raters)), axis=1)[:, :most]
        asked = np.arange(most)[None, :] < given[:, None]
        prompt, rater = np.nonzero(asked)[0], order[asked]
        spread = np.sqrt(1 + self.prompt_effect**2 + self.rater_effect**2)
        latent = draw.normal(ndtri(self.rate) * spread, 1, len(prompt))
        latent += draw.normal(0, self.prompt_effect, self.prompts)[prompt]
        latent += draw.normal(0, self.rater_effect, self.raters)[rater]
        return Ratio((latent > 0).astype(np.float64), np.ones(len(prompt)), prompt, rater.astype(np.int64))


def coverage(study: Study, estimate: Callable[[Ratio], Interval], rounds: int, seed: int = 0) -> float:
    """The share of simulated studies whose interval contains the true rate."""
    draw = np.random.default_rng(seed)
    found = (estimate(study.votes(draw)) for _ in range(rounds))
    return float(np.mean([covers(each, study.rate) for each in found]))


def covers(interval: Interval, value: float) -> bool:
    return interval.low is not None and interval.high is not None and interval.low <= value <= interval.high
