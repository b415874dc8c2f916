"""What the ranks read together, whatever the rows, the ranks and the batch."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.division import Division, Even

ROWS, WORLDS, BATCHES = st.integers(0, 400), st.integers(1, 16), st.integers(1, 9)


def read(rows: int, world: int, batch: int, even: Even) -> list[list[list[int]]]:
    """The positions of each batch of each rank."""
    division = Division(rows=rows, world=world, batch=batch, even=even)
    return [
        [division.positions(rank, step, step + 1).tolist() for step in range(division.batches(rank))]
        for rank in range(world)
    ]


def counted(ranks: list[list[list[int]]]) -> Counter[int]:
    return Counter(position for rank in ranks for batch in rank for position in batch)


@given(ROWS, WORLDS, BATCHES)
def test_none_reads_every_row_once(rows: int, world: int, batch: int) -> None:
    ranks = read(rows, world, batch, "none")
    assert counted(ranks) == Counter(range(rows))
    batches, sizes = [len(rank) for rank in ranks], [sum(map(len, rank)) for rank in ranks]
    assert sorted(batches, reverse=True) == batches
    assert max(batches) - min(batches) <= 1
    assert max(sizes) - min(sizes) <= 1


@given(ROWS, WORLDS, BATCHES)
def test_pad_reads_every_row_and_fewer_than_the_ranks_twice(rows: int, world: int, batch: int) -> None:
    ranks = read(rows, world, batch, "pad")
    assert len({tuple(map(len, rank)) for rank in ranks}) == 1
    assert set(counted(ranks)) == set(range(rows))
    again = counted(ranks) - Counter(range(rows))
    assert again.total() < world
    assert rows < world or again == Counter(range(again.total())), "the first rows of the epoch"


@given(ROWS, WORLDS, BATCHES)
def test_drop_reads_no_row_twice_and_misses_fewer_than_the_ranks(rows: int, world: int, batch: int) -> None:
    ranks = read(rows, world, batch, "drop")
    assert len({tuple(map(len, rank)) for rank in ranks}) == 1
    assert not counted(ranks) - Counter(range(rows))
    assert (Counter(range(rows)) - counted(ranks)).total() < world


@given(ROWS, WORLDS, BATCHES, st.sampled_from(["none", "pad", "drop"]))
def test_full_batches_are_a_rank_after_the_other(rows: int, world: int, batch: int, even: Even) -> None:
    ranks = read(rows, world, batch, even)
    for step in range(rows // (world * batch)):
        together = [position for rank in ranks for position in rank[step]]
        assert together == list(range(step * world * batch, (step + 1) * world * batch))
    assert all(0 < len(batch_) <= batch for rank in ranks for batch_ in rank)


@given(ROWS, WORLDS, BATCHES, st.sampled_from(["none", "pad", "drop"]), st.data())
def test_many_batches_are_those_one_by_one(rows: int, world: int, batch: int, even: Even, data: st.DataObject) -> None:
    rank = data.draw(st.integers(0, world - 1))
    division = Division(rows=rows, world=world, batch=batch, even=even)
    start, stop = sorted(data.draw(st.tuples(st.integers(0, 60), st.integers(0, 60))))
    alone = read(rows, world, batch, even)[rank][start:stop]
    assert division.positions(rank, start, stop).tolist() == [position for one in alone for position in one]


def test_what_cannot_be_divided_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid counts"):
        Division(rows=1, world=0, batch=1)
    with pytest.raises(ValueError, match="one of none, pad, drop"):
        Division(rows=1, world=1, batch=1, even="some")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="rank 2 of 2: ranks count from 0"):
        Division(rows=1, world=2, batch=1).batches(2)
