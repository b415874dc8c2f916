"""A share with its confidence interval."""

import math
from dataclasses import dataclass
from statistics import NormalDist

_Z = NormalDist().inv_cdf(0.975)


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


def wilson(count: int, total: int) -> tuple[float, float]:
    """The 95% interval of a share by Wilson's score method, without continuity correction (Newcombe 1998, method 3).

    >>> [round(bound, 4) for bound in wilson(81, 263)]
    [0.2553, 0.3662]
    """
    share, z2 = count / total, _Z * _Z
    centre = share + z2 / (2 * total)
    reach = _Z * math.sqrt((share * (1 - share) + z2 / (4 * total)) / total)
    low, high = ((centre + side * reach) / (1 + z2 / total) for side in (-1, 1))
    return (0.0 if count == 0 else low, 1.0 if count == total else high)
