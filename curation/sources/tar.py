"""Reads tar files from front to back, and continues at the next member after anything broken."""

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from curation.sources.chunks import ChunkBuilder
from curation.sources.events import EXCERPT_BYTES, Broken, Event, MemberStart
from curation.sources.formats import is_tar

_BLOCK = 512
_MAX_EXTENSION = 1 << 20
_USTAR = re.compile(rb"ustar(?:\0|  \0)")
_RECORD = re.compile(rb"(\d{1,19}) ([^=]+)=")
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
_LONG_NAME, _LONG_LINK = tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK
_EXTENDED = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)


@dataclass
class ArchivedFile:
    """A file in an archive: its ``size`` in bytes, and the events of its content, to be read before the next member."""

    name: str
    size: int
    events: Iterator[Event]


class TarMembers:
    """Iterates over the files in a tar file. Folders are ignored; links, devices and sparse files count as skipped."""

    def __init__(self, events: Iterator[Event], builder: ChunkBuilder) -> None:
        self.builder = builder
        self._events = events
        self._buf = bytearray()
        self._position = 0
        self._broken: Broken | None = None
        self._member_start = builder.member_start
        self._ended = False
        self._left = self._padding = 0

    def __iter__(self) -> Iterator[ArchivedFile]:
        longer: dict[str, str] = {}
        while True:
            self._skip_rest()
            if not self._need(_BLOCK):
                if not self._quarantine_remainder():
                    return
                continue
            block = bytes(self._buf[:_BLOCK])
            if not block.strip(b"\0"):
                self._drop(_BLOCK)
                continue
            header = _header(block)
            if header is None:
                self._quarantine_to_next_header()
                longer = {}
                continue
            self._drop(_BLOCK)
            if header.type in (*_EXTENDED, tarfile.XGLTYPE, _LONG_NAME, _LONG_LINK):
                found = self._extension(header)
                if header.type in _EXTENDED or header.type == _LONG_NAME:
                    longer |= found
                continue
            yield from self._file(header, longer)
            longer = {}

    def _file(self, header: tarfile.TarInfo, longer: dict[str, str]) -> Iterator[ArchivedFile]:
        size = longer.get("size", "")
        length = int(size) if size.isdigit() and len(size) < 19 else header.size
        name = longer.get("path", header.name)
        self._start_member(length if header.type in (*_FILES, tarfile.GNUTYPE_SPARSE) or size else 0)
        if header.type == tarfile.DIRTYPE or name.endswith("/"):
            return
        sparse = header.type == tarfile.GNUTYPE_SPARSE or any(key.startswith("GNU.sparse") for key in longer)
        if header.type not in _FILES or sparse:
            self.builder.skip("irregular_member")
            return
        yield ArchivedFile(name, length, self._content())

    def _start_member(self, size: int) -> None:
        """Starts a member of ``size`` bytes, which is padded to full blocks."""
        self._left = max(0, size)
        self._padding = -self._left % _BLOCK

    def _content(self) -> Iterator[Event]:
        """The rest of the member's content; a broken place or an early end is the last event."""
        while self._left:
            if not self._need(1):
                broken = self._broken
                if broken is None:
                    broken = Broken("truncated", "the tar file ends inside a member", self._position, 0, b"", 0)
                self._left, self._broken = 0, None
                self.builder.start_member(self._member_start)
                self._member_start = self.builder.documents
                yield broken
                return
            step = min(self._left, len(self._buf))
            data = bytes(self._buf[:step])
            self._left -= step
            self._drop(step)
            yield data

    def _skip_rest(self) -> None:
        """Skips the unread rest of the last member."""
        left = self._left + self._padding
        while left and self._need(1):
            step = min(left, len(self._buf))
            self._drop(step)
            left -= step
        self._left = self._padding = 0

    def _extension(self, header: tarfile.TarInfo) -> dict[str, str]:
        """Reads an extension header in front of a member: a long name, or pax records."""
        self._start_member(header.size)
        data = b"".join(event for event in self._content() if isinstance(event, bytes) and header.size < _MAX_EXTENSION)
        if header.type == _LONG_NAME:
            return {"path": data.split(b"\0", 1)[0].decode("utf-8", "replace")}
        found: dict[str, str] = {}
        at = 0
        while record := _RECORD.match(data, at):
            stop = at + int(record[1])
            if not record.end() < stop <= len(data):
                break
            found[record[2].decode("utf-8", "replace")] = data[record.end() : stop - 1].decode("utf-8", "replace")
            at = stop
        return found

    def _quarantine_to_next_header(self) -> None:
        """Quarantines bytes that are not a header, up to the next header."""
        begin = self._position
        record = bytes(self._buf[:EXCERPT_BYTES])
        self._drop(1)
        size = 1
        while True:
            place = self._next_header()
            stop = len(self._buf) - _BLOCK if place is None else place
            stop = max(0, stop)
            self._drop(stop)
            size += stop
            if place is not None or not self._need(len(self._buf) + 1):
                break
        if place is None:
            size += len(self._buf)
            self._drop(len(self._buf))
        message = "no header of a tar member begins here"
        self.builder.quarantine("bad_member", message, offset=begin, size=size, record=record[:size], lost=size)

    def _next_header(self) -> int | None:
        for found in _USTAR.finditer(self._buf, 257):
            if is_tar(bytes(self._buf[found.start() - 257 : found.start() - 257 + _BLOCK])):
                return found.start() - 257
        return None

    def _quarantine_remainder(self) -> bool:
        """Quarantines the remaining bytes. Returns whether more bytes follow after a broken place."""
        if self._broken is None and self._buf.strip(b"\0"):
            size, record = len(self._buf), bytes(self._buf)
            self.builder.quarantine(
                "truncated", "the tar file ends inside a header", offset=self._position, size=size, record=record
            )
        broken, self._broken = self._broken, None
        self._drop(len(self._buf))
        if broken is None:
            return False
        self.builder.start_member(self._member_start)
        self.builder.quarantine_stretch(broken, self._position)
        return True

    def _need(self, size: int) -> bool:
        while len(self._buf) < size and not self._ended and self._broken is None:
            event = next(self._events, None)
            if event is None:
                self._ended = True
            elif isinstance(event, Broken):
                self._broken = event
            elif isinstance(event, MemberStart):
                self._member_start = self.builder.documents
            else:
                self._buf += event
        return len(self._buf) >= size

    def _drop(self, size: int) -> None:
        del self._buf[:size]
        self._position += size


def _header(block: bytes) -> tarfile.TarInfo | None:
    if not is_tar(block):
        return None
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except tarfile.HeaderError:
        return None
    return header if header.size >= 0 else None
