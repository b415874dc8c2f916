"""Reads Parquet files by row groups: columns of any type become columns of a document, the others metadata."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import IO, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from fsspec.spec import AbstractBufferedFile

from curation.sources.arrow_values import Broken, as_text, json_values, nested_field
from curation.sources.chunks import Chunk, ChunkBuilder, content_id
from curation.sources.events import EXCERPT_BYTES
from curation.sources.inputs import Span
from curation.sources.json_objects import Fields
from curation.sources.opening import is_content, open_stored
from curation.sources.parquet_footer import Footer, RowGroup, read_footer
from curation.sources.parquet_limits import Limits
from schemas.corpus import RECORDS
from schemas.parquet import open_parquet

_SCALARS = ("url", "doc_id", "source", "date")
_LARGEST_ROW = 1 << 62
SHOWN_BYTES = 100
"""Bytes of a bad value that a message shows."""


def _row_groups(path: str) -> tuple[RowGroup, ...]:
    """The row groups of a file; empty if its footer is damaged."""
    with open_stored(path) as file:
        try:
            return read_footer(file).groups
        except ValueError:
            return ()


def row_group_ranges(path: str, unit_bytes: int) -> list[tuple[int, int | None]]:
    """Ranges of row groups with about ``unit_bytes`` stored bytes each; empty if the footer is damaged."""
    ranges: list[tuple[int, int | None]] = []
    start = gathered = 0
    groups = _row_groups(path)
    for number, group in enumerate(groups):
        if number > start and gathered + group.stored > unit_bytes:
            ranges.append((start, number))
            start, gathered = number, 0
        gathered += group.stored
    return [*ranges, (start, None)] if groups else []


def byte_range(path: str, span: Span) -> tuple[int, int | None]:
    """The bytes of the file that belong to a span of row groups; the ranges of all spans cover the file."""
    if span.start == 0 and span.end is None:
        return 0, None
    groups = _row_groups(path)
    if span.start >= len(groups):
        return 0, None
    start = 0 if span.start == 0 else groups[span.start].first_byte
    return start, None if span.end is None or span.end >= len(groups) else groups[span.end].first_byte


def read_parquet(source: str | IO[bytes], span: Span, builder: ChunkBuilder) -> Iterator[Chunk]:
    """Reads the row groups [span.start, span.end) of a local path or open file; the last chunk stays in ``builder``."""
    with ExitStack() as opened:
        file = opened.enter_context(open(source, "rb", buffering=0)) if isinstance(source, str) else source
        try:
            footer = read_footer(file)
            table = opened.enter_context(open_parquet(source))
            near = None if isinstance(source, AbstractBufferedFile) else file
            limits = Limits(footer.groups, near, builder.stored_bytes, partial(open_parquet, source))
            reader = _Reader(table, builder, limits)
        except (pa.ArrowException, OSError, ValueError) as error:
            if not is_content(error):
                raise
            message = f"the footer cannot be read: {str(error) or 'it is cut short'}"
            builder.quarantine("bad_parquet", message, lost=builder.stored_bytes)
            return
        yield from _read_groups(reader, footer, span, builder)


def _read_groups(reader: "_Reader", footer: Footer, span: Span, builder: ChunkBuilder) -> Iterator[Chunk]:
    groups = footer.groups
    numbers = range(span.start, len(groups) if span.end is None else min(span.end, len(groups)))
    held = sum(group.rows for group in groups)
    if held != footer.rows and span.start == 0:
        message = f"the footer says that there are {footer.rows} rows, and lists {held}"
        builder.quarantine("bad_parquet", message)
    first = min(sum(group.rows for group in groups[: span.start]), _LARGEST_ROW)
    if not reader.has_text:
        whole = span.end is None and not span.start
        lost = builder.stored_bytes if whole else sum(groups[number].stored for number in numbers)
        builder.quarantine("no_text", reader.no_text, offset=first, lost=lost)
        return
    for number in numbers:
        builder.count_bytes(groups[number].stored)
        for _ in reader.read(number, first):
            if builder.full:
                yield builder.take()
        first = min(first + groups[number].rows, _LARGEST_ROW)


class BatchRows:
    """Adds batches with one schema to ``builder``."""

    def __init__(self, schema: pa.Schema, builder: ChunkBuilder) -> None:
        self.builder = builder
        self.fields = Fields(builder.reading.fields)
        self.names = schema.names
        self.place = {name: i for i, name in reversed(list(enumerate(self.names)))}
        self.has_text = nested_field(schema, self.fields.text) is not None

    @property
    def no_text(self) -> str:
        """The message for a file without the column of the text."""
        found = ", ".join(map(repr, self.names[:20])) or "none"
        return f"there is no column '{self.fields.text}'; the file's columns: {found}"

    def add(self, batch: pa.RecordBatch, first: int) -> None:
        """Adds a batch whose first row is row ``first``."""
        text, broken = as_text(nested_field(batch, self.fields.text), large=True)
        assert text is not None, "every type has a text or an error"
        limit = self.builder.reading.max_record_bytes
        lengths = pc.fill_null(pc.binary_length(text), 0).to_numpy(zero_copy_only=False)
        for n in np.flatnonzero(lengths > limit).tolist():
            broken[n] = ("too_large", f"a text of {lengths[n]} bytes, more than max_record_bytes = {limit}", b"")
        broken = _name_field(broken, self.fields.text)
        columns, used = self._scalars(batch, broken)
        metadata = self._metadata(batch, used, broken)
        for n, (error, message, record) in sorted(broken.items()):
            size = len(record) or int(lengths[n])
            if not record and size:
                record = text[n].as_buffer().slice(0, min(size, EXCERPT_BYTES)).to_pybytes()
            self.builder.quarantine(error, message, offset=first + n, size=size, record=record)
        rows = len(batch)
        source = self.builder.source_of(None)
        records = RECORDS.batch(
            {
                "text": pc.fill_null(text, ""),
                "url": columns["url"],
                "doc_id": self._doc_ids(columns["doc_id"], columns["url"], text),
                "source": pc.fill_null(columns["source"], source),
                "date": columns["date"],
                "file": pa.repeat(self.builder.name, rows),
                "offset": pa.array(np.arange(first, first + rows)),
                "metadata": metadata,
            }
        )
        if broken:
            good = np.ones(rows, bool)
            good[list(broken)] = False
            records = records.filter(pa.array(good))
        self.builder.add_batch(records, pc.sum(pc.binary_length(records["text"])).as_py() or 0)

    def _scalars(self, batch: pa.RecordBatch, broken: Broken) -> tuple[dict[str, pa.Array], set[str]]:
        """Url, doc_id, source and date as strings (null if empty), and the names of the fields used for them."""
        used = {self.fields.text}
        columns: dict[str, pa.Array] = {}
        for column in _SCALARS:
            values = pa.nulls(len(batch), pa.string())
            for name in self.fields.names[column]:
                field = nested_field(batch, name)
                if field is None or values.null_count == 0:
                    continue
                strings, bad = as_text(field, large=False)
                if strings is None:
                    continue
                used.add(name)
                for n, (error, message, value) in _name_field(bad, name).items():
                    shown = f": {value[:SHOWN_BYTES]!r}" if value else ""
                    broken.setdefault(n, (error, message + shown, b""))
                values = pc.coalesce(values, pc.if_else(pc.equal(strings, ""), None, strings))
            columns[column] = values
        return columns, used

    def _doc_ids(self, given: pa.Array, urls: pa.Array, texts: pa.Array) -> pa.Array:
        if given.null_count == 0:
            return given
        ids = given.to_pylist()
        for n in np.flatnonzero(given.is_null().to_numpy(zero_copy_only=False)).tolist():
            ids[n] = content_id(urls[n].as_py(), texts[n].as_py() or "")
        return pa.array(ids, pa.string())

    def _metadata(self, batch: pa.RecordBatch, used: set[str], broken: Broken) -> pa.Array:
        """Canonical JSON of all unused fields, per row."""
        left = {name: i for name, i in self.place.items() if name not in used}
        if not left:
            return pa.repeat(pa.scalar("{}", pa.large_string()), len(batch))
        columns: dict[str, list[Any]] = {}
        for name, i in left.items():
            columns[name], bad = json_values(batch.column(i))
            for n, why in _name_field(bad, name).items():
                broken.setdefault(n, why)
        nested = [name.split(".") for name in used if name not in self.place]
        names = list(columns)
        values = []
        for n, row in enumerate(zip(*columns.values(), strict=True)):
            record = dict(zip(names, row, strict=True))
            for path in nested:
                _remove(record, path)
            try:
                values.append(orjson.dumps(record, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS))
            except orjson.JSONEncodeError as error:
                values.append(b"")
                broken.setdefault(n, ("bad_value", f"the row's fields cannot be written as JSON: {error}", b""))
        return pa.array(values, pa.large_binary()).cast(pa.large_string())


class _Reader(BatchRows):
    """Adds the row groups of one file to ``builder``."""

    def __init__(self, file: pq.ParquetFile, builder: ChunkBuilder, limits: Limits) -> None:
        super().__init__(file.schema_arrow, builder)
        self.file = file
        self.limits = limits

    def read(self, group: int, first: int) -> Iterator[None]:
        """Adds a row group whose first row is row ``first``; yields after each batch."""
        found = self.limits.groups[group]
        count, size, stored = found.rows, found.size, found.stored
        why, expected, most_rows = self.limits.take(group)
        if why:
            message = f"row group {group}: {why}"
            self.builder.quarantine("expands_too_far", message, offset=first, lost=stored)
            return
        if expected > 4 * size + (16 << 20):
            size = expected
        batch_rows = max(1, min(count, most_rows, self.builder.reading.batch_bytes * count // max(1, size)))
        done = decoded = 0
        fault = ("", "")
        try:
            for batch in self.file.iter_batches(batch_size=batch_rows, row_groups=[group], use_threads=False):
                decoded += batch.nbytes
                if decoded > self.limits.most_bytes:
                    fault = ("expands_too_far", f"they decode to more than {self.limits.most_bytes:,} bytes")
                    break
                self.add(batch, first + done)
                done += len(batch)
                yield
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            if not is_content(error):
                raise
            fault = ("bad_row_group", str(error))
        if fault[0] or done != count:
            why = fault[1] or f"the footer says that it holds {count} rows"
            message = f"row group {group}: rows {first + done} to {first + count - 1} cannot be read: {why}"
            lost = stored * max(0, count - done) // max(count, 1)
            self.builder.quarantine(fault[0] or "bad_row_group", message, offset=first + done, lost=lost)


def _name_field(broken: Broken, name: str) -> Broken:
    """Puts the name of the field into the messages."""
    return {n: (error, message.replace("{field}", name), record) for n, (error, message, record) in broken.items()}


def _remove(record: dict[str, Any], path: list[str]) -> None:
    """Removes a nested field from a row."""
    for name in path[:-1]:
        inner = record.get(name)
        if not isinstance(inner, dict):
            return
        record = inner
    record.pop(path[-1], None)
