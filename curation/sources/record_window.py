"""A window on the decompressed bytes of a WARC or ARC file, which also determines the offset of each record."""

from collections import deque
from collections.abc import Iterator

from curation.sources.chunks import ChunkBuilder
from curation.sources.events import Broken, Event, MemberStart


class RecordWindow:
    """The next contiguous decompressed bytes: up to a broken place or the end of the file."""

    def __init__(self, events: Iterator[Event], builder: ChunkBuilder) -> None:
        self.buf = bytearray()
        self.position = 0
        self.broken: Broken | None = None
        self.at_end = False
        self._events = events
        self._builder = builder
        self._members: deque[tuple[int, int]] = deque()
        self._member: tuple[int, int] | None = None
        self._number = 0
        self._begins = False

    def need(self, size: int) -> bool:
        """Reads until the window has ``size`` bytes; False if there are fewer."""
        while len(self.buf) < size and not self.at_end and self.broken is None:
            self._read()
        return len(self.buf) >= size

    def _read(self) -> None:
        event = next(self._events, None)
        if event is None:
            self.at_end = True
        elif isinstance(event, MemberStart):
            self._members.append((self.position + len(self.buf), event.offset))
        elif isinstance(event, Broken):
            self.broken = event
        else:
            self._builder.count_bytes(len(event))
            self.buf += event

    def drop(self, size: int) -> None:
        """Moves ``size`` bytes on."""
        del self.buf[:size]
        self.position += size
        self._pass_members()

    def _pass_members(self) -> None:
        while self._members and self._members[0][0] <= self.position:
            self._member = self._members.popleft()
            self._number = -1
            self._begins = self._member[0] == self.position
            if not self._begins:  # the record before, not yet reported, ends in this member
                self._builder.start_member()

    def next_member(self) -> int | None:
        """The distance to the start of the next member, if known; never 0."""
        self._pass_members()
        return self._members[0][0] - self.position if self._members else None

    def record_offset(self) -> int:
        """The offset of the record that begins here; call this once per record."""
        self._pass_members()
        if self._member is None:
            return self.position
        if self._begins:
            self._builder.start_member()
            self._begins = False
        self._number += 1
        return self._member[1] + self._number

    @property
    def in_own_member(self) -> bool:
        """Whether the latest record (of `record_offset`) begins its member, and the member is not the file's first."""
        return self._member is not None and self._number == 0 and self._member[0] > 0

    def in_member(self, offset: int) -> bool:
        """Whether the latest record (of `record_offset`) began in the member at ``offset`` of the file; true for a file
        without members."""
        return self._member is None or self._member[1] == offset

    def damage_to(self, size: int) -> Broken | None:
        """The damage to a member that holds only the record of ``size`` bytes that begins here; else None."""
        broken = self.broken
        if broken is None or not broken.casts_doubt or self._member is None or self._number:
            return None
        alone = self.in_member(broken.offset) and not self.buf[size:].strip(b"\r\n")
        return broken if alone else None

    def resume(self) -> None:
        """Continues after a broken place."""
        self.drop(len(self.buf))
        self.broken = None
