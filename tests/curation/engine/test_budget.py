"""How memory is divided: nothing that was measured grows unless the budget clearly allows it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.engine import budget as dividing
from curation.engine.budget import (
    BASE_BYTES,
    PARTITION_BYTES,
    SORTED_BYTES,
    WORKER_BYTES,
    budget,
    partition_bytes,
    partitions,
)
from curation.job import LEAST_MEMORY

STORED = st.integers(0, 10**16)
MEMORY = st.none() | st.integers(LEAST_MEMORY, 10**12)


@pytest.mark.parametrize("memory", [None, 1_500_000_000, 2_000_000_000, 4_000_000_000])
def test_partitions_are_as_they_were_measured(memory: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dividing.os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(dividing, "available", lambda: 10**12)
    assert budget(10**12, 1000, memory).partitions == int(0.3 * 10**12) // PARTITION_BYTES == 6250


@given(stored=STORED, units=st.integers(1, 10**6), memory=MEMORY)
def test_more_memory_means_fewer_partitions_and_all_of_it_fits(stored: int, units: int, memory: int | None) -> None:
    share = budget(stored, units, memory)
    assert share.partitions >= 1
    if memory is None:
        assert share.partitions == partitions(stored, None)
        return
    mine = (memory - BASE_BYTES) // share.workers
    assert mine >= WORKER_BYTES
    assert WORKER_BYTES + SORTED_BYTES * (partition_bytes(mine) - PARTITION_BYTES) <= mine
    assert partitions(stored, mine) >= partitions(stored, 2 * mine)
