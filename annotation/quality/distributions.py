"""What the intervals and tests need of probability, exact to about ten digits, in plain arithmetic."""

import math
from functools import cache

_TINY = 1e-300
_STEPS = 200_000


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for a, b > 0 and x in 0 to 1 (DLMF 8.17.22).

    >>> round(incomplete_beta(2, 3, 0.4), 12)
    0.5248
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    scale = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(scale) / a * _continued_fraction(a, b, x)


def _continued_fraction(a: float, b: float, x: float) -> float:
    """By Lentz's algorithm; about the square root of max(a, b) steps."""
    c, d = 1.0, 1 / (_away(1 - (a + b) * x / (a + 1)))
    value = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        before = value
        for term in (even, odd):
            d = 1 / _away(1 + term * d)
            c = _away(1 + term / c)
            value *= c * d
        if abs(value - before) <= 1e-16 * abs(value):
            return value
    raise ArithmeticError(f"the incomplete beta function of {a}, {b}, {x} does not converge")


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


@cache
def student_t(confidence: float, degrees: int) -> float:
    """The t with ``confidence`` (0 to 1) of Student's distribution between -t and t.

    >>> round(student_t(0.95, 11), 6), round(student_t(0.95, 1), 4)
    (2.200985, 12.7062)
    """
    low, high = 0.0, 1.0
    while _outside(high, degrees) > 1 - confidence:
        low, high = high, 2 * high
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _outside(middle, degrees) > 1 - confidence else (low, middle)
    return high


def _outside(t: float, degrees: int) -> float:
    return incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t))


def fair_coin(heads: int, tosses: int) -> float:
    """The p-value of the exact two-sided binomial test that heads and tails are equally likely; 1 without tosses.

    >>> fair_coin(1, 6), fair_coin(3, 6), fair_coin(0, 0)
    (0.21875, 1.0, 1.0)
    """
    fewer = min(heads, tosses - heads)
    if 2 * fewer == tosses:
        return 1.0
    if tosses <= 1000:
        return 2 * sum(math.comb(tosses, k) for k in range(fewer + 1)) / (1 << tosses)
    return min(1.0, 2 * incomplete_beta(tosses - fewer, fewer + 1, 0.5))
