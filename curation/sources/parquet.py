"""Parquet files by row groups: columns of any type into the columns of a document, the others into metadata."""

from collections.abc import Iterable, Iterator
from typing import IO, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curation.sources.arrow_values import Broken, as_text, json_values, nested_field
from curation.sources.chunks import Chunk, Rows, content_id
from curation.sources.decompression import EXCERPT_BYTES
from curation.sources.json_objects import Fields
from curation.sources.listing import Part
from curation.sources.opening import open_stored
from schemas.corpus import RECORDS

_SCALARS = ("url", "doc_id", "source", "date")
SHOWN_BYTES = 100
"""Of a bad value, in a message."""


def is_content(error: Exception) -> bool:
    """Whether the bytes of a file are at fault, and not the way to them: for some faults in them Arrow raises OSError,
    without a number."""
    return isinstance(error, pa.ArrowException) or (type(error) is OSError and error.errno is None)


def _footer(path: str) -> pq.FileMetaData | None:
    """None where it is corrupt."""
    with open_stored(path) as file:
        try:
            return pq.read_metadata(file)
        except (pa.ArrowException, OSError) as error:
            if not is_content(error):
                raise
            return None


def row_group_ranges(path: str, unit_bytes: int) -> list[tuple[int, int | None]]:
    """Ranges of row groups with about ``unit_bytes`` stored bytes each; none for a file whose footer is corrupt."""
    footer = _footer(path)
    if footer is None:
        return []
    ranges: list[tuple[int, int | None]] = []
    start = gathered = 0
    for group in range(footer.num_row_groups):
        size = _stored_bytes(footer, group)
        if group > start and gathered + size > unit_bytes:
            ranges.append((start, group))
            start, gathered = group, 0
        gathered += size
    ranges.append((start, None))
    return ranges


def byte_range(path: str, part: Part) -> tuple[int, int | None]:
    """The bytes of the file that belong to a range of row groups; the ranges of all parts make up the file."""
    if part.start == 0 and part.end is None:
        return 0, None
    footer = _footer(path)
    if footer is None:
        return 0, None
    start = 0 if part.start == 0 else _first_byte(footer, part.start)
    return start, None if part.end is None else _first_byte(footer, part.end)


def _stored_bytes(footer: pq.FileMetaData, group: int) -> int:
    return sum(int(footer.row_group(group).column(i).total_compressed_size) for i in range(footer.num_columns))


def _of_groups(footer: pq.FileMetaData, groups: Iterable[int]) -> int:
    return sum(_stored_bytes(footer, group) for group in groups)


def _first_byte(footer: pq.FileMetaData, group: int) -> int:
    columns = [footer.row_group(group).column(i) for i in range(footer.num_columns)]
    return min(int(min(c.data_page_offset, c.dictionary_page_offset or c.data_page_offset)) for c in columns)


def read_parquet(source: str | IO[bytes], part: Part, rows: Rows) -> Iterator[Chunk]:
    """Reads the row groups [part.start, part.end) of a local path or an open file; the last chunk stays in ``rows``."""
    try:
        table = pq.ParquetFile(source, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        if not is_content(error):
            raise
        message, lost = f"the footer cannot be read: {error}", rows.stored_bytes
        rows.broken("bad_parquet", message, offset=0, size=0, record=b"", lost=lost)
        return
    with table:
        footer = table.metadata
        held = sum(footer.row_group(i).num_rows for i in range(footer.num_row_groups))
        if held != footer.num_rows and part.start == 0:
            message = f"the footer says that there are {footer.num_rows} rows, and lists {held}"
            rows.broken("bad_parquet", message, offset=0, size=0, record=b"")
        reader = _Reader(table, rows)
        first = sum(footer.row_group(i).num_rows for i in range(part.start))
        groups = range(part.start, footer.num_row_groups if part.end is None else part.end)
        if not reader.has_text:
            lost = rows.stored_bytes if part.end is None and not part.start else _of_groups(footer, groups)
            rows.broken("no_text", reader.no_text, offset=first, size=0, record=b"", lost=lost)
            return
        for group in groups:
            rows.read(_stored_bytes(footer, group))
            for _ in reader.read(group, first):
                if rows.full:
                    yield rows.take()
            first += footer.row_group(group).num_rows


class BatchRows:
    """Adds batches of one schema to ``rows``."""

    def __init__(self, schema: pa.Schema, rows: Rows) -> None:
        self.rows = rows
        self.fields = Fields(rows.reading.fields)
        self.names = schema.names
        self.place = {name: i for i, name in reversed(list(enumerate(self.names)))}
        self.has_text = nested_field(schema, self.fields.text) is not None

    @property
    def no_text(self) -> str:
        """What is wrong with a file that has no column of text."""
        found = ", ".join(map(repr, self.names[:20])) or "none"
        return f"there is no column '{self.fields.text}'; the file's columns: {found}"

    def add(self, batch: pa.RecordBatch, first: int) -> None:
        """Adds a batch whose first row has the number ``first``."""
        text, broken = as_text(nested_field(batch, self.fields.text), large=True)
        assert text is not None, "every type has a text or an error"
        limit = self.rows.reading.max_record_bytes
        lengths = pc.fill_null(pc.binary_length(text), 0).to_numpy(zero_copy_only=False)
        for n in np.flatnonzero(lengths > limit).tolist():
            broken[n] = ("too_large", f"a text of {lengths[n]} bytes, more than max_record_bytes = {limit}", b"")
        broken = _of_field(broken, self.fields.text)
        columns, used = self._scalars(batch, broken)
        metadata = self._metadata(batch, used, broken)
        for n, (error, message, record) in sorted(broken.items()):
            size = len(record) or int(lengths[n])
            if not record and size:
                record = text[n].as_buffer().slice(0, min(size, EXCERPT_BYTES)).to_pybytes()
            self.rows.broken(error, message, offset=first + n, size=size, record=record)
        rows = len(batch)
        source = self.rows.source(None)
        records = RECORDS.batch(
            {
                "text": pc.fill_null(text, ""),
                "url": columns["url"],
                "doc_id": self._doc_ids(columns["doc_id"], columns["url"], text),
                "source": pc.fill_null(columns["source"], source),
                "date": columns["date"],
                "file": pa.repeat(self.rows.name, rows),
                "offset": pa.array(np.arange(first, first + rows)),
                "metadata": metadata,
            }
        )
        if broken:
            good = np.ones(rows, bool)
            good[list(broken)] = False
            records = records.filter(pa.array(good))
        self.rows.batch(records, pc.sum(pc.binary_length(records["text"])).as_py() or 0)

    def _scalars(self, batch: pa.RecordBatch, broken: Broken) -> tuple[dict[str, pa.Array], set[str]]:
        """Url, doc_id, source and date as strings (null where empty), and the fields that they came from."""
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
                for n, (error, message, value) in _of_field(bad, name).items():
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
        """Canonical JSON of every field that was not used."""
        left = {name: i for name, i in self.place.items() if name not in used}
        if not left:
            return pa.repeat(pa.scalar("{}", pa.large_string()), len(batch))
        columns: dict[str, list[Any]] = {}
        for name, i in left.items():
            columns[name], bad = json_values(batch.column(i))
            for n, why in _of_field(bad, name).items():
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
    """Adds the rows of one file's row groups to ``rows``."""

    def __init__(self, file: pq.ParquetFile, rows: Rows) -> None:
        super().__init__(file.schema_arrow, rows)
        self.file = file

    def read(self, group: int, first: int) -> Iterator[None]:
        """Adds a row group whose first row has the number ``first``; stops after each batch."""
        count = self.file.metadata.row_group(group).num_rows
        size = self.file.metadata.row_group(group).total_byte_size
        batch_rows = max(1, min(count, self.rows.reading.batch_bytes * count // max(1, size)))
        done = 0
        try:
            for batch in self.file.iter_batches(batch_size=batch_rows, row_groups=[group], use_threads=False):
                self.add(batch, first + done)
                done += len(batch)
                yield
            if done != count:
                raise pa.ArrowInvalid(f"the footer says that it holds {count} rows")
        except (pa.ArrowException, OSError) as error:
            if not is_content(error):
                raise
            message = f"row group {group}: rows {first + done} to {first + count - 1} cannot be read: {error}"
            lost = _stored_bytes(self.file.metadata, group) * (count - done) // max(count, 1)
            self.rows.broken("bad_row_group", message, offset=first + done, size=0, record=b"", lost=lost)


def _of_field(broken: Broken, name: str) -> Broken:
    """The messages with the name of their field."""
    return {n: (error, message.replace("{field}", name), record) for n, (error, message, record) in broken.items()}


def _remove(record: dict[str, Any], path: list[str]) -> None:
    """Takes a nested field out of a row."""
    for name in path[:-1]:
        inner = record.get(name)
        if not isinstance(inner, dict):
            return
        record = inner
    record.pop(path[-1], None)
