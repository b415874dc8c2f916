"""Reads Arrow IPC files (Feather version 2 is the same format) and streams, batch by batch."""

from collections.abc import Iterator
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from curation.sources.chunks import Chunk, ChunkBuilder
from curation.sources.events import Broken, Event
from curation.sources.opening import is_content
from curation.sources.parquet import BatchRows
from curation.sources.parquet_limits import BYTES, BYTES_PER_BYTE, ROWS, ROWS_PER_BYTE, leaves

_ERRORS = (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError)


def read_arrow_file(source: str | IO[bytes], builder: ChunkBuilder) -> Iterator[Chunk]:
    """Reads the batches of a file with a footer; the last chunk stays in ``builder``.

    ``offset`` counts the rows of readable batches. An unreadable batch is one row of quarantine, and reading continues
    with the next batch.
    """
    with pa.OSFile(source) if isinstance(source, str) else pa.PythonFile(source, "r") as opened:
        size = opened.size()
        try:
            file = pa.ipc.open_file(opened)
            batches = BatchRows(file.schema, builder)
        except _ERRORS as error:
            _raise_outage(error)
            builder.quarantine("bad_arrow", f"the file cannot be read: {error}", lost=size)
            return
        if not batches.has_text:
            builder.quarantine("no_text", batches.no_text, lost=size)
            return
        first, count = 0, file.num_record_batches
        limits = _Limits(size)
        for n in range(count):
            builder.count_bytes(size // count)
            try:
                batch = _check_offsets(file.get_batch(n))
                limits.take(batch)
            except _TooFarError as error:
                builder.quarantine("expands_too_far", f"batch {n}: {error}", offset=first, lost=size // count)
                continue
            except _ERRORS as error:
                _raise_outage(error)
                message = f"batch {n} cannot be read: {error}"
                builder.quarantine("bad_arrow", message, offset=first, lost=size // count)
                continue
            for piece, place in _pieces(batch, first, builder):
                yield from _add(piece, place, batches)
            first += len(batch)


def read_arrow_stream(events: Iterator[Event], builder: ChunkBuilder) -> Iterator[Chunk]:
    """Reads the batches of a stream up to the first damaged batch, after which the next batch cannot be found."""
    stream = _Stream(events, builder)
    first = n = 0
    batches: BatchRows | None = None
    limits = _Limits(builder.stored_bytes)
    while True:
        try:
            if batches is None:
                reader = pa.ipc.open_stream(pa.PythonFile(stream, "r"))
                batches = BatchRows(reader.schema, builder)
                if not batches.has_text:
                    builder.quarantine("no_text", batches.no_text, lost=builder.stored_bytes)
                    return
            batch = _check_offsets(reader.read_next_batch())
            limits.take(batch)
        except _TooFarError as error:
            message = f"batch {n} and what follows it: {error}"
            builder.quarantine("expands_too_far", message, offset=first, lost=builder.stored_bytes)
            return
        except StopIteration:
            if not stream.more():
                return
            batches = None  # another stream follows in the file
            continue
        except _ERRORS as error:
            _raise_outage(error)
            lost = max(0, builder.stored_bytes - stream.position)
            message = f"batch {n} and what follows it cannot be read: {error}"
            builder.quarantine("bad_arrow", message, offset=first, lost=lost)
            return
        for piece, place in _pieces(batch, first, builder):
            yield from _add(piece, place, batches)
        first += len(batch)
        n += 1


def _raise_outage(error: Exception) -> None:
    """Reraises an error that the bytes of the file did not cause."""
    if not is_content(error):
        raise error


def _check_offsets(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Returns the batch. Raises ArrowInvalid if its offsets or lengths are invalid.

    Strings that are not UTF-8 pass here: only their rows are lost.
    """
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        columns = [_as_bytes(column) for column in batch.columns]
        pa.RecordBatch.from_arrays(columns, names=[str(n) for n in range(len(columns))]).validate(full=True)
    return batch


def _as_bytes(column: pa.Array) -> pa.Array:
    if pt.is_string(column.type):
        return column.view(pa.binary())
    return column.view(pa.large_binary()) if pt.is_large_string(column.type) else column


class _TooFarError(Exception):
    """Batches that decode to far more than their stored bytes."""


class _Limits:
    """Counts the rows and bytes that a file of ``stored`` bytes decodes to. The limits are those of Parquet."""

    def __init__(self, stored: int) -> None:
        self.stored = stored
        self.rows = self.bytes = 0

    def take(self, batch: pa.RecordBatch) -> None:
        """Counts a batch. Raises _TooFarError if a limit is passed."""
        self.rows += len(batch)
        self.bytes += batch.nbytes + _repeated_bytes(batch)
        for count, limit, what in (
            (self.rows, ROWS + ROWS_PER_BYTE * self.stored, "rows"),
            (self.bytes, BYTES + BYTES_PER_BYTE * self.stored, "bytes"),
        ):
            if count > limit:
                stored, most = f"{self.stored:,} stored bytes", f"{int(limit):,}"
                raise _TooFarError(f"{stored} decode to {count:,} {what} or more, above the limit of {most}")


def _repeated_bytes(batch: pa.RecordBatch) -> int:
    """Bytes of the values if each row had its own copy: a dictionary, a run or a view stores equal values once."""
    return sum(_repeated_bytes_of(leaf) for column in batch.columns for leaf in leaves(column))


def _repeated_bytes_of(column: pa.Array) -> int:
    kind = column.type
    if pt.is_dictionary(kind):
        counts = pc.value_counts(column.indices.drop_null())
        chosen = counts.field("values").to_numpy(zero_copy_only=False)
        return int((_lengths(column.dictionary)[chosen] * counts.field("counts").to_numpy()).sum())
    if pt.is_run_end_encoded(kind):
        ends = column.run_ends.cast(pa.int64()).to_numpy()
        return int((np.diff(ends, prepend=0) * _lengths(column.values)).sum())
    if pt.is_string_view(kind) or pt.is_binary_view(kind):
        return int(_lengths(column).sum())
    return 0


def _lengths(values: pa.Array) -> npt.NDArray[np.int64]:
    """The bytes of each value; their mean for types without lengths."""
    kind = values.type
    if pt.is_string_view(kind) or pt.is_binary_view(kind):  # a length, and twelve bytes that locate the value
        views = np.frombuffer(values.buffers()[1], np.int32)[::4] if len(values) else np.empty(0, np.int32)
        valid = values.is_valid().to_numpy(zero_copy_only=False)
        sizes: npt.NDArray[np.int64] = views[values.offset : values.offset + len(values)].astype(np.int64)
        return np.where(valid, sizes, 0)
    if pt.is_string(kind) or pt.is_binary(kind) or pt.is_large_string(kind) or pt.is_large_binary(kind):
        lengths = pc.fill_null(pc.binary_length(values), 0)
        return lengths.to_numpy(zero_copy_only=False).astype(np.int64)  # type: ignore[no-any-return]
    return np.full(len(values), -(-values.nbytes // max(1, len(values))), np.int64)


def _pieces(batch: pa.RecordBatch, first: int, builder: ChunkBuilder) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Pieces of the batch of about ``batch_bytes``, each with the number of its first row."""
    size = max(1, builder.reading.batch_bytes * len(batch) // max(1, batch.nbytes, _repeated_bytes(batch)))
    for start in range(0, len(batch), size):
        yield batch.slice(start, size), first + start


def _add(batch: pa.RecordBatch, first: int, batches: BatchRows) -> Iterator[Chunk]:
    batches.add(batch, first)
    if batches.builder.full:
        yield batches.builder.take()


class _Stream:
    """The bytes of a stream, as a file object that is read from front to back."""

    def __init__(self, events: Iterator[Event], builder: ChunkBuilder) -> None:
        self.position = 0
        self.closed = False
        self._events = events
        self._builder = builder
        self._buf = bytearray()

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes; fewer at the end of the stream."""
        while size < 0 or len(self._buf) < size:
            event = next(self._events, None)
            if event is None:
                break
            self._take(event)
        data = bytes(self._buf[:size] if size >= 0 else self._buf)
        del self._buf[: len(data)]
        self.position += len(data)
        return data

    def _take(self, event: Event) -> None:
        if isinstance(event, bytes):
            self._builder.count_bytes(len(event))
            self._buf += event
        elif isinstance(event, Broken):
            self._builder.quarantine_stretch(event, self.position)
        else:
            self._builder.start_member()

    def more(self) -> bool:
        """Whether anything other than padding follows."""
        while not self._buf.strip(b"\0"):
            del self._buf[:]
            event = next(self._events, None)
            if event is None:
                return False
            self._take(event)
        return True

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True
