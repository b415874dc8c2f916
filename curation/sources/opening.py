"""Opens stored files: local files directly, others with fsspec, the rest with Beam's file systems."""

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from fsspec.core import url_to_fs

from curation.sources.places import is_local, known_scheme, local_path, local_version, remote_version
from curation.sources.storage import reason
from schemas.errors import RunError

READ_BYTES = 1 << 18
"""Size of a read of a stored file."""


@contextmanager
def quiet_imports() -> Iterator[None]:
    """Within the block, imports of Beam's modules do not warn of clients for Google's services that are missing."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)


def beam_filesystems() -> type:
    """Apache Beam's file systems, for schemes that fsspec does not know. Only this function imports them."""
    with quiet_imports():
        from apache_beam.io.filesystems import FileSystems

    return cast(type, FileSystems)


def open_stored(path: str) -> IO[bytes]:
    """Opens the stored bytes of a file for seeking and reading; compressed files stay compressed.

    Raises one of `outages` for a file that is missing or cannot be read.
    """
    if is_local(path):
        return open(local_path(path), "rb", buffering=0)
    if known_scheme(path):
        filesystem, name = url_to_fs(path)
        opened = filesystem.open(name, "rb")
        if "::" in path:
            opened.filesystem = filesystem  # an archive is closed when nothing refers to its file system
        return cast(IO[bytes], opened)
    with quiet_imports():
        from apache_beam.io.filesystem import BeamIOError, CompressionTypes

    try:
        by_beam = beam_filesystems().open(path, compression_type=CompressionTypes.UNCOMPRESSED)  # type: ignore[attr-defined]
    except BeamIOError as error:
        raise OSError(str(error)) from error
    return cast(IO[bytes], by_beam)


def is_content(error: Exception) -> bool:
    """Whether an error is caused by the bytes of a file and not by access to the file: some libraries raise a plain
    OSError without an errno for broken bytes."""
    return not isinstance(error, OSError) or (type(error) is OSError and error.errno is None)


def unreachable_error(path: str, error: Exception) -> RunError:
    """The error for a listed file that is missing, or cannot be opened or read: it is not a broken record."""
    return RunError(f"the input file '{path}' could not be read ({reason(error)}): remove the cause and run again")


def stored_version(path: str) -> tuple[int, str] | None:
    """Current size and version of a file, as in the listing; None if its file system cannot tell."""
    if is_local(path):
        status = os.stat(local_path(path))
        return status.st_size, local_version(status)
    if not known_scheme(path):
        return None
    filesystem, name = url_to_fs(path)
    filesystem.invalidate_cache()
    info = filesystem.info(name)
    return int(info["size"] or 0), remote_version(info)


class StoredFile:
    """A stored file, read once from front to back; its bytes [start, end) are hashed while they are read.

    ``position`` is the offset in the file of the next byte.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.start = 0
        self.end: int | None = None
        self.position = 0
        self.hashed = 0
        self._ahead = b""
        self._digest = hashlib.sha256()
        self._file = open_stored(path)

    def __enter__(self) -> "StoredFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def seek(self, position: int) -> None:
        """Continues at another offset. Skipped bytes are not hashed, and bytes read again are not hashed twice."""
        self._file.seek(position)
        self._ahead = b""
        self.position = position

    def peek(self, size: int) -> bytes:
        """The next ``size`` bytes, without moving on."""
        if len(self._ahead) < size:
            self._ahead += _read_fully(self._file, size - len(self._ahead))
        return self._ahead[:size]

    def read(self, size: int = READ_BYTES) -> bytes:
        """The next ``size`` bytes; fewer only at the end of the file."""
        data = self._ahead[:size]
        self._ahead = self._ahead[size:]
        if len(data) < size:
            data += _read_fully(self._file, size - len(data))
        begin = min(len(data), max(0, self.start + self.hashed - self.position))
        stop = len(data) if self.end is None else max(begin, min(len(data), self.end - self.position))
        self._digest.update(memoryview(data)[begin:stop])
        self.hashed += stop - begin
        self.position += len(data)
        return data

    def reread(self, start: int) -> Iterator[bytes]:
        """Bytes from ``start`` on, through a second handle, not hashed."""
        with open_stored(self.path) as again:
            again.seek(start)
            while data := _read_fully(again, READ_BYTES):
                yield data

    def look(self, position: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``position`` on, through a second handle, not hashed."""
        with open_stored(self.path) as again:
            if position >= again.seek(0, os.SEEK_END):
                return b""
            again.seek(position)
            return _read_fully(again, size)

    def finish(self) -> None:
        """Reads (and hashes) the unread rest of the range."""
        self.seek(self.start + self.hashed)
        while self.end is None or self.position < self.end:
            if not self.read():
                return

    @property
    def sha256(self) -> str:
        """Hex digest of the bytes of the range read so far."""
        return self._digest.hexdigest()


def _read_fully(file: IO[bytes], size: int) -> bytes:
    """Reads until ``size`` bytes or the end of the file, whatever the file system returns at a time."""
    data = file.read(size)
    if len(data) == size or not data:
        return data
    pieces = [data]
    missing = size - len(data)
    while missing and (data := file.read(missing)):
        pieces.append(data)
        missing -= len(data)
    return b"".join(pieces)
