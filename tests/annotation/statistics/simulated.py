"""Simulated raters with a known true win rate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from annotation.statistics.anytime import decide
from annotation.statistics.clusters import Interval, Ratio, interval
from annotation.statistics.power import Components

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
        [votes] = self._drawn(draw, (self.rate,))
        return votes

    def both(self, draw: np.random.Generator, other_rate: float) -> list[Ratio]:
        """Two models' votes by the same raters on the same prompts, whose effects have a correlation of 0.8."""
        return self._drawn(draw, (self.rate, other_rate))

    def _drawn(self, draw: np.random.Generator, rates: Sequence[float]) -> list[Ratio]:
        most = min(self.most, self.raters)
        given = draw.integers(min(self.fewest, most), most + 1, self.prompts)
        order = np.argsort(draw.random((self.prompts, self.raters)), axis=1)[:, :most]
        asked = np.arange(most)[None, :] < given[:, None]
        prompt, rater = np.nonzero(asked)[0], order[asked].astype(np.int64)
        spread = np.sqrt(1 + self.prompt_effect**2 + self.rater_effect**2)
        prompts = _correlated(draw, self.prompt_effect, self.prompts, len(rates))
        raters = _correlated(draw, self.rater_effect, self.raters, len(rates))
        found = []
        for rate, of_prompt, of_rater in zip(rates, prompts, raters, strict=True):
            latent = draw.normal(ndtri(rate) * spread, 1, len(prompt)) + of_prompt[prompt] + of_rater[rater]
            found.append(Ratio((latent > 0).astype(np.float64), np.ones(len(prompt)), prompt, rater))
        return found


def true_components(study: Study) -> Components:
    """The parts of the variance of a vote, by integration over the normal effect of a prompt, or of a rater."""
    at, weight = np.polynomial.hermite_e.hermegauss(60)
    total = np.sqrt(1 + study.prompt_effect**2 + study.rater_effect**2)

    def between(effect: float) -> float:
        rates = ndtr((ndtri(study.rate) * total + effect * at) / np.sqrt(total**2 - effect**2))
        return float(weight @ rates**2 / weight.sum() - study.rate**2)

    prompt, rater = between(study.prompt_effect), between(study.rater_effect)
    return Components(prompt, rater, study.rate * (1 - study.rate) - prompt - rater)


def _correlated(draw: np.random.Generator, deviation: float, size: int, models: int) -> list[Floats]:
    """Normal effects for each model, with a correlation of 0.8 between models."""
    shared = draw.normal(0, deviation * np.sqrt(0.8), size)
    return [shared + draw.normal(0, deviation * np.sqrt(0.2), size) for _ in range(models)]


def coverage(study: Study, estimate: Callable[[Ratio], Interval], rounds: int, seed: int = 0) -> float:
    """The share of simulated studies whose interval contains the true rate."""
    draw = np.random.default_rng(seed)
    found = (estimate(study.votes(draw)) for _ in range(rounds))
    return float(np.mean([covers(each, study.rate) for each in found]))


def covers(found: Interval, value: float) -> bool:
    return found.low is not None and found.high is not None and found.low <= value <= found.high


def false_decisions(study: Study, rounds: int, step: int, tied: float = 0.2, seed: int = 0) -> float:
    """The share of campaigns of equal models that are ever decided, looked at after every ``step`` prompts."""
    draw = np.random.default_rng(seed)
    return float(np.mean([_ever_decided(study.votes(draw), step, tied, draw) for _ in range(rounds)]))


def _ever_decided(votes: Ratio, step: int, tied: float, draw: np.random.Generator) -> bool:
    score = np.where(draw.random(len(votes.numerator)) < tied, 0.5, votes.numerator)
    ends = np.flatnonzero(np.diff(votes.prompt, append=-1))[step - 1 :: step] + 1
    rater = votes.rater
    return any(
        decide(score[:end], votes.prompt[:end], None if rater is None else rater[:end]).verdict != "open"
        for end in ends
    )


def mean_width(study: Study, rounds: int, seed: int = 0) -> float:
    """The mean width of the clustered interval over simulated studies."""
    draw = np.random.default_rng(seed)
    found = (interval(study.votes(draw)) for _ in range(rounds))
    return float(np.mean([(each.high or 0.0) - (each.low or 0.0) for each in found]))
