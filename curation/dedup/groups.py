"""Groups documents with equal keys: the same url, or the same text."""

from collections.abc import Iterator

import numpy as np

from curation.dedup.edges import Records, edges, route

KEY_WIDTH = 4
"""A key record is (high half, low half of the 128-bit hash, rank with its class, row id)."""


def keys_by_partition(records: Records, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Key records by partition of their hash."""
    yield from route((records[:, 0] % np.uint64(partitions)).astype(np.int64), records)


def losers(records: Records, similarity: float) -> Records:
    """Edges from the best document of each key to all others with the same key, all with this ``similarity``."""
    records = records[np.lexsort(records.T[::-1])]
    same = np.zeros(len(records), bool)
    same[1:] = (records[1:, :2] == records[:-1, :2]).all(axis=1)
    best = np.maximum.accumulate(np.where(same, 0, np.arange(len(records))))
    nodes = records[:, 2:]
    return edges(nodes[best[same]], nodes[same], np.full(int(same.sum()), similarity))
