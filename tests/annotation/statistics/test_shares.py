"""Intervals of shares as published, and the exact binomial test against counting."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.statistics.distributions import binomial_p, student_t
from annotation.statistics.shares import Share, clopper_pearson
from schemas.intervals import wilson


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1),
        (10, 10, 0.7225, 1),
        (0, 10, 0, 0.2775),
    ],
)
def test_wilson_as_published(count: int, total: int, low: float, high: float) -> None:
    assert wilson(count, total) == pytest.approx((low, high), abs=5e-5)  # Newcombe 1998, table I, method 3


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_clopper_and_pearson_as_published(count: int, total: int, low: float, high: float) -> None:
    assert clopper_pearson(count, total) == pytest.approx((low, high), abs=5e-5)  # Newcombe 1998, table I, method 5


@given(st.integers(0, 60), st.integers(1, 60))
def test_the_bounds_of_the_exact_interval_are_those_of_the_binomial(count: int, more: int) -> None:
    """At the lower bound, so many or more have probability 0.025; at the upper bound, so many or fewer."""
    total = count + more - (count % 2)
    low, high = clopper_pearson(count, total)
    upper = sum(comb(total, k) * low**k * (1 - low) ** (total - k) for k in range(count, total + 1))
    lower = sum(comb(total, k) * high**k * (1 - high) ** (total - k) for k in range(count + 1))
    assert upper == pytest.approx(1 if count == 0 else 0.025)
    assert lower == pytest.approx(1 if count == total else 0.025)


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_share_of_the_others_has_the_mirrored_interval(count: int, others: int) -> None:
    total = count + others + 1
    for interval in (wilson, clopper_pearson):
        low, high = interval(count, total)
        assert interval(total - count, total) == pytest.approx((1 - high, 1 - low))
        assert 0 <= low <= count / total <= high <= 1


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
