"""Limits the decoded size of Parquet files: a file of kilobytes can decode to gigabytes."""

from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.types as pt

from curation.sources.parquet_footer import BYTE_ARRAY, FIXED_LENGTH, Column, RowGroup
from curation.sources.parquet_pages import ColumnSize, column_size, size_by_footer

ROWS, ROWS_PER_BYTE = 100_000, 0.25
VALUES, VALUES_PER_BYTE = 1_000_000, 4
BYTES, BYTES_PER_BYTE = 256 << 20, 100
"""Rows, values and decoded bytes that any file may hold, and how many more for each stored byte. A value of a column
that is not nested counts as a quarter: a row has one such value, and any number of nested values."""

_BATCH_ROWS = 1 << 16
_PREFIX_BATCH_BYTES = 64 << 20


class Limits:
    """Counts what the row groups of one file decode to, in order, before they are decoded.

    ``file`` holds the ``size`` stored bytes; None if only the footer is available. ``open_table`` opens the file again,
    with the named columns as dictionaries.
    """

    def __init__(
        self,
        groups: Sequence[RowGroup],
        file: IO[bytes] | None,
        size: int,
        open_table: Callable[[list[str]], pq.ParquetFile],
    ) -> None:
        self.groups = groups
        self.file = file
        self.size = size
        self.open_table = open_table
        self.stored = self.rows = self.values = self.bytes = 0

    def take(self, group: int) -> tuple[str | None, int, int]:
        """Counts a row group.

        Returns why it passes a limit (or None), the bytes that it decodes to, and how many rows can be decoded at once.
        """
        found = self.groups[group]
        self.stored = min(self.size, self.stored + found.stored)
        if why := self._why(self.rows + found.rows, ROWS + ROWS_PER_BYTE * self.stored, "rows"):
            return why, 0, 0
        sizes = [self._column(column) for column in found.columns]
        nested = [len(column.path) > 1 for column in found.columns]
        values = sum(size.values if inside else size.values // 4 for size, inside in zip(sizes, nested, strict=True))
        if why := self._why(self.values + values, VALUES + VALUES_PER_BYTE * self.stored, "values"):
            return why, 0, 0
        limit = self.most_bytes
        decoded, at_once = 0, _BATCH_ROWS << 10
        for column, size in zip(found.columns, sizes, strict=True):
            if size.shared_values * size.longest_shared > limit:
                if len(column.path) > 1:
                    return "a list of strings that share prefixes may decode to far more than is stored", 0, 0
                at_once = min(at_once, max(1, _PREFIX_BATCH_BYTES // size.longest_shared))
            decoded += self._bytes(group, column, size, limit)
            if why := self._why(self.bytes + decoded, limit, "bytes"):
                return why, 0, 0
        self.rows, self.values, self.bytes = self.rows + found.rows, self.values + values, self.bytes + decoded
        return None, decoded, at_once

    @property
    def most_bytes(self) -> int:
        """Maximum decoded bytes of the row groups so far."""
        return BYTES + BYTES_PER_BYTE * self.stored

    def _why(self, count: int, limit: float, what: str) -> str | None:
        if count <= limit:
            return None
        return f"{self.stored:,} stored bytes decode to {count:,} {what} or more, above the limit of {int(limit):,}"

    def _column(self, column: Column) -> ColumnSize:
        size = size_by_footer(column) if self.file is None else column_size(self.file, column)
        if column.kind == FIXED_LENGTH:
            size.bytes = max(size.bytes, size.values * column.width)
        if column.kind != BYTE_ARRAY:
            size.dictionary_values = 0
        return size

    def _bytes(self, group: int, column: Column, size: ColumnSize, limit: int) -> int:
        """The bytes that a column decodes to; repeated strings of a dictionary are counted only if they could pass the
        limit."""
        if size.dictionary_values * size.dictionary_bytes <= limit:
            return size.bytes
        path = ".".join(column.path)
        with self.open_table([path]) as table:
            longest = 0
            for lengths, _ in _entries(table, group, path, 1):
                longest = int(lengths.max(initial=0))
                break
            if size.dictionary_values * longest <= limit:
                return size.bytes
            total = size.bytes
            for lengths, chosen in _entries(table, group, path, _BATCH_ROWS):
                total += int(lengths[chosen].sum())
                if total > limit:
                    break
            return total


def _entries(
    table: pq.ParquetFile, group: int, path: str, rows: int
) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """The lengths of a dictionary's strings, and which of the strings are in a batch of rows."""
    try:
        for batch in table.iter_batches(batch_size=rows, row_groups=[group], columns=[path], use_threads=False):
            for leaf in leaves(batch.column(0)):
                if pt.is_dictionary(leaf.type):
                    lengths = pc.fill_null(pc.binary_length(leaf.dictionary), 0).to_numpy(zero_copy_only=False)
                    yield lengths.astype(np.int64), leaf.indices.drop_null().to_numpy(zero_copy_only=False)
    except (pa.ArrowException, OSError):
        return  # reading the rows reports the error


def leaves(column: pa.Array) -> Iterator[pa.Array]:
    """The innermost columns."""
    kind = column.type
    if pt.is_struct(kind):
        for i in range(kind.num_fields):
            yield from leaves(column.field(i))
    elif pt.is_map(kind):
        yield from leaves(column.keys)
        yield from leaves(column.items)
    elif pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
        yield from leaves(column.flatten())
    else:
        yield column
