"""The order of a rank: resumed anywhere it is the same, split among workers it is the same."""

from itertools import zip_longest
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.reading import Reading, StateError


def reading(**changes: Any) -> Reading:
    usual: dict[str, Any] = {"fingerprint": "f", "rows": 23, "batch": 2, "world": 3, "seed": 5}
    return Reading(**(usual | changes))


def read(one: Reading, epoch: int, start: int = 0, every: int = 1) -> list[list[int]]:
    return [rows.tolist() for rows in one.batches(epoch, start, every)]


@settings(max_examples=40)
@given(
    rows=st.integers(0, 300) | st.sampled_from([8192, 20_001]),
    batch=st.sampled_from([1, 3, 256, 9000]),
    world=st.integers(1, 16),
    every=st.integers(1, 5),
    data=st.data(),
)
def test_workers_share_the_batches_in_turn(rows: int, batch: int, world: int, every: int, data: st.DataObject) -> None:
    one = reading(rows=rows, batch=batch, world=world, rank=data.draw(st.integers(0, world - 1)))
    whole = read(one, epoch=1)
    assert len(whole) == len(one)
    start = data.draw(st.integers(0, len(one) + 1))
    workers = [read(one, 1, start + worker, every) for worker in range(every)]
    assert [batch_ for turn in zip_longest(*workers) for batch_ in turn if batch_ is not None] == whole[start:]


def test_only_later_epochs_are_shuffled_unless_told_otherwise() -> None:
    def order(epoch: int, **changes: Any) -> list[int]:
        return [row for batch in read(reading(world=1, **changes), epoch) for row in batch]

    stored = list(range(23))
    assert order(0) == order(0, shuffle=False) == order(3, shuffle=False) == stored
    orders = [order(1), order(2), order(0, shuffle=True), order(1, seed=6)]
    assert all(sorted(one) == stored != one for one in orders)
    assert len({tuple(one) for one in orders}) == 4
    assert order(1) == order(1, shuffle=True)


def test_a_state_is_plain_and_equal_on_every_rank() -> None:
    state = reading(rank=0).state(2, 7)
    assert state == reading(rank=2).state(2, 7)
    assert {type(value) for value in state.values()} <= {int, str, type(None)}
    assert reading(rank=1).place(state) == (2, 7, 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"fingerprint": "g"}, "saved with fingerprint 'f', but this reader has 'g': resume with the same dataset"),
        ({"seed": 1}, "saved with seed 5, but this reader has 1"),
        ({"shuffle": True}, "saved with shuffle None, but this reader has True"),
    ],
    ids=str,
)
def test_a_state_of_something_else_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(StateError, match=says):
        reading(**change).place(reading().state(0, 1))


@pytest.mark.parametrize(
    "change", [{"version": 3}, {"epoch": None}, {"step": -1}, {"seen": 24}, {"world": None}], ids=str
)
def test_an_invalid_state_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(StateError):
        reading(batch=3).place(reading().state(0, 1) | change)


def test_a_state_of_the_first_version_is_read() -> None:
    state = reading().state(1, 2) | {"version": 1}
    del state["seen"]
    assert reading().place(state) == (1, 2, 0)
    assert reading(world=1).place(state) == (1, 0, 12)


DIVIDED = st.tuples(st.integers(1, 5), st.integers(1, 4), st.sampled_from(["none", "pad", "drop"]))


@settings(max_examples=300)
@given(rows=st.integers(1, 60), divisions=st.lists(DIVIDED, min_size=1, max_size=4), data=st.data())
def test_an_epoch_goes_on_with_other_ranks_and_batches(
    rows: int, divisions: list[tuple[int, int, Any]], data: st.DataObject
) -> None:
    """What all ranks together read until a state is saved and after it is resumed, in any number of other divisions, is
    the epoch's order, each row once."""
    order = [row for batch in read(reading(rows=rows, world=1, batch=rows), 1) for row in batch]
    received: list[int] = []
    state = None
    for number, (world, batch, even) in enumerate(divisions):
        last = number == len(divisions) - 1
        ranks = [reading(rows=rows, world=world, batch=batch, even=even, rank=rank) for rank in range(world)]
        places = {one.place(state) if state else (1, 0, 0) for one in ranks}
        assert len(places) == 1
        [(epoch, step, seen)] = places
        if epoch == 2:
            break
        batches = [list(one.batches(epoch, step, seen=seen)) for one in ranks]
        steps = max(map(len, batches)) if last else data.draw(st.integers(0, min(map(len, batches))))
        for each in range(steps):
            received += [row for of_rank in batches if each < len(of_rank) for row in of_rank[each].tolist()]
        state = ranks[0].state(epoch, step + steps, seen)
    exact = all(even == "none" for *_, even in divisions)
    assert received[:rows] == order[: min(rows, len(received))]
    assert len(received) == rows if exact else abs(len(received) - rows) < max(world for world, *_ in divisions)


def test_rows_are_numbers_of_64_bits() -> None:
    assert next(reading(rows=10**12, shuffle=True).batches(0)).dtype == np.int64
