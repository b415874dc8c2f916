"""Keeps decompressed bytes in a temporary file, for readers that seek or read twice."""

import io
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from curation.sources.events import Broken, Event
from curation.sources.opening import READ_BYTES

_IN_MEMORY = 8 << 20


class Spooled:
    """All bytes of a stream, with the interface of a stored file; ``broken`` lists its undecodable stretches."""

    def __init__(self, events: Iterator[Event]) -> None:
        self.broken: list[Broken] = []
        self.size = 0
        self.file = cast(IO[bytes], SpooledTemporaryFile(max_size=_IN_MEMORY))  # noqa: SIM115 - this class closes it
        for event in events:
            if isinstance(event, Broken):
                self.broken.append(event)
            elif isinstance(event, bytes):
                self.file.write(event)
                self.size += len(event)
        self.position = 0
        self.file.seek(0)

    def __enter__(self) -> "Spooled":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def seek(self, position: int) -> None:
        self.position = position

    def read(self, size: int = READ_BYTES) -> bytes:
        """The next ``size`` bytes; fewer only at the end of the stream."""
        self.file.seek(self.position)
        data = self.file.read(size)
        self.position += len(data)
        return data

    def reread(self, start: int) -> Iterator[bytes]:
        """Bytes from ``start`` on, independent of `read`."""
        while True:
            self.file.seek(start)
            data = self.file.read(READ_BYTES)
            if not data:
                return
            start += len(data)
            yield data

    def open_whole(self) -> IO[bytes]:
        """A file over all bytes, for readers that seek."""
        self.file.seek(0, io.SEEK_SET)
        return self.file
