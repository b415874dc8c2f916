"""A stored file as a stream of decompressed bytes that says where members begin and where the file is broken.

Nothing here raises for broken bytes: what can be decompressed is delivered, what cannot becomes one `Broken`, and
reading goes on at the next member.
"""

import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import cast

import zstandard
from isal import isal_zlib

from curation.sources.opening import READ_BYTES, StoredFile

OUTPUT_BYTES = 1 << 20
"""Most decompressed bytes that come in one piece; this bounds what a decompression bomb can claim at once."""

EXCERPT_BYTES = 64 << 10
"""How much of a broken record is kept."""

GzipError = cast(type[Exception], isal_zlib.error)
"""What ISA-L raises for a broken stream (its stub takes the class for an instance)."""

GZIP_MAGIC = b"\x1f\x8b\x08"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_STEP = 1 << 10
_TRIAL_BYTES = 64 << 10
_OVERRUN = 64 << 10
"""How far a broken member may have been read on into the next one before that showed."""


@dataclass(frozen=True)
class Member:
    """A gzip member or zstd frame begins at this offset of the stored file."""

    offset: int


@dataclass(frozen=True)
class Broken:
    """Stored bytes that could not be decompressed.

    ``error`` is ``truncated``, ``bad_checksum``, ``corrupt`` or ``trailing_garbage``. ``size`` counts from the begin
    of the broken member, ``lost`` only what was not delivered of it.
    """

    error: str
    message: str
    offset: int
    size: int
    excerpt: bytes
    lost: int


Event = bytes | Member | Broken


def decompressed(file: StoredFile, compression: str | None) -> Iterator[Event]:
    """The bytes of the file, without its container (``gzip``, ``zstd`` or None)."""
    if compression is None:
        return _plain(file)
    return _Members(file, _GZIP if compression == "gzip" else _ZSTD).events()


def _plain(file: StoredFile) -> Iterator[Event]:
    while data := file.read(OUTPUT_BYTES):
        yield data


class _GzipMember:
    """One gzip member by ISA-L."""

    errors: tuple[type[Exception], ...] = (GzipError,)

    def __init__(self) -> None:
        self._stream = isal_zlib.decompressobj(wbits=31)

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Decompressed bytes (at most OUTPUT_BYTES) and the input that is left for the next call."""
        return self._stream.decompress(data, OUTPUT_BYTES), self._stream.unconsumed_tail

    @property
    def eof(self) -> bool:
        return bool(self._stream.eof)

    @property
    def unused(self) -> bytes:
        return self._stream.unused_data


class _ZstdMember:
    """One zstd frame. It is fed in small steps, since its decompressor does not bound its output."""

    errors: tuple[type[Exception], ...] = (zstandard.ZstdError,)

    def __init__(self) -> None:
        self._stream = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj(write_size=16 << 10)

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        pieces: list[bytes] = []
        size = at = 0
        while at < len(data) and size < OUTPUT_BYTES and not self._stream.eof:
            try:
                pieces.append(self._stream.decompress(data[at : at + _ZSTD_STEP]))
            except zstandard.ZstdError:
                if not size:
                    raise
                break
            size += len(pieces[-1])
            at += _ZSTD_STEP
        self.unused = self._stream.unused_data + data[at:] if self._stream.eof else b""
        return b"".join(pieces), b"" if self._stream.eof else data[at:]

    @property
    def eof(self) -> bool:
        return self._stream.eof


def is_skippable(data: bytes) -> bool:
    """Whether a zstd frame begins here that holds no data."""
    return data[1:4] == b"\x2a\x4d\x18" and data[0] >> 4 == 5


@dataclass(frozen=True)
class _Container:
    name: str
    magic: bytes
    member: type[_GzipMember] | type[_ZstdMember]

    def begins(self, data: bytes) -> bool:
        """Whether a member may begin here."""
        if self.name == "gzip":
            return data.startswith(self.magic) and (len(data) < 4 or data[3] & 0xE0 == 0)
        return data.startswith(self.magic) or is_skippable(data)


_GZIP = _Container("gzip", GZIP_MAGIC, _GzipMember)
_ZSTD = _Container("zstd", ZSTD_MAGIC, _ZstdMember)


class _Members:
    """Walks over the members of one file; ``pending`` holds stored bytes that were read but not yet decompressed."""

    def __init__(self, file: StoredFile, container: _Container) -> None:
        self.file = file
        self.container = container
        self.pending = b""

    @property
    def offset(self) -> int:
        """Offset in the stored file of the first pending byte."""
        return self.file.position - len(self.pending)

    def _fill(self, size: int) -> None:
        """Reads until ``size`` bytes are pending or the file ends."""
        while len(self.pending) < size and (data := self.file.read(READ_BYTES)):
            self.pending += data

    def events(self) -> Iterator[Event]:
        while True:
            self._fill(4)
            if not self.pending:
                return
            if self.container.begins(self.pending):
                yield Member(self.offset)
                broken = yield from self._member()
            else:
                broken = self._garbage()
            if broken is not None:
                yield broken

    def _member(self) -> Generator[Event, None, Broken | None]:
        """Delivers one member; returns what is broken in it, or None."""
        begin, delivered = self.offset, 0
        member = self.container.member()
        while not member.eof:
            if not self.pending:
                self.pending = self.file.read(READ_BYTES)
            if not self.pending:
                return self._broken(begin, self.offset, "truncated", "the file ends inside a compressed member")
            try:
                output, self.pending = member.feed(self.pending)
            except member.errors as error:
                return (yield from self._rescue(begin, delivered, str(error)))
            delivered += len(output)
            if output:
                yield output
        self.pending = member.unused
        return None

    def _rescue(self, begin: int, delivered: int, message: str) -> Generator[Event, None, Broken]:
        """What the broken member still gives after ``delivered`` bytes, then on to the next member."""
        at = self.offset
        if self.container.name == "gzip":
            for output, stop in _gunzip_carefully(self.file, begin):
                at = stop
                if delivered < len(output):
                    yield output[delivered:]
                delivered = max(0, delivered - len(output))
        error = "bad_checksum" if "checksum" in message.lower() else "corrupt"
        return self._broken(begin, at, error, f"{self.container.name}: {message}")

    def _broken(self, begin: int, place: int, error: str, message: str) -> Broken:
        """The member that began at ``begin`` failed at ``place``: goes on to the next one.

        Looks for it from a little before: where the end of a member is broken, the next one may have been read as its
        continuation.
        """
        self.file.seek(max(begin, place - _OVERRUN))
        self.pending = b""
        self._resync(to_whole_member=error == "truncated")
        size = self.offset - begin
        lost = max(0, self.offset - place)
        return Broken(error, message, begin, size, _first(self.file, begin)[:size], lost)

    def _garbage(self) -> Broken | None:
        """Bytes between members or behind the last one; zero bytes are padding, as gzip(1) has it."""
        while not (rest := self.pending.lstrip(b"\0")):
            self.pending = self.file.read(READ_BYTES)
            if not self.pending:
                return None
        self.pending = rest
        self._fill(_TRIAL_BYTES)
        if self.container.begins(self.pending):
            return None
        begin, excerpt = self.offset, self.pending[:EXCERPT_BYTES]
        size = self._resync()
        return Broken(
            "trailing_garbage", "bytes that belong to no compressed member", begin, size, excerpt[:size], size
        )

    def _resync(self, to_whole_member: bool = False) -> int:
        """Skips to the next member that really decompresses, or to the end of the file; returns the bytes skipped."""
        begin = self.offset
        while True:
            self._fill(1 + len(self.container.magic))
            at = self.pending.find(self.container.magic, 1)
            if at < 0:
                keep = len(self.container.magic) - 1
                self.pending = self.pending[-keep:] if keep < len(self.pending) else self.pending
                data = self.file.read(READ_BYTES)
                if not data:
                    self.pending = b""
                    return self.offset - begin
                self.pending += data
                continue
            self.pending = self.pending[at:]
            self._fill(_TRIAL_BYTES)
            if self.container.begins(self.pending) and self._decompresses(to_whole_member):
                return self.offset - begin

    def _decompresses(self, to_the_end: bool) -> bool:
        member = self.container.member()
        left = self.pending[:_TRIAL_BYTES]
        try:
            while left and not member.eof:
                _, left = member.feed(left)
        except member.errors:
            return False
        return member.eof or not to_the_end


def _gunzip_carefully(file: StoredFile, begin: int) -> Iterator[tuple[bytes, int]]:
    """Every byte that zlib yields before it fails, and the offset in the stored file up to which it read."""
    stream = zlib.decompressobj(31)
    at = begin
    for data in file.reread(begin):
        for step in range(0, len(data), 4096):
            piece = data[step : step + 4096]
            before = stream.copy()
            try:
                output = stream.decompress(piece)
            except zlib.error:
                stream = before
                yield from _byte_by_byte(stream, piece, at)
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


def _first(file: StoredFile, begin: int) -> bytes:
    """The first EXCERPT_BYTES of the stored file from ``begin`` on."""
    return next(file.reread(begin), b"")[:EXCERPT_BYTES]
