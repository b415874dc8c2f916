"""Records of the deduplication as packed 64-bit columns, which the shuffles carry instead of text.

A row id is ``unit << 40 | row in the unit's sketches``. A node is (rank, row id); the lower node survives.
An edge is (rank, row id, rank, row id, similarity), the better node first; similarity is the bits of a float64,
NaN if it was not measured.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

Records = npt.NDArray[np.uint64]
ROW_BITS = np.uint64(40)
_ROW_MASK = (np.uint64(1) << ROW_BITS) - np.uint64(1)
EDGE_WIDTH = 5
FLUSH_ROWS = 1 << 18


def row_ids(unit: int, rows: npt.NDArray[np.int64]) -> Records:
    return (np.uint64(unit) << ROW_BITS) | rows.astype(np.uint64)


def units_of(ids: Records) -> npt.NDArray[np.int64]:
    return (ids >> ROW_BITS).astype(np.int64)


def rows_of(ids: Records) -> npt.NDArray[np.int64]:
    return (ids & _ROW_MASK).astype(np.int64)


def unpack(blobs: Iterable[bytes], width: int) -> Records:
    """Unpacks the records of several blobs into one array."""
    records: Records = np.frombuffer(b"".join(blobs), np.uint64).reshape(-1, width)
    return records


def distinct(records: Records) -> Records:
    """The distinct records, sorted by all columns: the same array for any order of the input."""
    if len(records) < 2:
        return records
    records = records[np.lexsort(records.T[::-1])]
    return np.asarray(records[starts_group(records)])


def starts_group(records: Records) -> npt.NDArray[np.bool_]:
    """Whether each record differs from the record before it; the first record does."""
    starts = np.ones(len(records), bool)
    starts[1:] = (records[1:] != records[:-1]).any(axis=1)
    return starts


def route(keys: npt.NDArray[np.int64], records: Records) -> Iterator[tuple[int, bytes]]:
    """(key, packed records) for each distinct key, in blobs of a few MB."""
    for key, chosen in group_positions(keys):
        yield key, records[chosen].tobytes()


def group_positions(keys: npt.NDArray[np.int64]) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """(key, positions in ``keys``) for each distinct key, at most FLUSH_ROWS at a time."""
    if not len(keys):
        return
    small = keys.astype(np.uint16) if keys.max() < 1 << 16 else keys  # numpy sorts 16 bits by radix
    order = np.argsort(small, kind="stable")
    starts = np.flatnonzero(np.r_[True, keys[order[1:]] != keys[order[:-1]]])
    for start, end in zip(starts, np.r_[starts[1:], len(keys)], strict=True):
        for low in range(start, end, FLUSH_ROWS):
            yield int(keys[order[start]]), order[low : min(end, low + FLUSH_ROWS)]


def edges(left: Records, right: Records, similarity: npt.NDArray[np.float64]) -> Records:
    """Edges between nodes (n x 2 each), the better node of each pair first."""
    swap = (right[:, 0] < left[:, 0]) | ((right[:, 0] == left[:, 0]) & (right[:, 1] < left[:, 1]))
    first = np.where(swap[:, None], right, left)
    second = np.where(swap[:, None], left, right)
    return np.column_stack([first, second, similarity.view(np.uint64)])


def within(costs: npt.NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Cuts a sequence into ranges; the elements of a range after its first cost less than ``most`` together.

    >>> list(within(np.array([3, 3, 9, 1, 1, 4]), 6))
    [(0, 2), (2, 5), (5, 6)]
    """
    parts = (np.cumsum(costs) - 1) // most
    starts = np.flatnonzero(np.r_[True, parts[1:] != parts[:-1]][: len(parts)]).tolist()
    return zip(starts, [*starts, len(parts)][1:], strict=True)
