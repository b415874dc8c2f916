"""Equal keys: all but the best document of each group lose to it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curation.dedup.edges import unpack
from curation.dedup.groups import KEY_WIDTH, keys_by_partition, losers

DOCUMENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1), st.integers(0, 2)), max_size=40)


@given(documents=DOCUMENTS, partitions=st.sampled_from([1, 2, 7]), split=st.integers(0, 40))
def test_every_document_but_the_best_of_its_key_loses_to_it(
    documents: list[tuple[int, int, int]], partitions: int, split: int
) -> None:
    records = np.array([(*key_and_rank, row) for row, key_and_rank in enumerate(documents)], np.uint64).reshape(-1, 4)
    expected = set()
    for row, (high, low, rank) in enumerate(documents):
        group = [(r, i) for i, (h, w, r) in enumerate(documents) if (h, w) == (high, low)]
        if min(group) != (rank, row):
            expected.add((*min(group), rank, row))
    blobs: dict[int, list[bytes]] = {}
    for part in (records[split:], records[:split]):
        for partition, blob in keys_by_partition(part, partitions):
            blobs.setdefault(partition, []).append(blob)
    found = [tuple(row[:4]) for group in blobs.values() for row in losers(unpack(group, KEY_WIDTH), 1.0).tolist()]
    assert len(found) == len(set(found))
    assert set(found) == expected
