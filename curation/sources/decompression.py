"""A stored file as a stream of decompressed bytes that says where members begin and where the file is broken.

Nothing here raises for broken bytes: what can be decompressed is delivered, what cannot becomes one `Broken`, and
reading goes on at the next member. The work is bounded by the stored bytes, whatever they hold: a file that expands too
far is not read to its end, and members are looked for in broken places only as long as that costs little.
"""

import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Protocol

import zstandard

from curation.sources.members import (
    CONTAINERS,
    DICTIONARY,
    ERRORS,
    MAX_WINDOW_BYTES,
    OUTPUT_BYTES,
    Compression,
    Container,
    is_skippable,
)
from curation.sources.opening import READ_BYTES

EXCERPT_BYTES = 64 << 10
"""How much of a broken record is kept."""

MAX_EXPANSION = 250
"""A file may expand to so many times what was read of it, and ..."""
FREE_EXPANSION = 64 << 20
"""... so many bytes more. Text expands some ten times at most, and equal lines a few hundred times."""

_OVERSHOOT = 16 << 20
TOO_FAR = f"compressed data that expands to over {MAX_EXPANSION} times its stored size"

_TRIAL_BYTES = 64 << 10
_OVERRUN = 64 << 10
"""How far a broken member may have been read on into the next one before that showed."""
_FREE_TRIALS = 32 << 20
_TRIALS = 16
"""In broken places so many bytes are decompressed again: _FREE_TRIALS, and _TRIALS times those that were read."""
_MAX_DICTIONARY = 16 << 20
ERRORS_AND_MEMORY: tuple[type[Exception], ...] = (*ERRORS, MemoryError)


class Stored(Protocol):
    """Stored bytes that are read from front to back; `StoredFile` is one."""

    position: int

    def seek(self, position: int) -> None: ...
    def read(self, size: int = READ_BYTES) -> bytes: ...
    def reread(self, start: int) -> Iterator[bytes]: ...


@dataclass(frozen=True)
class MemberStart:
    """A gzip member or zstd frame begins at this offset of the stored file."""

    offset: int


@dataclass(frozen=True)
class Broken:
    """Stored bytes that could not be decompressed.

    ``error`` is ``truncated``, ``bad_checksum``, ``corrupt``, ``trailing_garbage``, ``too_much_memory`` or
    ``expands_too_far``. ``size`` counts from the start of the broken member, ``lost`` only the bytes that were
    not delivered.
    """

    error: str
    message: str
    offset: int
    size: int
    excerpt: bytes
    lost: int


Event = bytes | MemberStart | Broken


def decompressed(file: Stored, compression: Compression | None, window: int = MAX_WINDOW_BYTES) -> Iterator[Event]:
    """The bytes of the file, without its container; ``window`` is the most memory that a member may ask for."""
    return _plain(file) if compression is None else _Members(file, CONTAINERS[compression], window).events()


def _plain(file: Stored) -> Iterator[Event]:
    while data := file.read(OUTPUT_BYTES):
        yield data


class _Members:
    """Walks over the members of one file; ``_held[_at:]`` was read but not yet decompressed."""

    def __init__(self, file: Stored, container: Container, window: int) -> None:
        self.file = file
        self.container = container
        self.window = window
        self.dictionary: bytes | None = None
        self._held = b""
        self._at = 0
        self._given = 0
        self._tried = 0

    @property
    def offset(self) -> int:
        """Offset in the stored file of the first byte that is still held."""
        return self.file.position - len(self._held) + self._at

    def _fill(self, size: int) -> memoryview:
        """What is held, at least ``size`` bytes of it unless the file ends before."""
        while len(self._held) - self._at < size and (data := self.file.read(READ_BYTES)):
            self._held, self._at = self._held[self._at :] + data, 0
        return memoryview(self._held)[self._at :]

    def _drop(self) -> None:
        self._held, self._at = b"", 0

    def events(self) -> Iterator[Event]:
        while True:
            held = self._fill(16)
            if not held:
                return
            broken: Broken | None = None
            if self.container.begins(held):
                yield MemberStart(self.offset)
                broken = yield from self._member()
            elif self.container.skippable and is_skippable(held):
                broken = self._skip_frame()
            else:
                broken = self._garbage()
            if broken is not None:
                yield broken

    def _skip_frame(self) -> Broken | None:
        """Passes a frame without data; the first one of the file may hold the dictionary of the others."""
        begin = self.offset
        head = bytes(self._fill(8)[:8])
        left = int.from_bytes(head[4:8], "little")
        self._at += len(head)
        wanted = begin == 0 and head[:4] == DICTIONARY and left <= _MAX_DICTIONARY
        if wanted:
            self.dictionary = _dictionary(bytes(self._fill(left)[:left]))
        while left and (held := self._fill(1)):
            step = min(left, len(held))
            self._at += step
            left -= step
        if left or len(head) < 8:
            return self._broken(begin, self.offset, "truncated", "the file ends inside a frame without data")
        if wanted and self.dictionary is None:
            message = "the dictionary at the start of the file cannot be read"
            excerpt = next(self.file.reread(begin), b"")[:EXCERPT_BYTES]
            return Broken("corrupt", message, begin, self.offset - begin, excerpt, self.offset - begin)
        return None

    def _member(self) -> Generator[Event, None, Broken | None]:
        """Delivers one member; returns what is broken in it, or None."""
        begin, delivered = self.offset, 0
        if self._given > self._most_given() + _OVERSHOOT:
            return self._broken(begin, begin, "expands_too_far", TOO_FAR)
        try:
            member = self.container.open(self.window, self.dictionary)
        except (zstandard.ZstdError, MemoryError) as error:
            return self._broken(begin, begin, "corrupt", f"{self.container.name}: {error}")
        while not member.eof:
            held = self._fill(1)
            if not held and member.hungry:
                return self._broken(begin, self.offset, "truncated", "the file ends inside a compressed member")
            try:
                output, taken = member.feed(held)
            except MemoryError:
                return self._broken(begin, self.offset, *self._no_memory())
            except ERRORS as error:
                return (yield from self._rescue(begin, delivered, str(error)))
            self._at += taken
            delivered += len(output)
            self._given += len(output)
            if output:
                yield output
            if self._given > self._most_given() and not member.eof:
                return self._broken(begin, self.offset, "expands_too_far", TOO_FAR)
        return None

    def _most_given(self) -> int:
        """To how many bytes the file may have expanded up to here."""
        return FREE_EXPANSION + MAX_EXPANSION * self.offset

    def _no_memory(self) -> tuple[str, str]:
        message = f"{self.container.name}: it asks for more than {self.window >> 20} MiB to decompress"
        if self.container.name == "zstd":
            message += " (compress it anew without --long, or set reading.max_window_bytes)"
        return "too_much_memory", message

    def _rescue(self, begin: int, delivered: int, message: str) -> Generator[Event, None, Broken]:
        """What the broken member still gives after ``delivered`` bytes, then on to the next member."""
        at = self.offset
        if "memory" in message.lower():
            return self._broken(begin, at, *self._no_memory())
        if self.container.name == "gzip" and self._may_try(at - begin):
            for output, stop in _gunzip_carefully(self._again(begin), begin, at):
                at = stop
                if delivered < len(output):
                    self._given += len(output) - delivered
                    yield output[delivered:]
                delivered = max(0, delivered - len(output))
        error = "bad_checksum" if "checksum" in message.lower() or "crc" in message.lower() else "corrupt"
        return self._broken(begin, at, error, f"{self.container.name}: {message}")

    def _may_try(self, size: int) -> bool:
        """Whether ``size`` bytes may be decompressed once more."""
        self._tried += size
        return self._tried <= _FREE_TRIALS + _TRIALS * self.file.position

    def _broken(self, begin: int, place: int, error: str, message: str) -> Broken:
        """The member that began at ``begin`` failed at ``place``: goes on to the next one.

        Looks for it from a little before: where the end of a member is broken, the next one may have been read as its
        continuation.
        """
        excerpt = next(self._again(begin), b"")[:EXCERPT_BYTES]
        if self._may_try(place - begin):
            self._go_back(max(begin, place - _OVERRUN))
        self._resync(to_whole_member=error == "truncated")
        size = self.offset - begin
        if len(excerpt) < min(size, EXCERPT_BYTES):
            excerpt = next(self.file.reread(begin), b"")[:EXCERPT_BYTES]
        return Broken(error, message, begin, size, excerpt[:size], max(0, self.offset - place))

    def _go_back(self, place: int) -> None:
        at = place - (self.file.position - len(self._held))
        if at >= 0:
            self._at = at
        else:
            self.file.seek(place)
            self._drop()

    def _again(self, begin: int) -> Iterator[bytes]:
        """The stored bytes from ``begin`` on once more: those that are held, then others."""
        at = begin - (self.file.position - len(self._held))
        if at >= 0:
            yield self._held[at:]
            begin = self.file.position
        yield from self.file.reread(begin)

    def _garbage(self) -> Broken | None:
        """Bytes between members or behind the last one; zero bytes are padding, as gzip(1) has it."""
        while (held := self._fill(1)) and not (rest := bytes(held).lstrip(b"\0")):
            self._drop()
        if not held:
            return None
        self._at += len(held) - len(rest)
        held = self._fill(_TRIAL_BYTES)
        if self.container.begins(held) or (self.container.skippable and is_skippable(held)):
            return None
        begin, excerpt = self.offset, bytes(held[:EXCERPT_BYTES])
        self._resync()
        size = self.offset - begin
        message = "bytes that belong to no compressed member"
        return Broken("trailing_garbage", message, begin, size, excerpt[:size], size)

    def _resync(self, to_whole_member: bool = False) -> None:
        """Skips to the next member that really decompresses, or to the end of the file; at least one byte."""
        self._fill(1)
        self._at = min(self._at + 1, len(self._held))
        while held := self._fill(_TRIAL_BYTES):
            found = self.container.start.search(self._held, self._at)
            if found is None:
                self._at = max(self._at, len(self._held) - 15)
                if len(self._fill(_TRIAL_BYTES)) < 16:
                    self._at = len(self._held)
                continue
            self._at = found.start()
            held = self._fill(_TRIAL_BYTES)
            if not self._may_try(0):
                self._at = len(self._held)
            elif self._decompresses(held[:_TRIAL_BYTES], to_whole_member):
                return
            else:
                self._at += 1

    def _decompresses(self, left: memoryview, to_the_end: bool) -> bool:
        """Whether a member really begins here, and also ends, if that is asked for."""
        size = 0
        try:
            member = self.container.open(self.window, self.dictionary)
            while not member.eof and size < OUTPUT_BYTES and (left or not member.hungry):
                output, taken = member.feed(left[:4096])
                left = left[taken:]
                size += len(output)
                self._tried += taken + len(output) // 16 + 16
        except ERRORS_AND_MEMORY:
            self._tried += min(len(left), 4096)
            return False
        return member.eof or not to_the_end


def _dictionary(data: bytes) -> bytes | None:
    """The dictionary that a skippable frame holds, which may be compressed itself; None for anything else."""
    if CONTAINERS["zstd"].begins(data):
        try:
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=_MAX_DICTIONARY)
        except zstandard.ZstdError:
            return None
    return data if data.startswith(b"\x37\xa4\x30\xec") else None


def _gunzip_carefully(stored: Iterator[bytes], begin: int, place: int) -> Iterator[tuple[bytes, int]]:
    """Every byte that zlib yields before it fails, and the offset in the stored file up to which it read.

    ``stored`` is the file from ``begin`` on; the stream is known to be intact up to shortly before ``place``.
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
