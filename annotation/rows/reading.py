"""Reads rows from files: JSON lines, a JSON array, CSV or TSV, each plain or compressed, UTF-8 or UTF-16; Parquet;
Arrow."""

import bz2
import codecs
import gzip
import json
import lzma
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase, BufferedReader, BytesIO
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from annotation.rows.delimited import DELIMITERS, records
from schemas.checksums import sha256_of
from schemas.errors import UserError
from schemas.named_files import open_named
from schemas.parquet import open_parquet

ROWS = 1024
"""Rows of Parquet or Arrow that are converted to Python values at once."""

COMPRESSIONS = {
    ".gz": b"\x1f\x8b",
    ".zst": b"\x28\xb5\x2f\xfd",
    ".bz2": b"BZh",
    ".xz": b"\xfd7zXZ\x00",
    ".lz4": b"\x04\x22\x4d\x18",
}
"""The endings of compressed files, and the bytes with which these files begin."""

_BROKEN = (
    *(pa.ArrowException, OSError, EOFError, ValueError, OverflowError, LookupError),
    *(zlib.error, lzma.LZMAError, MemoryError),
)
"""Errors from broken files: from Arrow, decompression, and invalid texts and dates. A wrong size in a file asks for
more memory than any machine has."""


@dataclass(frozen=True)
class Unreadable:
    """A record that is not a row: its content as JSON text, and why it cannot be read."""

    raw: str
    message: str


Row = dict[str, Any] | Unreadable


def digest(path: Path) -> str:
    """The SHA-256 of a file. Raises UserError if the file cannot be read."""
    with _open(path) as stream:
        return sha256_of(stream)


def rows(
    path: Path, columns: frozenset[str], seen: set[str] | None = None, texts: Collection[str] = ()
) -> Iterator[tuple[int, Row]]:
    """The rows of a file, each with its number from 1 (in JSON lines: the line number; blank lines are skipped).

    The first bytes of a file decide its type, only CSV and TSV are recognized by their endings. From Parquet and Arrow
    only ``columns`` are read. The names of all fields in the file are added to ``seen``. JSON in a cell of CSV is
    parsed, except in the columns ``texts``. Raises UserError if the file cannot be opened or is broken at any place.
    """
    seen = set() if seen is None else seen
    with _open(path) as stream:
        begin = stream.read(6)
        stream.seek(0)
        try:
            if begin[:4] == b"PAR1":
                yield from _parquet(open_parquet(stream), columns, seen)
            elif begin == b"ARROW1":
                file = pa.ipc.open_file(stream)
                yield from _arrow((file.get_batch(k) for k in range(file.num_record_batches)), columns, seen)
            elif begin[:4] == b"\xff\xff\xff\xff":
                yield from _arrow(pa.ipc.open_stream(stream), columns, seen)
            else:
                for number, row in _texts(_utf8(_decompress(stream, begin)), path, texts):
                    if isinstance(row, dict):
                        seen.update(row)
                    yield number, row
        except _BROKEN as error:
            raise UserError(
                f"{path} is broken or of an unknown type ({error}): give JSON lines, a JSON array, CSV or TSV "
                "(UTF-8 or UTF-16; plain, gzip, zstd, bzip2, xz or lz4), Parquet or Arrow"
            ) from error


@contextmanager
def _open(path: Path) -> Iterator[BufferedReader]:
    try:
        stream = open_named(path)
    except (OSError, ValueError) as error:  # ValueError: an invalid file name
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{str(path)!r} cannot be read ({reason}): name an existing file") from error
    with stream:
        yield stream


def _decompress(stream: BufferedReader, begin: bytes) -> BufferedIOBase:
    if begin.startswith(COMPRESSIONS[".gz"]):
        return gzip.GzipFile(fileobj=stream)
    for ending, name in ((".zst", "zstd"), (".lz4", "lz4")):
        if begin.startswith(COMPRESSIONS[ending]):
            return BufferedReader(pa.CompressedInputStream(stream, name), 1 << 20)
    if begin.startswith(COMPRESSIONS[".bz2"]):
        return bz2.BZ2File(stream)
    if begin.startswith(COMPRESSIONS[".xz"]):
        return lzma.LZMAFile(stream)
    return stream


def _utf8(stream: Any) -> Any:
    """The bytes of a text as UTF-8: a text that begins with the byte order mark of UTF-16 is converted, in memory."""
    if stream.peek(2)[:2] not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return stream
    return BytesIO(stream.read().decode("utf-16").encode())


def _texts(stream: BufferedIOBase, path: Path, texts: Collection[str]) -> Iterator[tuple[int, Row]]:
    name = path.name.lower()
    for ending in COMPRESSIONS:
        name = name.removesuffix(ending)
    delimiter = DELIMITERS.get(Path(name).suffix)
    if delimiter is None:
        yield from _json(stream)
        return
    for number, record in enumerate(records(stream, delimiter, str(path), texts), 1):
        yield number, record if isinstance(record, dict) else Unreadable(as_json(record[0]), record[1])


def _json(stream: BufferedIOBase) -> Iterator[tuple[int, Row]]:
    first = stream.readline().removeprefix(codecs.BOM_UTF8)
    number = 1
    while first and not first.strip():
        first = stream.readline()
        number += 1
    if first.lstrip()[:1] == b"[":
        for place, row in enumerate(orjson.loads(first + stream.read()), 1):
            yield place, row if isinstance(row, dict) else _not_an_object(row)
        return
    while first:
        if first.strip():
            yield number, _line(first)
        first = stream.readline()
        number += 1


def _line(line: bytes) -> Row:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        row = _python_json(line)
        if row is None:
            text = line.rstrip(b"\r\n").decode("utf-8", "replace")
            return Unreadable(as_json(text), f"the line is no JSON: {error}")
    return row if isinstance(row, dict) else _not_an_object(row)


def _python_json(line: bytes) -> Any:
    """A line in Python's superset of JSON, with NaN and infinite numbers; None if the line is invalid in other ways."""
    try:
        row = json.loads(line)
        orjson.dumps(row)  # raises for a lone surrogate, or a number beyond 64 bits
    except (ValueError, TypeError, RecursionError):
        return None
    return row


def _not_an_object(row: Any) -> Unreadable:
    return Unreadable(as_json(row), "a row is a JSON object")


def _parquet(file: pq.ParquetFile, columns: frozenset[str], seen: set[str]) -> Iterator[tuple[int, Row]]:
    _refuse_repeated(file.schema_arrow.names, columns)
    seen.update(file.schema_arrow.names)
    named = [name for name in file.schema_arrow.names if name in columns]
    return _arrow(file.iter_batches(ROWS, columns=named), columns, seen)


def _arrow(batches: Iterator[pa.RecordBatch], columns: frozenset[str], seen: set[str]) -> Iterator[tuple[int, Row]]:
    number = 0
    for batch in batches:
        _refuse_repeated(batch.schema.names, columns)
        seen.update(batch.schema.names)
        batch = batch.select([name for name in batch.schema.names if name in columns])
        for column in batch.columns:  # Arrow believes the lengths and places in a file: wrong ones end the process
            column.view(_without_texts(column.type)).validate(full=True)
        for start in range(0, len(batch), ROWS):
            for row in _values(batch.slice(start, ROWS)):
                number += 1
                yield number, row


def _without_texts(kind: pa.DataType) -> pa.DataType:
    """The type with bytes in place of texts: a text that is not UTF-8 costs its row alone."""
    plain = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary(), pa.string_view(): pa.binary_view()}
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_without_texts(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_without_texts(kind.value_type)))
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_without_texts(kind.value_type)))
    return plain.get(kind, kind)


def _refuse_repeated(names: Sequence[str], columns: Collection[str]) -> None:
    """Raises ValueError if a column that is read has the name of another column."""
    twice = [name for name, count in Counter(names).items() if count > 1 and name in columns]
    if twice:
        raise ValueError(f"two columns are named {twice[0]!r}")


def _values(batch: pa.RecordBatch) -> list[Row]:
    try:
        return list(batch.to_pylist())
    except (UnicodeDecodeError, OverflowError, ValueError) as error:
        if len(batch) == 1:
            return [Unreadable("null", f"the row holds what is no value: {error}")]
        half = len(batch) // 2
        return _values(batch.slice(0, half)) + _values(batch.slice(half))


def as_json(value: Any) -> str:
    """Any value from a file as JSON text; types that JSON lacks (bytes, durations) as Python's ``str``. A value that
    nests too deeply for a writer is null."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        pass
    try:
        return json.dumps(value, default=str)  # orjson writes 254 levels at most, and reads more
    except (RecursionError, TypeError, ValueError):
        return "null"
