"""A share with its confidence interval."""

from dataclasses import dataclass

from scipy.special import betaincinv

from schemas.intervals import CONFIDENCE, wilson


@dataclass(frozen=True)
class Share:
    """``count`` of ``total``. ``value`` and the 95% ``interval`` are from 0 to 1, and None if ``total`` is 0."""

    count: int
    total: int

    @property
    def value(self) -> float | None:
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.count, self.total) if self.total else None


def clopper_pearson(count: float, total: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact interval of a share (Clopper and Pearson 1934): it covers the true share at least that often.

    ``total``, more than 0, may be an effective number of votes (Korn and Graubard 1998). The bound at a share of 0 is
    exactly 0, and at a share of 1 exactly 1.

    >>> [round(bound, 4) for bound in clopper_pearson(10, 10)]
    [0.6915, 1.0]
    """
    tail = (1 - confidence) / 2
    low = float(betaincinv(count, total - count + 1, tail)) if count > 0 else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return low, high
