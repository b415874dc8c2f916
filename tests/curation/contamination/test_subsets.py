"""Z of the four subsets is that of Table 51 of Llama 2 (arXiv 2307.09288v2)."""

from itertools import product

import numpy as np
import pytest

from curation.contamination.subsets import is_evident, members, subsets, z_score

TABLE = {
    "HellaSwag 70B": (
        (7391, 80.0, 82.5, -5.73),
        (2651, 89.5, 82.4, 9.56),
        (9194, 81.6, 82.5, -2.27),
        (848, 92.2, 82.5, 7.42),
    ),
    "HellaSwag 7B": (
        (7391, 70.5, 73.3, -5.46),
        (2651, 81.3, 73.4, 9.17),
        (9194, 72.4, 73.4, -2.06),
        (848, 83.7, 73.3, 6.84),
    ),
    "MMLU-Humanities 70B": (
        (3996, 62.2, 65.3, -4.08),
        (709, 82.7, 65.3, 9.71),
        (4185, 62.7, 65.3, -3.50),
        (520, 85.8, 65.3, 9.80),
    ),
    "MMLU-Humanities 7B": (
        (3996, 40.8, 42.9, -2.75),
        (709, 54.9, 42.8, 6.50),
        (4185, 41.1, 42.9, -2.25),
        (520, 56.9, 42.8, 6.49),
    ),
    "MMLU-Overall 70B": (
        (11862, 68.0, 68.9, -2.00),
        (2180, 73.5, 68.9, 4.64),
        (12506, 67.7, 68.9, -2.75),
        (1536, 78.2, 68.9, 7.87),
    ),
}
"""(samples, mean, mean by chance, Z) of clean, not clean, not dirty and dirty, in per cent."""
ROUNDING = 0.05
CASES = [(name, *row) for name, rows in TABLE.items() for row in rows]


@pytest.mark.parametrize(("name", "samples", "mean", "chance", "published"), CASES)
def test_z_is_as_published(name: str, samples: int, mean: float, chance: float, published: float) -> None:
    """Within what the rounding of both means to a tenth of a per cent allows."""
    found = []
    for own, other in product((mean - ROUNDING, mean + ROUNDING), (chance - ROUNDING, chance + ROUNDING)):
        expected = other / 100
        found.append(z_score(own / 100, expected, expected * (1 - expected), samples))
    assert min(found) - 0.005 <= published <= max(found) + 0.005
    middle = z_score(mean / 100, chance / 100, chance / 100 * (1 - chance / 100), samples)
    assert middle == pytest.approx(published, abs=0.15)


@pytest.mark.parametrize("rows", TABLE.values(), ids=TABLE)
def test_scores_of_each_sample_give_the_table(rows: tuple[tuple[int, float, float, float], ...]) -> None:
    """Scores of 0 and 1 and shares of contamination that have the published counts and means."""
    clean, not_clean, _, dirty = rows
    between = not_clean[0] - dirty[0]
    right = [round(size * mean / 100) for size, mean in (clean[:2], dirty[:2])]
    middle = round(not_clean[0] * not_clean[1] / 100) - right[1]
    scores = np.concatenate([_ones(clean[0], right[0]), _ones(between, middle), _ones(dirty[0], right[1])])
    shares = np.repeat([0.05, 0.5, 0.95], [clean[0], between, dirty[0]])
    found = subsets(shares, scores)
    assert [each.samples for each in found] == [row[0] for row in rows]
    for each, (_, mean, chance, published) in zip(found, rows, strict=True):
        assert each.mean is not None
        assert each.expected is not None
        assert each.mean * 100 == pytest.approx(mean, abs=0.11)
        assert each.expected * 100 == pytest.approx(chance, abs=0.16)  # the published means by chance differ by 0.1
        assert each.z == pytest.approx(published, abs=0.2)
    assert is_evident(found) is all(abs(each.z or 0) > 2 for each in found)


def _ones(size: int, ones: int) -> np.ndarray:
    return (np.arange(size) < ones).astype(np.float64)


def test_the_subsets_part_at_a_fifth_and_four_fifths() -> None:
    found = members(np.array([0.0, 0.199, 0.2, 0.799, 0.8, 1.0]))
    assert {name: chosen.nonzero()[0].tolist() for name, chosen in found.items()} == {
        "clean": [0, 1],
        "not clean": [2, 3, 4, 5],
        "not dirty": [0, 1, 2, 3],
        "dirty": [4, 5],
    }


def test_an_empty_subset_and_equal_scores_are_no_evidence() -> None:
    found = subsets(np.zeros(3), np.array([0.0, 1.0, 1.0]))
    assert [(each.samples, each.z is None) for each in found] == [(3, False), (0, True), (3, False), (0, True)]
    assert is_evident(found) is False
    assert [each.z for each in subsets(np.array([0.0, 0.5, 0.9]), np.ones(3))] == [None] * 4
    assert is_evident(subsets(np.zeros(3), None)) is None
