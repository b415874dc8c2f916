"""Cuts WARC and ARC files into records, whatever is broken in them.

A record that is cut short, has a wrong length or no header goes to quarantine, and reading continues at the next record
that can be recognised: at a member of the container, or after an empty line. Each byte is inspected a bounded number
of times.
"""

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from curation.sources.chunks import ChunkBuilder
from curation.sources.events import EXCERPT_BYTES, Broken, Event
from curation.sources.headers import MAX_HEADER_BYTES
from curation.sources.record_marks import START, Kind, begins, blank, digest_matches, header_end, length_in
from curation.sources.record_window import RecordWindow

Look = Callable[[int, int], bytes]
"""Function of a place and a size that returns up to ``size`` bytes of the content, without reading the bytes before."""


@dataclass(frozen=True)
class Framed:
    """One record: its offset, its header block and its content.

    ``offset`` is the offset of the record's gzip member in the stored file plus the record's number in the member (0 if
    each record has a member of its own, as the standard requires), or the offset in a file without a container.
    ``size`` is the length of header and content. ``cut`` is true if the record is too long, and ``content`` only its
    beginning.
    """

    offset: int
    header: bytes
    content: bytes
    size: int
    cut: bool = False


class Records:
    """The records of one WARC or ARC file.

    ``look`` reads ahead in a file without a container, to check at once whether a very long record ends as it should.
    """

    def __init__(self, events: Iterator[Event], kind: Kind, builder: ChunkBuilder, look: Look | None = None) -> None:
        self.kind = kind
        self.builder = builder
        self.limit = builder.reading.max_record_bytes
        self.window = RecordWindow(events, builder)
        self._look = look

    def __iter__(self) -> Iterator[Framed]:
        window = self.window
        window.need(len(BOM_UTF8))
        if window.buf.startswith(BOM_UTF8):
            window.drop(len(BOM_UTF8))
        while True:
            self._skip_blank()
            if not window.need(1):
                if window.broken is None:
                    return
                self._quarantine_broken(window.record_offset(), b"", window.broken)
                continue
            offset = window.record_offset()
            header = self._header()
            length = None if header is None else length_in(self.kind, header)
            if header is None or length is None:
                self._quarantine_bad(offset, "no record begins here" if header is None else "the record has no length")
                continue
            framed = self._content(offset, header, length)
            if framed is not None:
                yield framed

    def _skip_blank(self) -> None:
        """Drops the empty lines between records."""
        window = self.window
        while window.need(1) and (lines := blank(window.buf)):
            member = window.next_member()
            window.drop(min(lines, member) if member else lines)

    def _begins_at(self, place: int) -> bool:
        """Whether a record begins at this place of the window, judging by the bytes in the window."""
        return begins(self.kind, self.window.buf, place)

    def _header(self) -> bytes | None:
        """The header block at the window's start with its empty line; None if no header begins there."""
        window = self.window
        size = 4096
        while True:
            whole = window.need(size)
            end = header_end(self.kind, window.buf, 0)
            if end is None:
                return None
            if end:
                return bytes(window.buf[:end])
            if not whole or size >= MAX_HEADER_BYTES:
                return None
            size *= 4

    def _content(self, offset: int, header: bytes, length: int) -> Framed | None:
        """Reads the record with its content; None if the record went to quarantine."""
        window = self.window
        if length > self.limit:
            return self._long(offset, header, length)
        size = len(header) + length
        enough = window.need(size)
        if enough and self._ends_well(size):
            if (spoilt := window.damage_to(size)) is not None:
                self._quarantine_broken(
                    offset, bytes(window.buf[: min(size, EXCERPT_BYTES)]), spoilt, size, spoilt.size
                )
                return None
            content = bytes(window.buf[len(header) : size])
            window.drop(size)
            return Framed(offset, header, content, size)
        return self._misfit(offset, header, size)

    def _ends_well(self, size: int) -> bool:
        """Whether a record may end ``size`` bytes ahead: an empty line, a record, a member, or the end follows."""
        window = self.window
        member = window.next_member()
        if member is not None and member < size and self._begins_at(member):
            return False
        window.need(size + 64)
        rest = bytes(window.buf[size : size + 64])
        if not rest or size == member or rest.startswith((b"\r\n", b"\n")):
            return True
        if self.kind == "arc" and b"\n" not in rest:
            window.need(size + MAX_HEADER_BYTES)
        return self._begins_at(size)

    def _misfit(self, offset: int, header: bytes, size: int) -> Framed | None:
        """Reads a record whose content does not have the length in its header; None if it went to quarantine."""
        window = self.window
        window.need(max(size, len(header)) + MAX_HEADER_BYTES)
        end = self._next_record(len(header))
        content = bytes(window.buf[len(header) : end if end else len(window.buf)])
        for candidate in (content, content.removesuffix(b"\n").removesuffix(b"\r"), content.rstrip(b"\r\n")):
            if digest_matches(header, candidate):
                window.drop(len(header) + len(candidate))
                return Framed(offset, header, candidate, len(header) + len(candidate))
        if end is None and len(window.buf) < size:
            record, size = bytes(window.buf[:EXCERPT_BYTES]), len(window.buf)
            window.drop(size)
            self._quarantine_truncated(offset, record, size)
        else:
            self._quarantine_bad(offset, "the content has another length than the header says", len(header))
        return None

    def _next_record(self, begin: int) -> int | None:
        """The place in the window where the next record begins, at or after ``begin``; None if unknown."""
        starts = (found.start() for found in START[self.kind].finditer(self.window.buf, begin))
        place = next((start for start in starts if self._begins_at(start)), None)
        member = self.window.next_member()
        if member is None or member < begin or (place is not None and place <= member):
            return place
        return member if self._begins_at(member) else place

    def _quarantine_bad(self, offset: int, message: str, begin: int = 1, at_end: str = "bad_record") -> None:
        """Quarantines the bytes up to the next record, to the end of the file or to a broken place."""
        window = self.window
        window.need(begin + MAX_HEADER_BYTES)
        record, size = bytes(window.buf[:EXCERPT_BYTES]), 0
        while (found := self._next_record(begin)) is None and window.need(len(window.buf) + 1):
            step = max(0, len(window.buf) - MAX_HEADER_BYTES)
            window.drop(step)
            size += step
            begin = max(0, begin - step) if size == step else 0
            window.need(2 * MAX_HEADER_BYTES)
        end = len(window.buf) if found is None else found
        window.drop(end)
        size += end
        if found is None and window.broken is not None:
            self._quarantine_broken(offset, record, window.broken, size)
            return
        cut_short = found is None and header_end("warc", record, 0) == 0
        error = "truncated" if cut_short else "bad_record" if found is not None else at_end
        lost = 0 if error == "truncated" else None
        self.builder.quarantine(error, message, offset=offset, size=size, record=record[:size], lost=lost)

    def _quarantine_broken(
        self, offset: int, record: bytes, broken: Broken, size: int = 0, lost: int | None = None
    ) -> None:
        """Quarantines a record with ``size`` bytes up to a broken place, and continues after the place."""
        if not self.window.in_member(broken.offset):
            self.builder.start_member()
        self.builder.quarantine_stretch(
            broken, offset if record else broken.offset, record, size if record else 0, lost
        )
        self.window.resume()

    def _quarantine_truncated(self, offset: int, record: bytes, size: int) -> None:
        """Quarantines a record with ``size`` bytes up to the file's end or a broken place."""
        if self.window.broken is not None:
            self._quarantine_broken(offset, record, self.window.broken, size)
        else:
            message = "the file ends inside the record"
            self.builder.quarantine("truncated", message, offset=offset, size=size, record=record[:size], lost=0)

    def _long(self, offset: int, header: bytes, length: int) -> Framed | None:
        """The beginning of a record that is too long; the rest is skipped. None if the record went to quarantine."""
        window = self.window
        window.need(len(header) + EXCERPT_BYTES)
        if self._look is not None and not self._lands_well(len(header) + length, self._look):
            message = f"the record claims {length} bytes, and does not end there"
            self._quarantine_bad(offset, message, len(header), at_end="truncated")
            return None
        first = bytes(window.buf[:EXCERPT_BYTES])
        content = bytes(window.buf[len(header) : len(header) + EXCERPT_BYTES])
        any_record_ends_it = self._look is None and not window.in_own_member
        window.drop(len(header))
        left = length
        while left:
            whole = window.need(min(left, MAX_HEADER_BYTES) + 64)
            step = min(left, MAX_HEADER_BYTES if whole else len(window.buf))
            if not step:
                self._quarantine_truncated(offset, first, len(header) + length - left)
                return None
            member = window.next_member()
            if member is not None and member <= step:
                step, ends = member, member < left and self._begins_at(member)
            else:
                place = self._next_whole_record(step) if any_record_ends_it else None
                step, ends = (step, False) if place is None else (place, True)
            window.drop(step)
            left -= step
            if ends:
                message = f"the record claims {length} bytes, and the next one begins before"
                size = len(header) + length - left
                self.builder.quarantine("bad_record", message, offset=offset, size=size, record=first[:size])
                return None
        return Framed(offset, header, content, len(header) + length, cut=True)

    def _lands_well(self, size: int, look: Look) -> bool:
        """Whether the file ends ``size`` bytes ahead, or another record begins there after empty lines."""
        place = self.window.position + size
        rest = look(place, MAX_HEADER_BYTES)
        if not rest:
            return bool(look(place - 1, 1))
        return self._follows(rest)

    def _follows(self, rest: bytes) -> bool:
        """Whether only empty lines follow, or another record after empty lines."""
        lines = blank(rest)
        return lines == len(rest) or begins(self.kind, rest, lines)

    def _next_whole_record(self, end: int) -> int | None:
        """The place in the next ``end`` bytes where a record begins on a new line and ends as it should; else None."""
        window = self.window
        start = START[self.kind]
        found = start.search(window.buf, 1)
        while found and found.start() < end:
            place = found.start()
            found = None
            if window.buf[place - 1 : place] == b"\n" and self._is_whole(place):
                return place
            found = start.search(window.buf, place + 1)
        return None

    def _is_whole(self, place: int) -> bool:
        """Whether the possible record at this place ends where another record begins or the file ends."""
        window = self.window
        end = header_end(self.kind, window.buf, place)
        length = length_in(self.kind, bytes(window.buf[place:end])) if end else None
        if not end or length is None or length > self.limit:
            return False
        window.need(end + length + 4096)
        rest = bytes(window.buf[end + length : end + length + 4096])
        return len(window.buf) >= end + length and self._follows(rest)
