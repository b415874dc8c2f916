"""Wilson's interval as published, and the exact binomial test against counting."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.quality.distributions import binomial_p, student_t
from annotation.quality.shares import Share, wilson


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1),
    ],
)
def test_wilson_as_published(count: int, total: int, low: float, high: float) -> None:
    assert wilson(count, total) == pytest.approx((low, high), abs=5e-5)  # Newcombe 1998, table I, method 3


def test_a_share_of_nothing_is_unknown() -> None:
    assert (Share(0, 0).value, Share(0, 0).interval) == (None, None)


@pytest.mark.parametrize(
    ("degrees", "t"), [(1, 12.7062), (2, 4.3027), (11, 2.2010), (30, 2.0423), (120, 1.9799), (100_000, 1.9600)]
)
def test_quantiles_of_students_t(degrees: int, t: float) -> None:
    assert student_t(0.95, degrees) == pytest.approx(t, abs=5e-5)


@given(st.integers(0, 1200), st.integers(0, 1200))
def test_the_binomial_test_is_exact(heads: int, tails: int) -> None:
    tosses = heads + tails
    tail = Fraction(sum(comb(tosses, k) for k in range(min(heads, tails) + 1)), 2**tosses)
    assert binomial_p(heads, tosses) == pytest.approx(float(min(Fraction(1), 2 * tail)), rel=1e-9)


def test_the_binomial_test_of_large_counts() -> None:
    assert binomial_p(500_000, 1_000_000) == 1
    p = 6.36093375e-5  # summed term by term from Stirling's value of the central one
    assert binomial_p(498_000, 1_000_000) == binomial_p(502_000, 1_000_000) == pytest.approx(p, rel=1e-7)
    assert binomial_p(0, 1_000_000) == 0
