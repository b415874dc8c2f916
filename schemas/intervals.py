"""The confidence interval of a share, which reports of both packages give."""

import math
from statistics import NormalDist

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


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
