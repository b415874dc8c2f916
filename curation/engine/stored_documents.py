"""Reads the documents of a release again as they reached deduplication: kept and removed ones in one order, and with
everything that was cut out of them."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.engine.released import PLACE, duplicate_places, rows_at, sketched_places
from curation.kernels.cuts import restore_parts
from curation.release.opening import Release, check_contents, release_files
from curation.release.shards import read_shard, row_groups, shard_name
from schemas import CUTS

ROWS_AT_ONCE = 1 << 11
TEXTS = pa.schema([pa.field("text", pa.large_string())])


def stored_texts(release: Release, number: int) -> Iterator[tuple[int, pa.LargeStringArray]]:
    """The texts of all documents of a unit that reached deduplication, in the order of the sketches, in batches, each
    with the number of its first row. A text is null if the release does not hold the texts of removed documents.

    Raises UserError if a file differs from the manifest.
    """
    cut_name = shard_name(CUTS.name, number)
    cut = cut_name in release_files(release.folder, release.name)
    check_contents(release, [shard_name("documents", number), *([cut_name] if cut else [])])
    places = sketched_places(release, number)
    before = np.zeros(len(places), bool)
    before[rows_at(places, duplicate_places(release.folder, number))] = True
    kept = ShardReader(release, shard_name("documents", number), TEXTS)
    lost = ShardReader(release, shard_name("rejects/duplicates", number), TEXTS)
    cuts = Cuts(release, number) if cut else None
    for start in range(0, len(places), ROWS_AT_ONCE):
        was_lost = before[start : start + ROWS_AT_ONCE]
        documents = merge(kept, lost, was_lost)
        if cuts is not None:
            documents = cuts.restore(documents, start, was_lost)
        yield start, documents["text"]


class ShardReader:
    """Reads the rows of a shard in order, some at a time, with some columns."""

    def __init__(self, release: Release, name: str, columns: pa.Schema):
        self.columns = columns
        self._groups = row_groups(release.folder, name, columns.names)
        self._held = columns.empty_table()

    def take(self, count: int) -> pa.Table:
        while len(self._held) < count:
            _, batch = next(self._groups, (0, None))
            if batch is None:
                break
            batch = batch.cast(self.columns)
            self._held = pa.concat_tables([self._held, pa.Table.from_batches([batch])])
        found, self._held = self._held.slice(0, count), self._held.slice(count)
        return found


class Cuts:
    """Puts back what was cut out of the documents of a unit, so that it is cut again where a first copy is left."""

    def __init__(self, release: Release, number: int):
        name = shard_name(CUTS.name, number)
        self._reader = ShardReader(release, name, CUTS.columns)
        places = read_shard(release.folder, name, PLACE)
        new = np.zeros(len(places), bool)
        new[:1] = True
        for column in (places[name].combine_chunks() for name in PLACE):
            new[1:] |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
        rows = rows_at(sketched_places(release, number), places.filter(pa.array(new)))
        self._rows = rows[np.cumsum(new) - 1] if len(places) else rows

    def restore(self, documents: pa.RecordBatch, start: int, was_lost: npt.NDArray[np.bool_]) -> pa.RecordBatch:
        """The next documents, of which ``start`` is the row of the first, with the texts that they had before cutting;
        rejects (``was_lost``) have them."""
        low, high = np.searchsorted(self._rows, [start, start + len(documents)])
        cuts = self._reader.take(int(high - low))
        text = self._rows[low:high] - start
        cut = ~was_lost[text]
        parts = cuts.filter(pa.array(cut)).combine_chunks()
        columns = [parts[name].combine_chunks() for name in ("start", "text")]
        return with_texts(documents, restore_parts(documents["text"], text[cut], columns[0].to_numpy(), columns[1]))


def merge(kept: ShardReader, lost: ShardReader, was_lost: npt.NDArray[np.bool_]) -> pa.RecordBatch:
    """The next documents of both shards, in their original order; fewer if a shard has ended."""
    count = int(was_lost.sum())
    both = pa.concat_tables([kept.take(len(was_lost) - count), lost.take(count)])
    order = np.argsort(np.argsort(was_lost, kind="stable"), kind="stable")
    merged = both.take(pa.array(order[order < len(both)])).combine_chunks().to_batches()
    return merged[0] if merged else pa.RecordBatch.from_pylist([], kept.columns)


def with_texts(documents: pa.RecordBatch, texts: pa.LargeStringArray) -> pa.RecordBatch:
    """The documents with other texts."""
    place = documents.schema.get_field_index("text")
    return documents.set_column(place, documents.schema.field(place), texts)
