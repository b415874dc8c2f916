"""Finds pieces of documents that occur more than once, from packed hashes and places.

A piece is a line, a paragraph or a span of sentences; `substrings` finds substrings. Pieces travel in two steps, so
that a piece that occurs once, as most do, costs eight bytes:

1. Every unit sends half of each piece's hash to the hash's partition, and learns which halves occur more often than
   allowed.
2. For pieces with such a half, every unit sends the whole hash and the places of its first copies, and learns how many
   of its copies stay and where the first copy in the corpus is. The unit cuts its other copies.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.dedup.edges import Records, group_positions, route, row_ids, starts_group, units_of, unpack
from curation.dedup.settings import Pieces
from curation.kernels.cuts import choose_copies
from curation.kernels.piece_bounds import LINES, PARAGRAPHS, SENTENCES, PieceTable, find_pieces, select_pieces, spans

UNITS = {"line": LINES, "paragraph": PARAGRAPHS, "sentences": SENTENCES}
PLACE_WIDTH = 5
"""A place is (high half, low half of the 128-bit hash, row id, start, end); the last two count bytes of the text."""
FIRST_WIDTH = 5
"""A first is (high half, low half, copies of a unit that stay, row id and start of the first copy in the corpus)."""
CUT_WIDTH = 5
"""A cut is (row id, start, end, row id and start of the first copy)."""
_GONE, _COUNTED = 0, 2
"""The marks of `choose_copies` for a copy that is cut, and for a copy that stays and counts."""


def repeatable(texts: pa.LargeStringArray, pieces: Pieces) -> PieceTable:
    """The pieces of the texts that may be cut: long enough, and in spans if they are sentences."""
    if pieces.unit != "sentences":
        return find_pieces(texts, UNITS[pieces.unit], pieces.min_characters)
    found = spans(find_pieces(texts, SENTENCES), pieces.sentences)
    return select_pieces(found, found.characters >= pieces.min_characters)


def keys_by_partition(unit: int, keys: Records, copies: int, partitions: int) -> Iterator[tuple[int, bytes]]:
    """The first halves of a unit's hashes by partition, behind the number of the unit. A half is sent at most
    ``copies`` + 1 times, which is enough to know that it occurs too often."""
    keys = np.sort(keys)
    start = np.ones(len(keys), bool)
    start[1:] = keys[1:] != keys[:-1]
    place = np.arange(len(keys))
    keys = keys[place - np.maximum.accumulate(np.where(start, place, 0)) <= copies]
    head = np.array([unit], np.uint64).tobytes()
    for key, chosen in group_positions((keys % np.uint64(partitions)).astype(np.int64)):
        yield key, head + keys[chosen].tobytes()


def repeated_keys(blobs: Iterable[bytes], copies: int) -> Iterator[tuple[int, bytes]]:
    """The halves of hashes in a partition that occur more often than ``copies``, for each unit that sent such
    halves."""
    sent = [np.frombuffer(blob, np.uint64) for blob in blobs]
    if not sent:
        return
    values, counts = np.unique(np.concatenate([each[1:] for each in sent]), return_counts=True)
    often = values[counts > copies]
    for each in sent:
        found = np.intersect1d(each[1:], often)
        if len(found):
            yield int(each[0]), found.tobytes()


def are_among(keys: Records, often: Records) -> npt.NDArray[np.bool_]:
    """Which keys are in ``often`` (ascending)."""
    if not len(often):
        return np.zeros(len(keys), bool)
    return np.asarray(often[np.minimum(np.searchsorted(often, keys), len(often) - 1)] == keys)


def places(unit: int, rows: npt.NDArray[np.int64], found: PieceTable, often: Records) -> Records:
    """The places of pieces whose half of the hash is in ``often`` (ascending); ``rows`` are the rows in the unit of the
    texts in which the pieces were found."""
    chosen = np.flatnonzero(are_among(found.high, often))
    columns = found.high[chosen], found.low[chosen], row_ids(unit, rows[found.text[chosen]])
    return np.column_stack([*columns, found.start[chosen].astype(np.uint64), found.end[chosen].astype(np.uint64)])


def first_places(sorted_places: Records, copies: int, partitions: int) -> Iterator[tuple[int, bytes]]:
    """The first ``copies`` places of each hash in a unit, by partition."""
    limit = np.full(len(sorted_places), copies)
    sent = sorted_places[_choose(sorted_places, limit) == _COUNTED]
    yield from route((sent[:, 0] % np.uint64(partitions)).astype(np.int64), sent)


def firsts(blobs: Iterable[bytes], copies: int) -> Iterator[tuple[int, bytes]]:
    """For each unit that sent places of a hash to a partition, how many of the unit's copies stay, and the first
    copy."""
    sent = sort_places(unpack(blobs, PLACE_WIDTH))
    if not len(sent):
        return
    units = units_of(sent[:, 2])
    new = starts_group(sent[:, :2])
    first = np.maximum.accumulate(np.where(new, np.arange(len(sent)), 0))
    stays = np.arange(len(sent)) - first < copies
    part = np.flatnonzero(new | np.r_[True, units[1:] != units[:-1]])
    stay = np.add.reduceat(stays.astype(np.uint64), part)
    answers = np.column_stack([sent[part, :2], stay, sent[first[part], 2:4]])
    yield from route(units[part], answers)


def cuts(sorted_places: Records, answers: Records) -> Records:
    """The cuts of a unit, sorted by place; ``answers`` are the firsts of all hashes in ``sorted_places``."""
    answers = answers[np.lexsort((answers[:, 1], answers[:, 0]))]
    answer = answers[np.cumsum(starts_group(sorted_places[:, :2])) - 1]
    assert (answer[:, :2] == sorted_places[:, :2]).all(), "each hash has an answer"
    gone = _choose(sorted_places, answer[:, 2].astype(np.int64)) == _GONE
    found = np.column_stack([sorted_places[gone, 2:], answer[gone, 3:]])
    return np.asarray(found[np.lexsort((found[:, 1], found[:, 0]))])


def sort_places(found: Records) -> Records:
    """Places by hash, and then by row id and start."""
    return np.asarray(found[np.lexsort((found[:, 3], found[:, 2], found[:, 1], found[:, 0]))])


def _choose(sorted_places: Records, limit: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    out = np.empty(len(sorted_places), np.uint8)
    high, low = (np.ascontiguousarray(sorted_places[:, column]) for column in (0, 1))
    row, start, end = (sorted_places[:, column].astype(np.int64) for column in (2, 3, 4))
    choose_copies(high, low, row, start, end, limit, out)
    return out


def name_requests(unit: int, found: Records) -> Iterator[tuple[int, bytes]]:
    """Requests for the names of the documents with the first copies, by their units."""
    wanted = np.unique(found[:, 3])
    none = np.zeros(len(wanted), np.uint64)
    requests = np.column_stack([wanted, np.full(len(wanted), unit, np.uint64), none, none])
    yield from route(units_of(wanted), requests)
