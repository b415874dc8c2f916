"""Reads CSV and TSV: a header row, then one document per row; quoted fields may contain line feeds."""

import csv
from collections import Counter, deque
from collections.abc import Iterator
from typing import Literal

from curation.sources.chunks import Chunk, ChunkBuilder, RecordError
from curation.sources.events import EXCERPT_BYTES, Broken, Event, MemberStart
from curation.sources.json_objects import Fields

csv.field_size_limit((1 << 31) - 1)  # max_record_bytes limits rows instead

_DELIMITERS = ",;|\t"
_FREE_RETRIES = 32 << 20
_RETRIES = 4
"""After damage, at most _FREE_RETRIES bytes plus _RETRIES times the bytes read so far are parsed again."""


def read_delimited(events: Iterator[Event], kind: Literal["csv", "tsv"], builder: ChunkBuilder) -> Iterator[Chunk]:
    """Reads every row below the header; the last rows stay in ``builder``.

    ``offset`` is the place of a row's first line in the decompressed file. Fields of CSV are separated by commas,
    semicolons, bars or tabs: by whichever is most frequent in the header. Only the row itself is lost when a row is
    damaged or has another number of fields than the header: the next line is tried as a row.
    """
    table = _Table(_Lines(events, builder), "\t" if kind == "tsv" else None, builder)
    while table.step():
        if builder.full:
            yield builder.take()


class _TooLargeError(Exception):
    """A row of more than max_record_bytes."""


class _Lines:
    """Iterates over the lines of a file; lines taken since the last ``forget`` can be put back."""

    def __init__(self, events: Iterator[Event], builder: ChunkBuilder) -> None:
        self.position = 0
        self.held = 0
        self.taken: list[bytes] = []
        self.undecodable = False
        self.cut = False
        """Whether the file is broken right after the last line."""
        self._events = events
        self._builder = builder
        self._limit = builder.reading.max_record_bytes
        self._back: deque[bytes] = deque()
        self._lines = self._split()

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self.held > self._limit:
            raise _TooLargeError
        line = self._back.popleft() if self._back else next(self._lines)
        self.taken.append(line)
        self.held += len(line)
        if line.isascii():
            return line.decode("ascii")
        try:
            return line.decode()
        except UnicodeDecodeError:
            self.undecodable = True
            return line.decode("utf-8", "surrogateescape")

    def forget(self) -> int:
        """Ends the row; returns the offset of its start."""
        begin, self.position = self.position, self.position + self.held
        self.taken, self.held, self.undecodable = [], 0, False
        return begin

    def unread(self) -> None:
        """Puts back all lines taken."""
        self._back.extendleft(reversed(self.taken))
        self.taken, self.held, self.undecodable = [], 0, False

    def put_back(self) -> bytes:
        """Drops and returns the first line taken, and puts back the others."""
        first = self.taken.pop(0)
        self.unread()
        self.position += len(first)
        return first

    def _split(self) -> Iterator[bytes]:
        """Lines with their line ends. A line that is too long comes in pieces of about the limit."""
        carry: list[bytes] = []
        carried = 0
        for event in self._events:
            if isinstance(event, Broken):
                yield from self._flush(carry)
                carry, carried = [], 0
                self._builder.quarantine_stretch(event, self.position + self.held)
                self.cut = True
            elif isinstance(event, MemberStart):
                self._builder.start_member()
            if not isinstance(event, bytes):
                continue
            self.cut = False
            self._builder.count_bytes(len(event))
            *whole, rest = event.split(b"\n")
            for n, line in enumerate(whole):
                yield b"".join([*carry, line, b"\n"]) if carry and n == 0 else line + b"\n"
                if n == 0:
                    carry, carried = [], 0
            if rest:
                carry.append(rest)
                carried += len(rest)
            if carried > self._limit:
                yield from self._flush(carry)
                carry, carried = [], 0
        yield from self._flush(carry)

    def _flush(self, carry: list[bytes]) -> Iterator[bytes]:
        if carry:
            yield b"".join(carry)


class _Table:
    """The rows of one file."""

    def __init__(self, lines: _Lines, delimiter: str | None, builder: ChunkBuilder) -> None:
        self.lines = lines
        self.delimiter = delimiter
        self.builder = builder
        self.fields = Fields(builder.reading.fields)
        self.names: list[str] | None = None
        self._retried = 0
        self._reader: Iterator[list[str]] | None = None

    def step(self) -> bool:
        """Reads one row; False at the end of the file."""
        if self._reader is None:
            self._reader = self._read_on()
        try:
            row = next(self._reader)
        except StopIteration:
            return False
        except (csv.Error, _TooLargeError) as error:
            self._skip_damaged_row(error)
            return True
        self._take(row)
        return True

    def _read_on(self) -> Iterator[list[str]]:
        """A parser that begins at the next line. The header determines the delimiter if it is not given."""
        if self.delimiter is None:
            line = next(self.lines, "")
            self.delimiter = max(_DELIMITERS, key=lambda mark: (line.count(mark), mark == ","))
            if line:
                self.lines.unread()
        return csv.reader(self.lines, delimiter=self.delimiter, strict=True)

    def _skip_damaged_row(self, error: Exception) -> None:
        """Quarantines the damaged row that begins here.

        Its lines after the first are parsed again, unless the file ends inside a row of usual length, whose lines could
        look like rows.
        """
        self._reader = None
        cut = self.lines.cut and self.lines.held <= EXCERPT_BYTES and not isinstance(error, _TooLargeError)
        many = len(self.lines.taken) > 1
        self._retried += self.lines.held if many else 0
        begin, held = self.lines.position, self.lines.held
        if cut or self._retried > _FREE_RETRIES + _RETRIES * (begin + held):
            record = b"".join(self.lines.taken)
            self.lines.forget()
        else:
            record = self.lines.put_back()
        limit = self.builder.reading.max_record_bytes
        if isinstance(error, _TooLargeError) and len(record) > limit:
            word, message = "too_large", f"a row of more than max_record_bytes = {limit} bytes"
        else:
            word, message = "bad_row", f"a row that cannot be parsed: {error or 'a quote that does not end'}"
        self.builder.quarantine(word, message, offset=begin, record=record)

    def _take(self, row: list[str]) -> None:
        record, undecodable = self.lines.taken, self.lines.undecodable
        size = self.lines.held
        begin = self.lines.forget()
        if not row:
            return
        if self.names is None:
            self._take_names(row)
            return
        try:
            if size > self.builder.reading.max_record_bytes:
                limit = self.builder.reading.max_record_bytes
                raise RecordError("too_large", f"a row of {size} bytes, more than max_record_bytes = {limit}")
            if undecodable:
                raise RecordError("bad_utf8", "the row is not UTF-8")
            if len(row) != len(self.names):
                message = f"a row of {len(row)} fields under a header of {len(self.names)}"
                raise RecordError("bad_row", message)
            values = self.fields.document(dict(zip(self.names, row, strict=True)))
        except RecordError as bad:
            excerpt = b"".join(record)[:EXCERPT_BYTES]
            self.builder.quarantine(bad.error, str(bad), offset=begin, size=size, record=excerpt)
            return
        self.builder.add_document(offset=begin, **values)  # type: ignore[arg-type]

    def _take_names(self, row: list[str]) -> None:
        """Reads the header. Repeated names get unique numbers: ``note``, ``note_2``, ``note_3``."""
        given = [name.removeprefix("\ufeff").strip().encode("utf-8", "replace").decode() for name in row]
        taken, counts = set(given), Counter[str]()
        self.names = []
        for name in given:
            counts[name] += 1
            numbered = name
            while counts[name] > 1 and (numbered == name or numbered in taken):
                numbered = f"{name}_{counts[name]}"
                counts[name] += numbered in taken
            taken.add(numbered)
            self.names.append(numbered)
