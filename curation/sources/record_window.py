"""The decompressed bytes of a WARC or ARC file, as far as they hang together, and the place of each record in them."""

from collections import deque
from collections.abc import Iterator

from curation.sources.chunks import ChunkBuilder
from curation.sources.events import Broken, Event, MemberStart


class RecordWindow:
    """The next decompressed bytes, as far as they hang together: up to a broken place or the end of the file."""

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
        """Reads until ``size`` bytes are there; False where there are fewer."""
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
        """Goes ``size`` bytes on."""
        del self.buf[:size]
        self.position += size
        self._pass_members()

    def _pass_members(self) -> None:
        while self._members and self._members[0][0] <= self.position:
            self._member = self._members.popleft()
            self._number = -1
            self._begins = self._member[0] == self.position
            if not self._begins:  # the record before, which is not yet told of, ends in this member
                self._builder.start_member()

    def next_member(self) -> int | None:
        """How far it is to where the next member begins, if that is known; never 0."""
        self._pass_members()
        return self._members[0][0] - self.position if self._members else None

    def record_offset(self) -> int:
        """The offset of a record that begins here; to be asked once for each record."""
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
        """Whether the record whose offset was asked for begins its member, which is not the first one of the file."""
        return self._member is not None and self._number == 0 and self._member[0] > 0

    def in_member(self, offset: int) -> bool:
        """Whether the record whose offset was asked for began in the member that begins at ``offset`` in the file, or
        in a file without members."""
        return self._member is None or self._member[1] == offset

    def damage_to(self, size: int) -> Broken | None:
        """What is broken in the member that holds but the record of ``size`` bytes that begins here."""
        broken = self.broken
        if broken is None or not broken.casts_doubt or self._member is None or self._number:
            return None
        alone = self.in_member(broken.offset) and not self.buf[size:].strip(b"\r\n")
        return broken if alone else None

    def resume(self) -> None:
        """Leaves a broken place behind."""
        self.drop(len(self.buf))
        self.broken = None
