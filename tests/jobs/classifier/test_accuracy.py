"""ROC-AUC, its intervals, precision and recall equal their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.classifier.accuracy import DELONG, NEWCOMBE, at_threshold, roc_auc
from schemas.intervals import wilson

SCORES = st.lists(st.integers(0, 6).map(float), min_size=2, max_size=12).map(np.array)


@settings(max_examples=60, deadline=None)
@given(SCORES, SCORES)
def test_the_area_is_the_share_of_pairs_in_order(positive: np.ndarray, negative: np.ndarray) -> None:
    """By the pairs themselves, and DeLong's variance by its formula over pairs."""
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    found = roc_auc(positive, negative)
    assert found.value == pytest.approx(wins.mean())
    assert 0 <= found.low <= found.value <= found.high <= 1
    variance = wins.mean(axis=1).var(ddof=1) / len(positive) + wins.mean(axis=0).var(ddof=1) / len(negative)
    if found.method == DELONG:
        spread = np.log(found.high / (1 - found.high)) - np.log(found.low / (1 - found.low))
        assert spread / 2 == pytest.approx(1.959964 * np.sqrt(variance) / (found.value * (1 - found.value)), rel=1e-5)
    else:
        assert found.method == NEWCOMBE
        assert found.low < found.high


@pytest.mark.soak
@pytest.mark.parametrize("shift", [0.0, 0.8, 1.8])
def test_the_interval_covers_the_true_area(shift: float) -> None:
    """In 1,000 draws of 40 and 60 normal scores the interval holds the true area in about 95%."""
    from scipy.stats import norm

    random, true = np.random.default_rng(5), norm.cdf(shift / np.sqrt(2))
    intervals = [roc_auc(random.normal(shift, 1, 40), random.normal(0, 1, 60)) for _ in range(1000)]
    assert 0.925 < np.mean([found.low <= true <= found.high for found in intervals]) < 0.975


def test_precision_and_recall_are_shares_with_wilsons_intervals() -> None:
    found = at_threshold(np.array([0.1, 0.5, 0.9]), np.array([0.2, 0.6]), 0.5)
    assert (found.precision, found.recall) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found.precision_interval == found.recall_interval == wilson(2, 3)
    assert at_threshold(np.array([0.1]), np.array([0.2]), 0.5).precision is None
