"""Published values to four decimals, and what must hold of any coefficient."""

import math
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.quality.agreement import (
    Estimate,
    Metric,
    Ratings,
    Weights,
    cohen_kappa,
    gwet,
    gwet_with_others,
    krippendorff,
)
from tests.annotation.statistics import evaluation_data

_ = None
RAW4RATERS = [
    [1, 1, _, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [_, 5, 5, 5],
    [_, _, 1, 1],
    [_, _, 3, _],
]
"""12 subjects x 4 raters: example C of Krippendorff 2011 (Computing Krippendorff's Alpha-Reliability); `cac.raw4raters`
of the R package irrCAC, whose vignette `overview` prints the table and AC1, and of Gwet 2014."""
SCALE = (1.0, 2.0, 3.0, 4.0, 5.0)


def ratings(rows: list[list[int | None]], scale: tuple[float, ...] = SCALE) -> Ratings:
    places = [(unit, scale.index(value)) for unit, row in enumerate(rows) for value in row if value is not None]
    units, points = np.array(places, np.int64).reshape(-1, 2).T
    return Ratings.of(units, points, scale)


@pytest.mark.parametrize(
    ("kind", "value"), [("identity", 0.775444), ("linear", 0.858739), ("quadratic", 0.914001), ("ordinal", 0.898940)]
)
def test_gwet_as_published(kind: Weights, value: float) -> None:
    assert gwet(ratings(RAW4RATERS), kind).value == pytest.approx(value, abs=5e-7)


def test_the_error_and_interval_of_ac1_as_published() -> None:
    estimate = gwet(ratings(RAW4RATERS))
    assert estimate.error == pytest.approx(0.142950, abs=5e-6)
    assert estimate.low == pytest.approx(0.4608, abs=5e-5)
    assert estimate.high == 1
    assert estimate.units == 11


@pytest.mark.parametrize(
    ("metric", "value"), [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107), ("ratio", 0.797403)]
)
def test_krippendorff_as_published(metric: Metric, value: float) -> None:
    assert krippendorff(ratings(RAW4RATERS), metric).value == pytest.approx(value, abs=5e-7)


def test_the_error_of_alpha_is_near_that_of_the_linear_approximation() -> None:
    estimate = krippendorff(ratings(RAW4RATERS))
    assert estimate.error == pytest.approx(0.14548, abs=0.001)  # irrCAC's vignette: 0.14548, (0.423, 1)
    assert estimate.low == pytest.approx(0.423, abs=0.01)
    assert estimate.high == 1


def test_the_error_of_alpha_is_that_of_leaving_out_each_unit() -> None:
    rows = RAW4RATERS[:11]
    left = np.array([krippendorff(ratings(rows[:n] + rows[n + 1 :]), "ordinal").value for n in range(11)], float)
    error = math.sqrt(10 / 11 * ((left - left.mean()) ** 2).sum())
    assert krippendorff(ratings(rows), "ordinal").error == pytest.approx(error)


def test_cohen_s_kappa_with_its_error_as_published() -> None:
    """The example of Fleiss, Cohen and Everitt 1969: 200 units on 3 points. statsmodels gives the same error."""
    table = np.array([[106, 10, 4], [22, 28, 10], [2, 12, 6]])
    one, other = (np.repeat(index.ravel(), table.ravel()) for index in np.indices((3, 3)))
    found = cohen_kappa(one, other, 3)
    assert found.value == pytest.approx(0.429, abs=5e-4)
    assert found.error == pytest.approx(0.05371, abs=5e-6)


@pytest.mark.parametrize(("one", "other", "kappa"), [("1", "2", 0.852), ("1", "3", 0.879), ("2", "3", 0.862)])
def test_the_kappas_of_pandalm_s_raters(shared: Path, one: str, other: str, kappa: float) -> None:
    raters = evaluation_data.table(shared, "pandalm_raters")
    found = cohen_kappa(*(np.array(raters[f"annotator{name}"], np.int64) for name in (one, other)), 3)
    assert found.value == pytest.approx(kappa, abs=5e-4)


def test_the_kappas_of_xstest_s_raters(shared: Path) -> None:
    """As published, .892 to .970 over the models."""
    found = []
    for model in ("gpt4", "llama2orig", "mistralguard"):
        labels = evaluation_data.table(shared, f"xstest_{model}")
        points = [np.array([int(label[0]) - 1 for label in labels[f"annotation_{n}"]], np.int64) for n in (1, 2)]
        found.append(cohen_kappa(*points, 3).value)
    assert (min(found), max(found)) == pytest.approx((0.892, 0.970), abs=5e-4)


def test_an_unused_point_of_the_scale_counts() -> None:
    wider = gwet(ratings(RAW4RATERS, (*SCALE, 6.0)), "linear").value
    assert wider is not None
    assert wider != pytest.approx(0.858739, abs=1e-3)


def test_the_agreement_of_one_with_one_other_is_ac1_of_two_raters() -> None:
    one, other = np.array([0, 0, 1, 1, 0, 1, 0]), np.array([0, 1, 1, 1, 0, 0, 0])
    both = Ratings.of(np.tile(np.arange(7), 2), np.concatenate([one, other]), (0, 1))
    found, expected = gwet_with_others(one, np.eye(2, dtype=np.int64)[other]), gwet(both)
    assert (found.value, found.error) == (pytest.approx(expected.value), pytest.approx(expected.error))
    assert found.value == pytest.approx(((5 / 7) - 2 * (6 / 14) * (8 / 14)) / (1 - 2 * (6 / 14) * (8 / 14)))


def test_the_agreement_of_one_with_two_others() -> None:
    found = gwet_with_others(np.array([0, 0, 1]), np.array([[2, 0], [1, 1], [2, 0]]))
    observed, second = (1 + 1 / 2 + 0) / 3, ((0 + 0) / 2 + (0 + 1 / 2) / 2 + (1 + 0) / 2) / 3
    chance = 2 * second * (1 - second)
    assert found.value == pytest.approx((observed - chance) / (1 - chance))
    assert found.units == 3


def test_what_is_not_defined_is_none() -> None:
    nothing = Estimate(None, None, None, None, 0)
    assert gwet(ratings([])) == krippendorff(ratings([])) == nothing
    assert gwet(ratings([[1], [2]])) == krippendorff(ratings([[1], [2]])) == nothing
    assert gwet(ratings([[1, 1]])) == Estimate(1.0, None, None, None, 1)
    assert krippendorff(ratings([[1, 1], [1, 1]])) == Estimate(None, None, None, None, 2)
    assert gwet(ratings([[1, 1], [1, 1]])).value == 1


ROWS = st.lists(st.lists(st.integers(1, 5), max_size=5), min_size=1, max_size=12)
KINDS = st.sampled_from(["identity", "linear", "quadratic", "ordinal"])
METRICS = st.sampled_from(["nominal", "ordinal", "interval", "ratio"])


@given(ROWS, KINDS, METRICS, st.randoms(use_true_random=False))
def test_order_never_matters(rows: list[list[int | None]], kind: Weights, metric: Metric, draw: object) -> None:
    other = [sorted(row, key=str, reverse=True) for row in reversed(rows)]
    for one, two in (
        (gwet(ratings(rows), kind), gwet(ratings(other), kind)),
        (krippendorff(ratings(rows), metric), krippendorff(ratings(other), metric)),
    ):
        assert one.units == two.units
        assert _close(one.value, two.value)
        assert _close(one.error, two.error)


@given(ROWS, KINDS)
def test_the_reversed_scale_gives_the_same_ac(rows: list[list[int]], kind: Weights) -> None:
    one, two = gwet(ratings(rows), kind), gwet(ratings([[6 - value for value in row] for row in rows]), kind)
    assert _close(one.value, two.value)
    assert _close(one.low, two.low)
    assert one.value is None or one.value <= 1


def _close(one: float | None, two: float | None) -> bool:
    return one is two if one is None or two is None else math.isclose(one, two, abs_tol=1e-9)


def test_a_hundred_thousand_pairs_take_no_time() -> None:
    draw = np.random.default_rng(0)
    unit = np.repeat(np.arange(100_000), 3)
    point = draw.integers(0, 8, 300_000)
    started = time.process_time()
    made = Ratings.of(unit, point, tuple(range(8)))
    gwet(made, "ordinal"), krippendorff(made, "ordinal")
    assert time.process_time() - started < 1
