"""A share with its confidence interval."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from scipy.special import betaincinv

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


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


def wilson(count: float, total: float, critical: float = _Z) -> tuple[float, float]:
    """The 95% interval of a share by Wilson's score method, without continuity correction (Newcombe 1998, method 3).

    ``total``, more than 0, may be an effective number of votes. ``critical`` may be a quantile of Student's t, for a
    share whose error is estimated from few clusters (Franco, Little, Louis and Slud 2019, section 2).

    >>> [round(bound, 4) for bound in wilson(81, 263)]
    [0.2553, 0.3662]
    """
    share, z2 = count / total, critical * critical
    centre = share + z2 / (2 * total)
    reach = critical * math.sqrt((share * (1 - share) + z2 / (4 * total)) / total)
    low, high = ((centre + side * reach) / (1 + z2 / total) for side in (-1, 1))
    return (0.0 if count == 0 else low, 1.0 if count == total else high)


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
