"""Reads JSON lines: cuts a stream, which may be huge, a range of a file, or broken, into blocks of complete lines."""

from collections.abc import Iterator

from curation.sources.chunks import Chunk, ChunkBuilder
from curation.sources.events import EXCERPT_BYTES, Broken, Event, MemberStart
from curation.sources.inputs import Span
from curation.sources.json_columns import LineParser

_SMALL = 4 << 10
_TOGETHER = 64 << 10


def read_jsonl(events: Iterator[Event], span: Span, builder: ChunkBuilder) -> Iterator[Chunk]:
    """Reads the lines that begin in [span.start, span.end); the last lines stay in ``builder``.

    ``events`` begin at the byte before span.start. ``offset`` is the place of a line in the decompressed file.
    """
    parser = _SmallBlocks(LineParser(builder), builder)
    lines = LineBlocks(span, builder)
    while not lines.finished and (event := next(events, None)) is not None:
        if isinstance(event, MemberStart):
            parser.member_begins()
        elif isinstance(event, Broken):
            parser.flush()
        block, offset = lines.add(event)
        if block:
            parser.parse(block, offset)
            if builder.full:
                yield builder.take()
    block, offset = lines.rest()
    parser.parse(block, offset)
    parser.flush()


class _SmallBlocks:
    """Passes blocks to a parser and joins small ones, since a file may be compressed line by line."""

    def __init__(self, parser: LineParser, builder: ChunkBuilder) -> None:
        self._parser = parser
        self._builder = builder
        self._held = bytearray()
        self._offset = 0
        self._member = 0
        self._was_small = False

    def parse(self, block: bytes, offset: int) -> None:
        """Parses complete lines; small blocks that follow each other may be held back."""
        small = len(block) < _SMALL
        if self._held and (not small or offset != self._offset + len(self._held) or len(self._held) > _TOGETHER):
            self.flush()
        if not small or not self._was_small:
            self._parser.parse(block, offset)
        else:
            self._offset = self._offset if self._held else offset
            self._held += block
        self._was_small = small

    def member_begins(self) -> None:
        """Starts a compressed member: the next blocks belong to it."""
        self._member = len(self._held)
        if not self._held:
            self._builder.start_member()

    def flush(self) -> None:
        """Parses the lines held back."""
        if self._member:
            self._parse(0, self._member)
            self._builder.start_member()
        self._parse(self._member, len(self._held))
        self._held.clear()
        self._member = 0

    def _parse(self, begin: int, end: int) -> None:
        if begin < end:
            self._parser.parse(bytes(self._held[begin:end]), self._offset + begin)


class LineBlocks:
    """Cuts a stream of bytes into blocks of complete lines that begin in [span.start, span.end).

    Of a line longer than the limit only the length and the beginning are kept.
    """

    def __init__(self, span: Span, builder: ChunkBuilder) -> None:
        self.span = span
        self.builder = builder
        self.limit = builder.reading.max_record_bytes
        self.position = max(0, span.start - 1)
        self.finished = span.end is not None and span.end <= span.start
        self._before_first = span.start > 0
        self._carry: list[bytes] = []
        self._carried = 0

    def add(self, event: Event) -> tuple[bytes, int]:
        """The lines that this event completes, and the offset of the first."""
        if isinstance(event, MemberStart):
            return b"", self.position
        if isinstance(event, Broken):
            self._break(event)
            return b"", self.position
        data = event
        if self._before_first:
            data = self._from_first_line(data)
        end = self.span.end
        if self.finished:
            return b"", self.position
        if end is not None and self.position + len(data) >= end:
            cut = data.find(b"\n", max(0, end - 1 - self.position)) + 1
            self.finished = cut > 0
            data = data[:cut] if cut else data
        cut = data.rfind(b"\n") + 1
        block, offset = self._complete(data[:cut]) if cut else (b"", self.position)
        self._hold(data[cut:] if cut else data)
        return block, offset

    def rest(self) -> tuple[bytes, int]:
        """The last line if the file ends without a line end (else nothing), and its offset."""
        if not self._carried:
            return b"", self.position
        return self._complete(b"")

    def _from_first_line(self, data: bytes) -> bytes:
        """Drops the rest of the line that began before the range."""
        cut = data.find(b"\n") + 1
        end = self.span.end
        dropped = cut or len(data)
        self._before_first = not cut
        self.position += dropped
        if end is not None and self.position >= end:
            self.finished = True
            return b""
        return data[dropped:]

    def _complete(self, data: bytes) -> tuple[bytes, int]:
        """The held beginning of a line joined with ``data``, without a first line that is too long."""
        offset = self.position - self._carried
        self.position += len(data)
        self.builder.count_bytes(self._carried + len(data))
        carry, carried = self._carry, self._carried
        self._carry, self._carried = [], 0
        if carried <= self.limit:
            return (b"".join([*carry, data]) if carry else data), offset
        line = data.find(b"\n") + 1
        self._too_large(offset, carried + max(0, line - 1), b"".join(carry))
        return data[line:], offset + carried + line

    def _hold(self, data: bytes) -> None:
        """Keeps the beginning of a line for later; only 64 KiB of a line that is too long."""
        if not data:
            return
        self.position += len(data)
        if self._carried <= self.limit:
            self._carry.append(data)
        self._carried += len(data)
        if self._carried > self.limit:
            self._carry = [b"".join(self._carry)[:EXCERPT_BYTES]]

    def _too_large(self, offset: int, size: int, record: bytes) -> None:
        message = f"a line of {size} bytes, more than max_record_bytes = {self.limit}"
        self.builder.quarantine("too_large", message, offset=offset, size=size, record=record)

    def _break(self, event: Broken) -> None:
        """Quarantines a broken stretch, with the unfinished line before it."""
        record, size = b"".join(self._carry), self._carried
        offset = self.position - size
        self.builder.count_bytes(size)
        self._carry, self._carried = [], 0
        self.builder.quarantine_stretch(event, offset, record, size)
