"""Banding: finds pairs of documents to compare, and their similarities."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from curation.dedup.edges import Records, distinct, edges, group_positions, row_ids, units_of
from curation.dedup.settings import Dedup, Near
from curation.kernels.minhash import band_keys, equal_shares

_ROW = np.dtype(np.uint32)
"""The type of rows within a unit in the largest shuffle, small to save bytes. The blobs of this shuffle are the unit,
the band keys, the ranks if documents are ranked, and the rows."""
PAIR_WIDTH = 2
"""A candidate pair is (row id, row id), the lower first."""


def ranked_bands(dedup: Dedup) -> bool:
    """Whether the documents of a bucket are compared in the order of the keep policy, so that the best of them is
    compared with all others. Else the order is that of their row ids, which is the same for the policy ``first``."""
    return dedup.bounds_survivors and dedup.keep.policy != "first"


def bands_by_partition(
    values: npt.NDArray[np.uint32],
    unit: int,
    rows: npt.NDArray[np.int64],
    near: Near,
    partitions: int,
    ranks: Records | None = None,
) -> Iterator[tuple[int, bytes]]:
    """The band keys of each signature with its row in the unit (below 2**32) and, if given, its rank, by partition of
    the key."""
    if len(rows) and rows[-1] > np.iinfo(_ROW).max:
        raise ValueError("a unit has more than 2**32 documents")
    bands, width = near.banding
    keys = np.empty((len(values), bands), np.uint64)
    band_keys(values, bands, width, keys)
    flat = keys.ravel()
    head = np.uint64(unit).tobytes()
    for partition, chosen in group_positions((flat % np.uint64(partitions)).astype(np.int64)):
        ranked = b"" if ranks is None else ranks[chosen // bands].tobytes()
        yield partition, head + flat[chosen].tobytes() + ranked + rows[chosen // bands].astype(_ROW).tobytes()


def _band_records(blob: bytes, ranked: bool) -> Records:
    """The records (band key, row id) of one unit's blob, with the rank as the third column if the blob has it."""
    wide = 16 if ranked else 8
    count = (len(blob) - 8) // (wide + _ROW.itemsize)
    columns = np.frombuffer(blob, np.uint64, wide // 8 * count, 8).reshape(-1, count)
    rows = np.frombuffer(blob, _ROW, count, 8 + wide * count)
    ids = row_ids(int.from_bytes(blob[:8], "little"), rows.astype(np.int64))
    return np.column_stack([columns[0], ids, *columns[1:]])


def candidates(
    blobs: Iterable[bytes], firsts: Sequence[int] = (), known: Sequence[Sequence[int]] = (), ranked: bool = False
) -> Records:
    """The pairs to compare: in each bucket, every document with the first document and with the document before it.
    The order is that of the row ids or, with ``ranked``, that of (release, rank, row id).

    The pair with the document before it gives a document another way into its cluster, where it shares a bucket with
    the first document by chance. ``firsts`` are the first units of the releases, followed by the first new unit.
    ``known`` lists, for each release, the indices of the releases that took part in its own run, including itself. A
    document is also compared with the first document of each earlier release, and with the document before it in the
    runs of all releases: so all pairs that were compared in an earlier run are compared again.
    """
    none = np.empty((0, 3 if ranked else 2), np.uint64)
    records = _with_shared_keys(np.concatenate([none, *(_band_records(blob, ranked) for blob in blobs)]))
    if ranked:
        group = np.searchsorted(np.array(firsts), units_of(records[:, 1]), side="right")
        records = records[np.lexsort((records[:, 1], records[:, 2], group, records[:, 0]))]
    else:
        records = records[np.lexsort((records[:, 1], records[:, 0]))]
    same = np.zeros(len(records), bool)
    same[1:] = records[1:, 0] == records[:-1, 0]
    first = np.maximum.accumulate(np.where(same, 0, np.arange(len(records))))
    later = np.flatnonzero(same)
    ids = records[:, 1]
    star = np.column_stack([ids[first[later]], ids[later]])
    path = np.column_stack([ids[later - 1], ids[later]])
    every = np.concatenate([star, path, *_stars(ids, first, firsts), *_borders(ids, first, firsts, known)])
    pairs = distinct(np.sort(every, axis=1) if ranked else every)
    return np.asarray(pairs[pairs[:, 0] != pairs[:, 1]])


def _stars(ids: Records, bucket: npt.NDArray[np.int64], firsts: Sequence[int]) -> Iterator[Records]:
    """In each bucket, pairs of a document and the first document of each release but the first.

    Input is sorted by bucket, release and order in the release.
    """
    for start, end in pairwise(firsts[1:]):
        units = units_of(ids)
        inside = np.flatnonzero((units >= start) & (units < end))
        _, at = np.unique(bucket[inside], return_index=True)
        centre = np.full(len(ids), -1)
        centre[bucket[inside[at]]] = inside[at]
        of = centre[bucket]
        later = np.flatnonzero((of >= 0) & (of < np.arange(len(ids))))
        yield np.column_stack([ids[of[later]], ids[later]])


def _borders(
    ids: Records, bucket: npt.NDArray[np.int64], firsts: Sequence[int], known: Sequence[Sequence[int]]
) -> Iterator[Records]:
    """In each bucket, pairs of documents of different releases that were neighbours in the run of some release, and may
    have others between them now. Input is sorted by bucket, release and order in the release."""
    groups = np.searchsorted(np.array(firsts), units_of(ids), side="right") - 1
    for part in known:
        if list(part) == list(range(len(part))):
            continue  # no other release is between them
        rows = np.flatnonzero(np.isin(groups, part))
        left, right = rows[:-1], rows[1:]
        border = (bucket[left] == bucket[right]) & (groups[left] != groups[right])
        yield np.column_stack([ids[left[border]], ids[right[border]]])


def _with_shared_keys(records: Records) -> Records:
    """The records whose band key occurs more than once: few enough to be sorted by all columns."""
    order = np.argsort(records[:, 0])
    keys = records[order, 0]
    equal = keys[1:] == keys[:-1]
    shared = np.zeros(len(records), bool)
    shared[1:] = equal
    shared[:-1] |= equal
    return np.asarray(records[order[shared]])


def similar(
    left: tuple[Records, npt.NDArray[np.uint32]], right: tuple[Records, npt.NDArray[np.uint32]], near: Near
) -> Records:
    """Edges between pairs of nodes whose share of equal signature values is at least ``near.required_similarity``."""
    share = np.empty(len(left[0]), np.float64)
    equal_shares(left[1], right[1], share)
    enough = share >= near.required_similarity
    return edges(left[0][enough], right[0][enough], share[enough])
