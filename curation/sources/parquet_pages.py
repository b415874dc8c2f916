"""Estimates the decoded size of a column of Parquet from the headers of its pages, without decoding.

The layout is that of parquet.thrift (https://github.com/apache/parquet-format).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from curation.sources.parquet_footer import Column
from curation.sources.thrift_compact import ShortError, Struct, number

_PEEK = 256
_LONGEST_HEADER = 1 << 24
_FARTHEST = 1 << 62
_DICTIONARY_PAGE = 2
_DICTIONARY_ENCODINGS = (2, 8)
_SHARED_PREFIXES = 7


@dataclass(frozen=True)
class ParquetPage:
    """A page of ``size`` bytes without compression; ``begin`` and ``end`` are offsets in the file. ``encoding`` is a
    number of parquet.thrift, or -1 for a dictionary."""

    begin: int
    end: int
    size: int
    values: int
    encoding: int


@dataclass
class ColumnSize:
    """The size of a column of a row group: ``bytes`` without compression, in ``values`` values.

    Strings may refer to a dictionary (``dictionary_values`` strings of at most ``dictionary_bytes`` each), or share a
    prefix with the string before (``shared_values`` strings of at most ``longest_shared`` each).
    """

    values: int
    bytes: int = 0
    dictionary_bytes: int = 0
    dictionary_values: int = 0
    shared_values: int = 0
    longest_shared: int = 0


def column_size(file: IO[bytes], column: Column) -> ColumnSize:
    """The maximum decoded size of a column of a row group, by its pages up to the first broken page."""
    found = ColumnSize(column.values)
    values = 0
    for page in pages(file, column):
        found.bytes += page.size
        if page.encoding == -1:
            found.dictionary_bytes = max(found.dictionary_bytes, page.size)
            continue
        values += page.values
        if page.encoding in _DICTIONARY_ENCODINGS:
            found.dictionary_values += page.values
        elif page.encoding == _SHARED_PREFIXES:
            found.shared_values += page.values
            found.longest_shared = max(found.longest_shared, page.size)
    found.values = max(found.values, values)
    return found


def size_by_footer(column: Column) -> ColumnSize:
    """The maximum decoded size of a column, by the footer alone."""
    repeated = column.values if column.dictionary_offset else 0
    return ColumnSize(column.values, column.size, column.size if repeated else 0, repeated)


def pages(file: IO[bytes], column: Column) -> Iterator[ParquetPage]:
    """The pages of one column of a row group, up to the first page with a broken header."""
    at = column.first_byte
    end = at + column.stored
    values = 0
    while at < end and values < column.values:
        page = _page(file, at)
        if page is None:
            return
        yield page
        values += 0 if page.encoding == -1 else page.values
        at = page.end


def _page(file: IO[bytes], at: int) -> ParquetPage | None:
    """The page whose header begins at an offset; None if there is no header."""
    size = _PEEK
    if not 0 <= at < _FARTHEST:
        return None
    while size <= _LONGEST_HEADER:
        file.seek(at)
        data = file.read(size)
        reader = Struct(data)
        try:
            fields = reader.fields()
        except ShortError:
            if len(data) < size:
                return None
            size *= 8
            continue
        except ValueError:
            return None
        return _as_page(fields, at, at + reader.at)
    return None


def _as_page(fields: dict[int, object], begin: int, data: int) -> ParquetPage | None:
    """Reads a PageHeader: field 1 type, 2 and 3 sizes, 5, 7, 8 header of a data page, dictionary, data page 2."""
    kind, size, stored = (number(fields, n) for n in (1, 2, 3))
    if min(size, stored) < 0:
        return None
    inner = fields.get({0: 5, _DICTIONARY_PAGE: 7, 3: 8}.get(kind, 0))
    inner = inner if isinstance(inner, dict) else {}
    encoding = -1 if kind == _DICTIONARY_PAGE else number(inner, 4 if kind == 3 else 2)
    return ParquetPage(begin, data + stored, size, max(0, number(inner, 1)), encoding)
