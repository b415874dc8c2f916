"""The files with the sets of shingles of candidates: each unit writes the sets of its own candidates, from their texts,
to a file in the run's folder, and a stage that compares documents reads only the sets of these documents.

A file holds the sets of all candidates of a unit, one after the other (64-bit hashes), then their rows in the unit's
sketches (ascending), the bounds of the sets, and the number of candidates.
"""

import io
from collections.abc import Iterator
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.dedup.edges import Records, rows_of, units_of, within
from curation.dedup.settings import Near
from curation.dedup.sketch import shingle_sets
from curation.dedup.survivors import SETS_BYTES, Sets
from curation.engine.run import Run, passed_name, shingles_name
from curation.engine.stored_documents import stored_texts
from curation.kernels.shingles import jaccard_similarities
from curation.release.opening import Release

Ints = npt.NDArray[np.int64]

TEXT_BYTES = 8 << 20
"""The bytes of texts whose sets are in memory together, unless one text is larger."""
GAP_BYTES = 1 << 15
"""Sets with at most this many bytes between them are read together."""


def write_sets(run: Run, unit: int, rows: Ints, near: Near) -> None:
    """Writes the sets of some rows (ascending, distinct) of a unit. A document that a release removed, and whose text
    the release does not hold, has no set: the document is similar to no other."""
    bounds: list[Ints] = [np.zeros(1, np.int64)]
    done: list[Ints] = [np.empty(0, np.int64)]
    end = 0
    with run.folder.writing(shingles_name(unit)) as stream:
        for found, texts in _texts(run, unit, rows):
            values, ends = shingle_sets(texts, near)
            stream.write(values.tobytes())
            bounds.append(ends[1:] + end)
            done.append(found)
            end += int(ends[-1])
        held = np.concatenate(done)
        order = np.argsort(held)
        stream.write(held[order].tobytes())
        spans = np.concatenate(bounds)
        stream.write(np.column_stack([spans[:-1], spans[1:]])[order].tobytes())
        stream.write(len(held).to_bytes(8, "little"))


def set_sizes(run: Run, ids: Records) -> Ints:
    """The number of shingles of documents with ascending row ids; 0 for a document without a set."""
    sizes = np.zeros(len(ids), np.int64)
    for low, high in _by_unit(ids):
        name = shingles_name(int(units_of(ids[low : low + 1])[0]))
        if not run.folder.exists(name):
            continue  # the unit has no candidates
        with run.folder.reading(name) as stream:
            starts, ends = _spans(stream, rows_of(ids[low:high]))
        sizes[low:high] = ends - starts
    return sizes


def read_sets(run: Run, ids: Records) -> Sets:
    """The sets of documents with ascending, distinct row ids; empty for a document without a set."""
    parts: list[npt.NDArray[np.uint64]] = [np.empty(0, np.uint64)]
    sizes: list[Ints] = [np.zeros(1, np.int64)]
    for low, high in _by_unit(ids):
        name = shingles_name(int(units_of(ids[low : low + 1])[0]))
        if not run.folder.exists(name):
            sizes.append(np.zeros(high - low, np.int64))  # the unit has no candidates
            continue
        with run.folder.reading(name) as stream:
            starts, ends = _spans(stream, rows_of(ids[low:high]))
            parts += _read(stream, starts, ends)
        sizes.append(ends - starts)
    return Sets(np.concatenate(parts), np.cumsum(np.concatenate(sizes)))


def similarities(run: Run, left: Records, right: Records) -> npt.NDArray[np.float64]:
    """The Jaccard similarity of pairs of documents by their sets of shingles; NaN if a document has no set."""
    result = np.full(len(left), np.nan)
    by_left = np.argsort(left, kind="stable")
    left, right = left[by_left], right[by_left]
    every = np.unique(np.concatenate([left, right]))
    sizes = set_sizes(run, every)
    of_left, of_right = (sizes[np.searchsorted(every, side)] for side in (left, right))
    for start, end in within(8 * (of_left + of_right), SETS_BYTES):
        one, first = np.unique(left[start:end], return_inverse=True)
        other, second = np.unique(right[start:end], return_inverse=True)
        found, sets, others = np.empty(end - start), read_sets(run, one), read_sets(run, other)
        jaccard_similarities(sets.values, sets.bounds, first, others.values, others.bounds, second, found)
        result[by_left[start:end]] = np.where((of_left * of_right)[start:end] > 0, found, np.nan)
    return result


def _by_unit(ids: Records) -> Iterator[tuple[int, int]]:
    """The bounds of the row ids of each unit."""
    units = units_of(ids)
    starts = np.flatnonzero(np.r_[True, units[1:] != units[:-1]][: len(ids)]).tolist()
    return zip(starts, [*starts, len(ids)][1:], strict=True)


def _spans(stream: IO[bytes], rows: Ints) -> tuple[Ints, Ints]:
    """Where the sets of some rows start and end, in values; 0 and 0 for a row without a set."""
    end = stream.seek(-8, io.SEEK_END)
    count = int.from_bytes(stream.read(8), "little")
    stream.seek(end - 24 * count)
    index = np.frombuffer(stream.read(24 * count), np.int64)
    held, spans = index[:count], index[count:].reshape(-1, 2)
    at = np.searchsorted(held, rows)
    there = at < count
    there[there] = held[at[there]] == rows[there]
    starts, ends = np.zeros((2, len(rows)), np.int64)
    starts[there], ends[there] = spans[at[there]].T
    return starts, ends


def _read(stream: IO[bytes], starts: Ints, ends: Ints) -> list[npt.NDArray[np.uint64]]:
    """The values of some spans, in their order; spans that are near one another are read together."""
    order = np.argsort(starts, kind="stable")
    low, high = starts[order], np.maximum.accumulate(ends[order])
    first = np.flatnonzero(np.r_[True, 8 * (low[1:] - high[:-1]) > GAP_BYTES][: len(starts)])
    parts: list[npt.NDArray[np.uint64]] = [np.empty(0, np.uint64)] * len(starts)
    for begin, until in zip(first, [*first, len(order)][1:], strict=True):
        start, stop = int(low[begin]), int(high[until - 1])
        stream.seek(8 * start)
        values = np.frombuffer(stream.read(8 * (stop - start)), np.uint64)
        for place in order[begin:until].tolist():
            parts[place] = values[starts[place] - start : ends[place] - start]
    return parts


def _texts(run: Run, unit: int, rows: Ints) -> Iterator[tuple[Ints, pa.LargeStringArray]]:
    """Rows of a unit with their texts, in batches."""
    if unit >= run.first:
        batches = _passed_texts(run, unit - run.first, rows)
    else:
        batches = _released_texts(*run.release_of(unit), rows)
    for found, texts in batches:
        sizes = pc.binary_length(texts).to_numpy(zero_copy_only=False).astype(np.int64)
        for start, end in within(sizes, TEXT_BYTES):
            yield found[start:end], texts.slice(start, end - start)


def _passed_texts(run: Run, number: int, rows: Ints) -> Iterator[tuple[Ints, pa.LargeStringArray]]:
    """Texts of the documents that passed the filters in this run."""
    with run.folder.reading(passed_name(number)) as stream:
        passed = pa.ipc.open_file(stream, options=pa.ipc.IpcReadOptions(included_fields=[1]))
        start = 0
        for index in range(passed.num_record_batches):
            texts = passed.get_batch(index)["text"]
            yield from _taken(rows, start, texts)
            start += len(texts)


def _released_texts(release: Release, number: int, rows: Ints) -> Iterator[tuple[Ints, pa.LargeStringArray]]:
    """Texts of documents of a release, without documents whose text the release does not hold."""
    for start, texts in stored_texts(release, number) if len(rows) else ():
        for found, wanted in _taken(rows, start, texts):
            there = wanted.is_valid()
            yield found[there.to_numpy(zero_copy_only=False)], wanted.filter(there)


def _taken(rows: Ints, start: int, texts: pa.LargeStringArray) -> Iterator[tuple[Ints, pa.LargeStringArray]]:
    """The wanted rows among ``texts``, which begin at row ``start``."""
    low, high = np.searchsorted(rows, [start, start + len(texts)])
    if high > low:
        yield rows[low:high], texts.take(pa.array(rows[low:high] - start))
