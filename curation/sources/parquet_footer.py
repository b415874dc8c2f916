"""Reads the footer of a Parquet file: places and sizes of row groups and columns.

pyarrow offers the same in its metadata, but for some damaged footers it ends the process.
"""

from dataclasses import dataclass
from typing import IO, TypeGuard

from curation.sources.thrift_compact import Struct, number

BYTE_ARRAY, FIXED_LENGTH = 6, 7
"""Physical types of strings, by their numbers in parquet.thrift."""

MOST_LEVELS = 100
"""Maximum nesting of columns: the libraries that read them are recursive."""


@dataclass(frozen=True)
class Column:
    """A column of one row group: ``stored`` bytes from ``first_byte`` on, ``size`` bytes without compression.

    ``width`` is the number of bytes of a value of FIXED_LENGTH. ``path`` has several names for a nested column.
    """

    kind: int
    width: int
    path: tuple[str, ...]
    values: int
    size: int
    stored: int
    data_offset: int
    dictionary_offset: int

    @property
    def first_byte(self) -> int:
        return self.dictionary_offset if 0 < self.dictionary_offset < self.data_offset else self.data_offset


@dataclass(frozen=True)
class RowGroup:
    """A row group; ``size`` is the number of bytes of all its columns without compression."""

    rows: int
    size: int
    columns: tuple[Column, ...]

    @property
    def stored(self) -> int:
        return sum(column.stored for column in self.columns)

    @property
    def first_byte(self) -> int:
        return min((column.first_byte for column in self.columns), default=0)


@dataclass(frozen=True)
class Footer:
    """The footer; ``rows`` is its number of rows of the whole file."""

    rows: int
    groups: tuple[RowGroup, ...]


def read_footer(file: IO[bytes]) -> Footer:
    """Reads the footer of a file. Raises ValueError if the footer is damaged."""
    end = file.seek(0, 2)
    file.seek(max(0, end - 8))
    tail = file.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or length + 12 > end:
        raise ValueError("the file does not end as Parquet does")
    file.seek(end - 8 - length)
    data = b"".join(iter(lambda: file.read(length), b"")) if length else b""
    found = Struct(data[:length]).fields()
    schema = _structs(found, 2)
    if (levels := _levels(schema)) > MOST_LEVELS:
        raise ValueError(f"its columns are nested {levels} levels deep, more than {MOST_LEVELS}")
    widths = [number(leaf, 2) for leaf in schema if not number(leaf, 5)]
    groups = [_row_group(group, widths) for group in _structs(found, 4)]
    return Footer(number(found, 3), tuple(groups))


def _levels(schema: list[dict[int, object]]) -> int:
    """The depth of a schema, whose elements come parents first, each with the number of its children."""
    deepest = 0
    missing: list[int] = []
    for element in schema:
        while missing and not missing[-1]:
            missing.pop()
        if missing:
            missing[-1] -= 1
        deepest = max(deepest, len(missing))
        if (children := number(element, 5)) > 0:
            missing.append(children)
    return deepest


def _row_group(fields: dict[int, object], widths: list[int]) -> RowGroup:
    columns = [_column(chunk, width) for chunk, width in zip(_structs(fields, 1), widths, strict=False)]
    return RowGroup(max(0, number(fields, 3)), max(0, number(fields, 2)), tuple(columns))


def _column(chunk: dict[int, object], width: int) -> Column:
    """Reads a ColumnChunk, whose field 3 is ColumnMetaData."""
    inner = chunk.get(3)
    fields = inner if isinstance(inner, dict) else {}
    names = fields.get(3)
    path = tuple(name.decode("utf-8", "replace") for name in names) if _are_bytes(names) else ()
    sizes = (max(0, number(fields, field)) for field in (5, 6, 7, 9, 11))
    return Column(number(fields, 1), max(0, width), path, *sizes)


def _are_bytes(values: object) -> TypeGuard[list[bytes]]:
    return isinstance(values, list) and all(isinstance(each, bytes) for each in values)


def _structs(fields: dict[int, object], field: int) -> list[dict[int, object]]:
    """The structs of a list; raises ValueError if the list contains anything else."""
    found = fields.get(field, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ValueError("the footer holds no list of structs where one belongs")
    return found
