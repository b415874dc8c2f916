"""How much a mixture takes: Llama 2's two mixes by hand, and laws for any other."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.mixture import Part, mixture


def test_the_mixes_of_llama_2() -> None:
    """3.2.2: all helpfulness data with an equal part of the rest; safety data mixed 90 to 10 with helpfulness."""
    helpful = [Part(name="helpfulness", size=1_000, share=0.5, all=True), Part(name="rest", size=5_000, share=0.5)]
    assert [each.taken for each in mixture(helpful)] == [1_000, 1_000]
    safe = [Part(name="safety", size=900, share=0.9, all=True), Part(name="helpfulness", size=1_000, share=0.1)]
    assert [each.taken for each in mixture(safe)] == [900, 100]


def test_a_source_that_is_too_small_gives_what_it_has() -> None:
    own, rest = mixture([Part(name="own", size=100, share=1, all=True), Part(name="rest", size=40, share=1)])
    assert (own.taken, rest.asked, rest.taken, rest.short, rest.epochs) == (100, 100, 40, True, 1.0)
    assert own.share == 100 / 140


def test_without_a_size_no_source_is_short() -> None:
    found = mixture([Part(name="a", size=10, share=0.8, max_epochs=2), Part(name="b", size=1_000, share=0.2)])
    assert [(each.taken, each.epochs, each.short) for each in found] == [(20, 2.0, False), (5, 0.005, False)]


PARTS = st.lists(
    st.builds(
        Part,
        name=st.uuids().map(str),
        size=st.integers(1, 10_000),
        share=st.floats(0.001, 1_000),
        max_epochs=st.floats(0.01, 8),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda part: part.name,
)


@given(PARTS, st.integers(1, 100_000))
def test_asked_adds_up_and_taken_stays_below_the_cap(parts: list[Part], total: int) -> None:
    found = mixture(parts, total)
    assert sum(each.asked for each in found) == total
    whole = sum(part.share for part in parts)
    for part, each in zip(parts, found, strict=True):
        assert abs(each.asked - part.share / whole * total) <= 1 + 1e-6 * total
        assert each.taken <= each.asked
        assert each.taken <= part.size * part.max_epochs
        assert each.short or each.taken == each.asked
    assert sum(each.share for each in found) == pytest.approx(1 if any(each.taken for each in found) else 0)


@given(PARTS)
def test_the_largest_mixture_without_a_short_source(parts: list[Part]) -> None:
    """Some source has its cap there: where the mixture is larger by a little of it, that source is short."""
    found = mixture(parts)
    assert all(each.taken >= each.asked - 1 for each in found)
    whole = sum(Fraction(part.share) for part in parts)
    steps = [math.ceil(2 * whole / Fraction(part.share)) for part in parts]
    total = sum(each.asked for each in found) + 1
    grown = [mixture(parts, total + step) for step in steps]
    assert any(found[place].short for place, found in enumerate(grown))


@pytest.mark.parametrize(
    ("parts", "total", "said"),
    [
        ([], None, "needs a source"),
        ([Part(name="a", size=1, share=1)] * 2, None, "two sources are named a"),
        ([Part(name="a", size=0, share=1)], None, "a is empty: leave it out"),
        ([Part(name="a", size=1, share=0)], None, "the share of a is 0"),
        ([Part(name="a", size=1, share=float("nan"))], None, "the share of a is nan"),
        ([Part(name="a", size=1, share=1, max_epochs=-1)], None, "max_epochs of a is -1"),
        ([Part(name="a", size=1, share=1, max_epochs=0.5, all=True)], None, "max_epochs below 1"),
        ([Part(name=n, size=1, share=1, all=True) for n in "ab"], None, "a and b both have all = true"),
        ([Part(name="a", size=1, share=1, all=True)], 5, "exclude each other"),
        ([Part(name="a", size=1, share=1)], 0, "the size of the mixture is 0"),
    ],
)
def test_what_no_mixture_can_be_made_of_is_said(parts: list[Part], total: int | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        mixture(parts, total)
