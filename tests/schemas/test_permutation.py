"""An order holds every row once, differs by seed and epoch, and looks drawn at random."""

import numpy as np
import pytest

from schemas.permutation import Permutation


@pytest.mark.parametrize("seed", [0, 1])
def test_every_row_has_one_position(seed: int) -> None:
    for count in [*range(300), 511, 512, 513, 1 << 16, 100_003]:
        assert np.array_equal(np.sort(Permutation(count, seed)(np.arange(count))), np.arange(count))


@pytest.mark.parametrize("count", [(1 << 32) + 1, 10**15, 1 << 62])
def test_samples_of_large_orders_do_not_meet(count: int) -> None:
    positions = np.unique(np.random.default_rng(count).integers(0, count, 50_000))
    rows = Permutation(count, 7)(positions)
    assert ((rows >= 0) & (rows < count)).all()
    assert len(np.unique(rows)) == len(positions)


def test_orders_differ_by_seed_and_epoch_and_are_repeated() -> None:
    orders = [Permutation(1000, seed, epoch)(np.arange(1000)) for seed in range(5) for epoch in range(5)]
    assert len({order.tobytes() for order in orders}) == 25
    assert np.array_equal(orders[0], Permutation(1000, 0, 0)(np.arange(1000)))
    same = [(one == other).sum() for one in orders for other in orders if one is not other]
    assert np.mean(same) == pytest.approx(1, abs=0.2), "two random orders agree in one place on average"


@pytest.mark.parametrize("count", [10, 64, 1000])
def test_each_row_is_as_likely_at_each_position(count: int) -> None:
    """Chi square over (position, row) of many seeds, cells of equal width; five standard deviations are allowed."""
    cells, seeds = 10, 2000
    rows = np.stack([Permutation(count, seed)(np.arange(count)) for seed in range(seeds)])
    place = np.broadcast_to(np.arange(count) * cells // count, rows.shape)
    seen = np.zeros((cells, cells))
    np.add.at(seen, (place, rows * cells // count), 1)
    edges = np.bincount(np.arange(count) * cells // count)
    expected = seeds * np.outer(edges, edges) / count
    freedom = (cells - 1) ** 2
    assert ((seen - expected) ** 2 / expected).sum() < freedom + 5 * np.sqrt(2 * freedom)


def test_neighbours_are_not_kept_together() -> None:
    count = 100_000
    rows = Permutation(count, 3, 1)(np.arange(count)).astype(float)
    for lag in (1, 2, 256, 1024):
        assert abs(np.corrcoef(rows[lag:], rows[:-lag])[0, 1]) < 5 / np.sqrt(count)
    assert (np.diff(rows) > 0).mean() == pytest.approx(0.5, abs=0.01)


def test_positions_outside_are_refused() -> None:
    with pytest.raises(IndexError, match="0 to 3 of 3"):
        Permutation(3, 0)([0, 3])
    with pytest.raises(ValueError, match=r"between 0 and 2\*\*62"):
        Permutation(-1, 0)
