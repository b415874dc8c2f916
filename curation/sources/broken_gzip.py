"""Decompresses a broken gzip member up to its last readable byte: ISA-L, the usual decompressor, stops earlier."""

import zlib
from collections.abc import Iterator

from curation.sources.opening import READ_BYTES


def gunzip_carefully(stored: Iterator[bytes], begin: int, place: int) -> Iterator[tuple[bytes, int]]:
    """Yields all bytes that zlib produces before it fails, with the offset in the stored file up to which it read.

    ``stored`` is the file from ``begin`` on. The stream must be intact up to shortly before ``place``.
    """
    stream = zlib.decompressobj(31)
    at = begin
    for data in stored:
        for step in range(0, len(data), 4096):
            piece = data[step : step + 4096]
            before = stream.copy() if at + 2 * READ_BYTES > place else None
            try:
                output = stream.decompress(piece)
            except zlib.error:
                if before is not None:
                    yield from _byte_by_byte(before, piece, at)
                return
            at += len(piece)
            if stream.eof:
                yield output, at - len(stream.unused_data) - 1
                return
            yield output, at


def _byte_by_byte(stream: "zlib._Decompress", piece: bytes, at: int) -> Iterator[tuple[bytes, int]]:
    for i in range(len(piece)):
        try:
            output = stream.decompress(piece[i : i + 1])
        except zlib.error:
            return
        yield output, at + i + 1
