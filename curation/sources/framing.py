"""Cuts WARC and ARC files into records, whatever is broken in them.

A record that is cut short, has a wrong length or no header goes to quarantine, and reading goes on at the next record
that can be recognised: at a member of the container, or behind an empty line.
"""

import base64
import hashlib
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from curation.sources.chunks import Rows
from curation.sources.decompression import EXCERPT_BYTES, Broken, Event, Member

MAX_HEADER_BYTES = 1 << 20
_WARC_START = re.compile(rb"(?=WARC/\d\.\d+\r?\n[A-Za-z][A-Za-z-]*[ \t]*:)")
_ARC_LINE = rb"[a-zA-Z][a-zA-Z0-9+.-]*:[^\n]* \d{8,14} [^\n]* \d+\r?\n"
_ARC_START = re.compile(rb"(?:\A|\r?\n)(?=" + _ARC_LINE + rb")")
_LENGTH = re.compile(rb"(?im)^content-length[ \t]*:[ \t]*(\d{1,18})[ \t]*\r?$")
_DIGEST = re.compile(rb"(?im)^warc-block-digest[ \t]*:[ \t]*(sha1|sha256|md5):([A-Za-z0-9+/=_-]+)")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True)
class Framed:
    """One record: its offset, its header block and its content.

    ``offset`` is that of the record's gzip member in the stored file plus the record's number in it (0 where each
    record has a member of its own, as the standard asks), or the offset in a file without a container. ``size`` is the
    length of header and content; ``cut`` says that ``content`` is only the beginning of one too long to be kept.
    """

    offset: int
    header: bytes
    content: bytes
    size: int
    cut: bool = False


class _Window:
    """The next decompressed bytes, as far as they hang together: up to a broken place or the end of the file."""

    def __init__(self, events: Iterator[Event], rows: Rows) -> None:
        self.buf = bytearray()
        self.position = 0
        self.broken: Broken | None = None
        self.at_end = False
        self._events = events
        self._rows = rows
        self._members: deque[tuple[int, int]] = deque()
        self._member: tuple[int, int] | None = None
        self._number = 0

    def need(self, size: int) -> bool:
        """Reads until ``size`` bytes are there; False where there are fewer."""
        while len(self.buf) < size and not self.at_end and self.broken is None:
            self._read()
        return len(self.buf) >= size

    def _read(self) -> None:
        event = next(self._events, None)
        if event is None:
            self.at_end = True
        elif isinstance(event, Member):
            self._members.append((self.position + len(self.buf), event.offset))
        elif isinstance(event, Broken):
            self.broken = event
        else:
            self._rows.read(len(event))
            self.buf += event

    def drop(self, size: int) -> None:
        """Goes ``size`` bytes on."""
        del self.buf[:size]
        self.position += size

    def next_member(self) -> int | None:
        """How far it is to where the next member begins, if that is known; never 0."""
        return next((place - self.position for place, _ in self._members if place > self.position), None)

    def record_offset(self) -> int:
        """The offset of a record that begins here; to be asked once for each record."""
        while self._members and self._members[0][0] <= self.position:
            self._member = self._members.popleft()
            self._number = -1
        if self._member is None:
            return self.position
        self._number += 1
        return self._member[1] + self._number

    def resume(self) -> None:
        """Leaves a broken place behind."""
        self.drop(len(self.buf))
        self.broken = None


class Records:
    """The records of one WARC or ARC file."""

    def __init__(self, events: Iterator[Event], kind: Literal["warc", "arc"], rows: Rows) -> None:
        self.kind = kind
        self.rows = rows
        self.limit = rows.reading.max_record_bytes
        self.window = _Window(events, rows)
        self._start = _WARC_START if kind == "warc" else _ARC_START

    def __iter__(self) -> Iterator[Framed]:
        window = self.window
        while True:
            self._skip_blank()
            if not window.need(1):
                if window.broken is None:
                    return
                self._broken(window.record_offset(), b"", window.broken)
                continue
            offset = window.record_offset()
            header = self._header()
            length = None if header is None else self._length(header)
            if header is None or length is None:
                self._bad(offset, "no record begins here" if header is None else "the record has no length")
                continue
            framed = self._content(offset, header, length)
            if framed is not None:
                yield framed

    def _skip_blank(self) -> None:
        """Drops the empty lines between records."""
        window = self.window
        while window.need(1) and window.buf[0] in b"\r\n":
            blank = len(window.buf) - len(window.buf.lstrip(b"\r\n"))
            member = window.next_member()
            window.drop(min(blank, member) if member else blank)

    def _header(self) -> bytes | None:
        """The header block at the window's begin, its empty line included; None where there is none."""
        window = self.window
        size = 4096
        while True:
            whole = window.need(size)
            if not self._start.match(window.buf):
                return None
            end = window.buf.find(b"\n") + 1 if self.kind == "arc" else self._header_end()
            if end:
                return bytes(window.buf[:end])
            if not whole or size >= MAX_HEADER_BYTES:
                return None
            size *= 4

    def _header_end(self) -> int:
        found = _BLANK_LINE.search(self.window.buf, 0, MAX_HEADER_BYTES)
        return found.end() if found else 0

    def _length(self, header: bytes) -> int | None:
        """Bytes of content that the header promises."""
        if self.kind == "arc":
            return int(header.split()[-1])
        found = _LENGTH.search(header)
        return int(found[1]) if found else None

    def _content(self, offset: int, header: bytes, length: int) -> Framed | None:
        """The record with its content, which is left behind; None where it went to quarantine."""
        window = self.window
        if length > self.limit:
            return self._long(offset, header, length)
        size = len(header) + length
        enough = window.need(size)
        member = window.next_member()
        if enough and self._ends_well(size, member):
            content = bytes(window.buf[len(header) : size])
            window.drop(size)
            return Framed(offset, header, content, size)
        return self._misfit(offset, header, size)

    def _ends_well(self, size: int, member: int | None) -> bool:
        """Whether a record may end ``size`` bytes from here: an empty line, a record, a member, or the end follows."""
        window = self.window
        if member is not None and member < size and self._start.match(window.buf, member):
            return False
        window.need(size + 64)
        rest = window.buf[size : size + 64]
        if not rest or size == window.next_member() or self._start.match(bytes(rest)):
            return True
        return rest.startswith(b"\n" if self.kind == "arc" else (b"\r\n", b"\n"))

    def _misfit(self, offset: int, header: bytes, size: int) -> Framed | None:
        """A record whose content is shorter or longer than its header says."""
        window = self.window
        window.need(max(size, len(header)) + MAX_HEADER_BYTES)
        end = self._next_record(len(header))
        content = bytes(window.buf[len(header) : end if end else len(window.buf)])
        for candidate in (content, content.removesuffix(b"\n").removesuffix(b"\r"), content.rstrip(b"\r\n")):
            if _digest_matches(header, candidate):
                window.drop(len(header) + len(candidate))
                return Framed(offset, header, candidate, len(header) + len(candidate))
        if end is None and len(window.buf) < size:
            self._truncated(offset)
        else:
            self._bad(offset, "the content has another length than the header says", len(header))
        return None

    def _next_record(self, begin: int) -> int | None:
        """Where in the window the next record begins, at or behind ``begin``."""
        found = self._start.search(self.window.buf, begin)
        place = found.end() if found else None
        member = self.window.next_member()
        if member is None or member < begin or (place is not None and place <= member):
            return place
        return member if self._begins_at(member) else place

    def _begins_at(self, place: int) -> bool:
        return self._start.match(bytes(self.window.buf[place : place + 4096])) is not None

    def _bad(self, offset: int, message: str, begin: int = 1) -> None:
        """Quarantines what stands here up to the next record, or up to where the bytes end or are broken."""
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
            self._broken(offset, record, window.broken, size)
            return
        cut_short = found is None and self._start.match(record) and not _BLANK_LINE.search(record)
        error = "truncated" if cut_short else "bad_record"
        self.rows.broken(error, message, offset=offset, size=size, record=record[:size])

    def _truncated(self, offset: int) -> None:
        """The file ends, or is broken, inside this record."""
        window = self.window
        record, size = bytes(window.buf[:EXCERPT_BYTES]), len(window.buf)
        if window.broken is not None:
            self._broken(offset, record, window.broken, size)
            return
        window.drop(size)
        self.rows.broken("truncated", "the file ends inside the record", offset=offset, size=size, record=record)

    def _broken(self, offset: int, record: bytes, broken: Broken, size: int = 0) -> None:
        message = f"{broken.message} (stored bytes {broken.offset} to {broken.offset + broken.size})"
        place = offset if record else broken.offset
        record, size = (record, size) if record else (broken.excerpt, broken.size)
        self.rows.broken(broken.error, message, offset=place, size=size, record=record, lost=broken.lost)
        self.window.resume()

    def _long(self, offset: int, header: bytes, length: int) -> Framed | None:
        """A record that is too long to be kept: its beginning is, the rest is passed by."""
        window = self.window
        window.need(len(header) + EXCERPT_BYTES)
        content = bytes(window.buf[len(header) : len(header) + EXCERPT_BYTES])
        left = size = len(header) + length
        first = bytes(window.buf[:EXCERPT_BYTES])
        while left:
            if not window.need(1):
                message = "the file ends inside the record"
                self.rows.broken("truncated", message, offset=offset, size=size - left, record=first)
                return None
            member = window.next_member()
            step = min(left, len(window.buf))
            if member is not None and member <= step:
                window.need(member + 64)
                if member < left and self._start.match(bytes(window.buf[member : member + 64])):
                    window.drop(member)
                    message = "the content is shorter than the header says"
                    self.rows.broken("bad_record", message, offset=offset, size=size - left + member, record=first)
                    return None
            window.drop(step)
            left -= step
        return Framed(offset, header, content, size, cut=True)


def _digest_matches(header: bytes, content: bytes) -> bool:
    """Whether the header's WARC-Block-Digest is that of the content."""
    found = _DIGEST.search(header)
    if not found:
        return False
    digest = hashlib.new(found[1].decode().lower(), content, usedforsecurity=False)
    given = found[2].decode()
    raw = digest.digest()
    spelled = (base64.b32encode(raw).decode(), digest.hexdigest(), base64.b64encode(raw).decode())
    return given.upper() == spelled[0] or given.lower() == spelled[1] or given == spelled[2]
