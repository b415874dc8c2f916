"""Compressed containers: how they begin, and how a member (gzip), frame (zstd, lz4) or stream (bzip2, xz) is read.

A member is fed stored bytes and returns decompressed bytes in pieces of bounded size. `ERRORS` are the exceptions for
broken bytes.
"""

import bz2
import lzma
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol, cast

import lz4.frame
import zstandard
from isal import isal_zlib

Compression = Literal["gzip", "zstd", "bzip2", "xz", "lz4"]

OUTPUT_BYTES = 1 << 20
"""Maximum size of a piece of decompressed bytes; this bounds the memory that a decompression bomb takes at once."""

MAX_WINDOW_BYTES = 1 << 27
"""Maximum memory that a member may require for earlier decompressed bytes: zstd's window, xz's dictionary."""

GzipError = cast(type[Exception], isal_zlib.error)
"""ISA-L's exception for a broken stream (its stub declares the class as an instance)."""

ERRORS: tuple[type[Exception], ...] = (GzipError, zstandard.ZstdError, lzma.LZMAError, OSError, RuntimeError, EOFError)
"""Exceptions of members for broken bytes: bz2 raises OSError, lz4 RuntimeError."""

_FIRST_STEP = 4 << 10
_ZSTD_STEP = 1 << 10
_STEP = 16 << 10
_BLOCKS_AT_A_TIME = 8
_REPEATED_BYTE = 1
_NO_BLOCK = 1 << 62
_OUTSIDE_THE_WINDOW = 16 << 20
"""Memory of xz beside its dictionary."""


class Decompressor(Protocol):
    """One member that is being decompressed."""

    @property
    def eof(self) -> bool: ...

    @property
    def hungry(self) -> bool:
        """Whether there is no more output until more bytes are fed."""

    def feed(self, data: memoryview) -> tuple[bytes, int]:
        """Decompressed bytes, and the number of bytes of ``data`` that were used and must not be fed again."""


class _Gzip:
    """One gzip member, decompressed by ISA-L."""

    hungry = True

    def __init__(self) -> None:
        self._stream = isal_zlib.decompressobj(wbits=31)

    def feed(self, data: memoryview) -> tuple[bytes, int]:
        output, taken = self._some(data[:_FIRST_STEP], OUTPUT_BYTES)  # so that little is copied for a small member
        if self.eof or taken < min(_FIRST_STEP, len(data)) or len(data) == taken or len(output) >= OUTPUT_BYTES:
            return output, taken
        more, further = self._some(data[taken:], OUTPUT_BYTES - len(output))
        return output + more, taken + further

    def _some(self, data: memoryview, size: int) -> tuple[bytes, int]:
        output = self._stream.decompress(data, size)
        left = len(self._stream.unused_data) if self.eof else len(self._stream.unconsumed_tail)
        return output, len(data) - left

    @property
    def eof(self) -> bool:
        return bool(self._stream.eof)


class _Zstd:
    """One zstd frame. The decompressor does not bound its output, so it is fed a few blocks of 128 KiB at a time."""

    hungry = True

    def __init__(self, window: int, dictionary: bytes | None) -> None:
        whole = zstandard.ZstdDecompressor(dict_data=_zstd_dictionary(dictionary), max_window_size=window)
        self._stream = whole.decompressobj(write_size=16 << 10)
        self._blocks: _Blocks | None = None
        self._failed: Exception | None = None

    def feed(self, data: memoryview) -> tuple[bytes, int]:
        if self._failed:
            raise self._failed
        self._blocks = self._blocks or _Blocks(data)
        pieces: list[bytes] = []
        size = at = step = 0
        while at < len(data) and size < OUTPUT_BYTES and not self._stream.eof:
            step = self._blocks.step(data[at : at + _ZSTD_STEP])
            try:
                pieces.append(self._stream.decompress(data[at : at + step]))
            except zstandard.ZstdError as error:
                if not size:
                    raise
                self._failed = error
                break
            size += len(pieces[-1])
            at += step
        return b"".join(pieces), at - len(self._stream.unused_data) if self._stream.eof else at

    @property
    def eof(self) -> bool:
        return bool(self._stream.eof)


class _Blocks:
    """Tracks where the blocks of a zstd frame begin: each block is a header of three bytes and its content."""

    def __init__(self, frame: memoryview) -> None:
        try:
            self._left = zstandard.frame_header_size(frame)
        except zstandard.ZstdError:
            self._left = _NO_BLOCK
        self._header = b""

    def step(self, data: memoryview) -> int:
        """How many of these bytes can be fed so that they contain only a few blocks; at least one byte."""
        at = blocks = 0
        while at < len(data) and blocks < _BLOCKS_AT_A_TIME:
            if self._left:
                passed = min(self._left, len(data) - at)
                self._left -= passed
                at += passed
                continue
            some = bytes(data[at : at + 3 - len(self._header)])
            self._header += some
            at += len(some)
            if len(self._header) == 3:
                header = int.from_bytes(self._header, "little")
                self._header = b""
                self._left = 1 if header >> 1 & 3 == _REPEATED_BYTE else header >> 3
                self._left = _NO_BLOCK if header & 1 else self._left
                blocks += 1
        return at


@lru_cache(maxsize=2)
def _zstd_dictionary(dictionary: bytes | None) -> zstandard.ZstdCompressionDict | None:
    return zstandard.ZstdCompressionDict(dictionary) if dictionary else None


class _Bounded:
    """One member, by a decompressor with the standard library's interface, which buffers its input."""

    def __init__(self, stream: "bz2.BZ2Decompressor | lzma.LZMADecompressor | lz4.frame.LZ4FrameDecompressor") -> None:
        self._stream = stream
        self._failed: Exception | None = None

    def feed(self, data: memoryview) -> tuple[bytes, int]:
        if self._failed:
            raise self._failed
        pieces: list[bytes] = []
        size = at = 0
        while size < OUTPUT_BYTES and not self._stream.eof and (at < len(data) or not self._stream.needs_input):
            step = data[at : at + _STEP] if self._stream.needs_input else data[:0]
            try:
                pieces.append(self._stream.decompress(bytes(step), OUTPUT_BYTES - size))
            except ERRORS as error:
                if not size:
                    raise
                self._failed = error
                break
            at += len(step)
            size += len(pieces[-1])
        unused = len(self._stream.unused_data or b"") if self._stream.eof else 0
        return b"".join(pieces), at - unused

    @property
    def eof(self) -> bool:
        return bool(self._stream.eof)

    @property
    def hungry(self) -> bool:
        return self._failed is None and bool(self._stream.needs_input)


@dataclass(frozen=True)
class Container:
    """A container format; ``start`` matches where a member may begin.

    ``open`` takes the maximum window and a dictionary. ``skippable`` is true if the format has frames without data.
    """

    name: Compression
    start: re.Pattern[bytes]
    open: Callable[[int, bytes | None], Decompressor]
    skippable: bool = False

    def begins(self, data: bytes | memoryview) -> bool:
        return self.start.match(data) is not None


_LZMA_XZ = lzma.FORMAT_XZ
CONTAINERS: dict[Compression, Container] = {
    container.name: container
    for container in (
        Container("gzip", re.compile(rb"\x1f\x8b\x08[\x00-\x1f]"), lambda *_: _Gzip()),
        Container("zstd", re.compile(rb"\x28\xb5\x2f\xfd"), _Zstd, skippable=True),
        Container(
            "bzip2",
            re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"),
            lambda *_: _Bounded(bz2.BZ2Decompressor()),
        ),
        Container(
            "xz",
            re.compile(rb"\xfd7zXZ\x00"),
            lambda window, _: _Bounded(lzma.LZMADecompressor(_LZMA_XZ, memlimit=window + _OUTSIDE_THE_WINDOW)),
        ),
        Container(
            "lz4",
            re.compile(rb"\x04\x22\x4d\x18"),
            lambda *_: _Bounded(lz4.frame.LZ4FrameDecompressor()),
            skippable=True,
        ),
    )
}

_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
DICTIONARY = b"\x5d\x2a\x4d\x18"
"""Signature of the skippable frame that holds the dictionary of a ``.warc.zst`` file."""


def is_skippable(data: bytes | memoryview) -> bool:
    """Whether a frame of zstd or lz4 without data begins here."""
    return _SKIPPABLE.match(data) is not None


def compression_of(head: bytes) -> Compression | None:
    """The container that begins here, perhaps with frames without data; None for other bytes."""
    at = 0
    while is_skippable(head[at : at + 4]):
        at += 8 + int.from_bytes(head[at + 4 : at + 8], "little")
    for name, container in CONTAINERS.items():
        if (container.skippable or not at) and container.begins(head[at : at + 16]):
            return name
    return "zstd" if at else None
