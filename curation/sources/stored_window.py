"""A window on stored bytes that were read but not yet decompressed; the window can be moved back."""

from collections.abc import Iterator
from typing import Protocol

from curation.sources.opening import READ_BYTES


class Stored(Protocol):
    """Stored bytes that are read from front to back; `StoredFile` is one."""

    position: int

    def seek(self, position: int) -> None: ...
    def read(self, size: int = READ_BYTES) -> bytes: ...
    def reread(self, start: int) -> Iterator[bytes]: ...


class StoredWindow:
    """A window on the stored bytes of a file; ``held[at:]`` is read but not yet decompressed."""

    def __init__(self, file: Stored) -> None:
        self.file = file
        self.held = b""
        self.at = 0

    @property
    def offset(self) -> int:
        """Offset in the stored file of ``held[at]``."""
        return self.file.position - len(self.held) + self.at

    def fill(self, size: int) -> memoryview:
        """The bytes ahead: at least ``size`` bytes, unless the file ends before."""
        while len(self.held) - self.at < size and (data := self.file.read(READ_BYTES)):
            self.held, self.at = self.held[self.at :] + data, 0
        return memoryview(self.held)[self.at :]

    def drop(self) -> None:
        """Skips all held bytes."""
        self.held, self.at = b"", 0

    def go_back(self, offset: int) -> None:
        """Moves the window back to ``offset`` in the stored file."""
        at = offset - (self.file.position - len(self.held))
        if at >= 0:
            self.at = at
        else:
            self.file.seek(offset)
            self.drop()

    def reread(self, begin: int) -> Iterator[bytes]:
        """The stored bytes from the offset ``begin`` on, without moving the window."""
        at = begin - (self.file.position - len(self.held))
        if at >= 0:
            yield self.held[at:]
            begin = self.file.position
        yield from self.file.reread(begin)
