"""Equal keys: the documents of one url, or of one text."""

from collections.abc import Iterator

import numpy as np

from curation.dedup.edges import Records, edges, route

KEY_WIDTH = 4
"""A key record is (high half, low half of the 128-bit hash, rank with its class, row id)."""


def keys_by_partition(records: Records, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Key records routed by their hash."""
    yield from route((records[:, 0] % np.uint64(partitions)).astype(np.int64), records)


def losers(records: Records, similarity: float) -> Records:
    """An edge from each document to the best one with the same key (``similarity`` as given), the best left out."""
    records = records[np.lexsort(records.T[::-1])]
    same = np.zeros(len(records), bool)
    same[1:] = (records[1:, :2] == records[:-1, :2]).all(axis=1)
    best = np.maximum.accumulate(np.where(same, 0, np.arange(len(records))))
    nodes = records[:, 2:]
    return edges(nodes[best[same]], nodes[same], np.full(int(same.sum()), similarity))
