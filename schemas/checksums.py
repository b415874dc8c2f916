"""SHA-256 digests of streams and files, and of a stream while it is written."""

import hashlib
import io
from pathlib import Path
from typing import IO, Any

_CHUNK = 1 << 20


def sha256_of(stream: IO[bytes]) -> str:
    """The SHA-256, in hexadecimal digits, of the rest of a stream."""
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def sha256_of_file(path: Path) -> str:
    """The SHA-256, in hexadecimal digits, of a file."""
    with path.open("rb") as stream:
        return sha256_of(stream)


class Digest(io.RawIOBase):
    """A stream that is written once, front to back, and knows its size and SHA-256."""

    def __init__(self, stream: IO[bytes]):
        self.size = 0
        self._stream = stream
        self._hash = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._hash.update(view)
        self._stream.write(view)
        self.size += len(view)
        return len(view)

    def tell(self) -> int:
        return self.size

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()
