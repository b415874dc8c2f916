"""Finds substrings of at least ``length`` bytes that occur more than once, from packed hashes and places.

Substrings travel in two steps, as other pieces do (`pieces`). Windows of ``length`` bytes are joined to spans
(`curation.kernels.substrings`), whose key is the hash of their anchor. Most keys occur once, so most spans, of about
``length / 4`` windows, cost eight bytes.

1. Every unit sends the keys of its spans to the key's partition, and learns which keys occur more than once.
2. For spans with such a key, every unit sends the hashes of the windows: of equal spans only the first span's, and of
   windows that repeat with a period only the first period's. The unit learns the first window in the corpus that equals
   each window, and cuts the windows that have an earlier equal.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.dedup.edges import Records, group_positions, route, row_ids, rows_of, starts_group, units_of
from curation.dedup.pieces import are_among
from curation.kernels.substrings import Spans, choose_cuts, entries, find_spans, match_windows, span_hashes

Ints = npt.NDArray[np.int64]
SPAN_WIDTH = 6
"""A span is (key, hash of its bytes, row id, first and last window, period)."""


def spans(unit: int, rows: Ints, texts: pa.LargeStringArray, often: Records, length: int) -> Records:
    """The spans of the texts whose key is in ``often`` (ascending); ``rows`` are the rows of the texts in the unit."""
    found = find_spans(texts, length)
    chosen = are_among(found.key, often)
    found = Spans(*(column[chosen] for column in found))  # type: ignore[arg-type]
    columns = found.key, span_hashes(texts, found, length), row_ids(unit, rows[found.text])
    return np.column_stack([*columns, *(each.astype(np.uint64) for each in (found.first, found.last, found.period))])


def distinct_spans(sorted_spans: Records) -> Records:
    """The first of each group of equal spans of a unit, in the order of the texts; ``sorted_spans`` are sorted by
    `sort_places`."""
    found = sorted_spans[starts_group(sorted_spans[:, :2])]
    return np.asarray(found[np.lexsort((found[:, 3], found[:, 2]))])


def window_entries(
    rows: Ints, texts: pa.LargeStringArray, distinct: Records, length: int, partitions: int
) -> Iterator[tuple[int, bytes]]:
    """The packed hashes of the windows of the distinct spans in some texts, by partition; ``rows`` are the rows of the
    texts in the unit, ascending."""
    if not len(rows):
        return
    low, high = np.searchsorted(rows_of(distinct[:, 2]), [rows[0], rows[-1] + 1])
    here = distinct[low:high]
    for partition, chosen in group_positions((here[:, 0] % np.uint64(partitions)).astype(np.int64)):
        key, hashes, ids, first, last, period = np.ascontiguousarray(here[chosen].T)
        text = np.searchsorted(rows, rows_of(ids))
        found = Spans(text, first.astype(np.int64), last.astype(np.int64), key, period.astype(np.int64))
        yield partition, entries(texts, found, ids, hashes, length).tobytes()


def matches(blobs: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """For each span that was sent to a partition, the first windows that the span's windows equal, by unit."""
    packed = np.frombuffer(b"".join(blobs), np.uint64)
    if len(packed):
        runs, of = match_windows(packed)
        yield from route(units_of(of), runs)


def cuts(sorted_spans: Records, answers: Records, length: int) -> Records:
    """The cuts of a unit, sorted by place; ``answers`` are the runs of all distinct spans in ``sorted_spans``."""
    if not len(sorted_spans):
        return np.empty((0, 5), np.uint64)
    answers = answers[np.lexsort((answers[:, 2], answers[:, 1], answers[:, 0]))]
    bounds = np.append(np.flatnonzero(starts_group(answers[:, :2])), len(answers))
    group = np.cumsum(starts_group(sorted_spans[:, :2])) - 1
    assert (answers[bounds[group], :2] == sorted_spans[:, :2]).all(), "each span has an answer"
    order = np.lexsort((sorted_spans[:, 3], sorted_spans[:, 2]))
    return choose_cuts(sorted_spans[order], group[order], bounds, answers, length)
