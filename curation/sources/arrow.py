"""Arrow IPC: files (Feather of version 2 is such a file) and streams, batch by batch."""

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.types as pt

from curation.sources.chunks import Chunk, Rows
from curation.sources.decompression import Broken, Event
from curation.sources.parquet import BatchRows, is_content

_ERRORS = (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError)


def read_arrow_file(source: str | IO[bytes], rows: Rows) -> Iterator[Chunk]:
    """Reads the batches of a file with a footer; the last chunk stays in ``rows``. ``offset`` is the number of the row
    among those that can be read: a batch that cannot be is one row of quarantine, and the next one is read."""
    with pa.OSFile(source) if isinstance(source, str) else pa.PythonFile(source, "r") as opened:
        size = opened.size()
        try:
            file = pa.ipc.open_file(opened)
            batches = BatchRows(file.schema, rows)
        except _ERRORS as error:
            _raise_outage(error)
            rows.broken("bad_arrow", f"the file cannot be read: {error}", offset=0, size=0, record=b"", lost=size)
            return
        if not batches.has_text:
            rows.broken("no_text", batches.no_text, offset=0, size=0, record=b"", lost=size)
            return
        first, count = 0, file.num_record_batches
        for n in range(count):
            rows.read(size // count)
            try:
                batch = _checked(file.get_batch(n))
            except _ERRORS as error:
                _raise_outage(error)
                message = f"batch {n} cannot be read: {error}"
                rows.broken("bad_arrow", message, offset=first, size=0, record=b"", lost=size // count)
                continue
            for piece, place in _pieces(batch, first, rows):
                yield from _add(piece, place, batches)
            first += len(batch)


def read_arrow_stream(events: Iterator[Event], rows: Rows) -> Iterator[Chunk]:
    """Reads the batches of a stream, up to the first one that is damaged: it hides where the next one begins."""
    stream = _Stream(events, rows)
    first = n = 0
    batches: BatchRows | None = None
    while True:
        try:
            if batches is None:
                reader = pa.ipc.open_stream(pa.PythonFile(stream, "r"))
                batches = BatchRows(reader.schema, rows)
                if not batches.has_text:
                    rows.broken("no_text", batches.no_text, offset=0, size=0, record=b"", lost=rows.stored_bytes)
                    return
            batch = _checked(reader.read_next_batch())
        except StopIteration:
            if not stream.more():
                return
            batches = None  # another stream follows
            continue
        except _ERRORS as error:
            _raise_outage(error)
            lost = max(0, rows.stored_bytes - stream.position)
            message = f"batch {n} and what follows it cannot be read: {error}"
            rows.broken("bad_arrow", message, offset=first, size=0, record=b"", lost=lost)
            return
        for piece, place in _pieces(batch, first, rows):
            yield from _add(piece, place, batches)
        first += len(batch)
        n += 1


def _raise_outage(error: Exception) -> None:
    """Raises the error again unless the bytes of the file caused it."""
    if isinstance(error, OSError) and not is_content(error):
        raise error


def _checked(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch, if its offsets and lengths hold; raises ArrowInvalid. Strings that are not UTF-8 cost their rows."""
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


def _pieces(batch: pa.RecordBatch, first: int, rows: Rows) -> Iterator[tuple[pa.RecordBatch, int]]:
    """The batch in pieces of about ``batch_bytes``, and the number of each one's first row."""
    size = max(1, rows.reading.batch_bytes * len(batch) // max(1, batch.nbytes))
    for start in range(0, len(batch), size):
        yield batch.slice(start, size), first + start


def _add(batch: pa.RecordBatch, first: int, batches: BatchRows) -> Iterator[Chunk]:
    batches.add(batch, first)
    if batches.rows.full:
        yield batches.rows.take()


class _Stream:
    """The bytes of a stream as a file that is read from front to back."""

    def __init__(self, events: Iterator[Event], rows: Rows) -> None:
        self.position = 0
        self.closed = False
        self._events = events
        self._rows = rows
        self._buf = bytearray()

    def read(self, size: int = -1) -> bytes:
        """The next ``size`` bytes; fewer at the end."""
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
            self._rows.read(len(event))
            self._buf += event
        elif isinstance(event, Broken):
            self._rows.undecoded(event, self.position)

    def more(self) -> bool:
        """Whether anything but padding follows."""
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
