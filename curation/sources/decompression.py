"""Decompresses a stored file: a stream of bytes, of starts of members and of broken places.

Broken bytes never raise an error: every byte that can be decompressed is delivered, the rest becomes one `Broken`, and
reading continues at the next member. The work is bounded by the number of stored bytes, whatever they hold: a file that
expands too far is not read to its end, and the search for members in broken places stops when it becomes expensive.
"""

from collections.abc import Generator, Iterator

import zstandard

from curation.sources.broken_gzip import gunzip_carefully
from curation.sources.events import EXCERPT_BYTES, Broken, Event, MemberStart
from curation.sources.member_search import TRIAL_BYTES, MemberSearch
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
from curation.sources.stored_window import Stored, StoredWindow

MAX_EXPANSION = 250
"""Bytes that a file may expand to, for each stored byte read so far ..."""
FREE_EXPANSION = 64 << 20
"""... and this many bytes in addition. Text expands at most ten times or so, equal lines a few hundred times."""

_OVERSHOOT = 16 << 20
TOO_FAR = f"compressed data that expands to over {MAX_EXPANSION} times its stored size"

_OVERRUN = 64 << 10
"""Bytes of the next member that may have been read as part of a broken member before the error showed."""
_MAX_DICTIONARY = 16 << 20


def decompress(file: Stored, compression: Compression | None, window: int = MAX_WINDOW_BYTES) -> Iterator[Event]:
    """Decompresses a file; ``window`` is the maximum memory that a member may require. None means plain bytes."""
    return _plain(file) if compression is None else _Members(file, CONTAINERS[compression], window).events()


def _plain(file: Stored) -> Iterator[Event]:
    while data := file.read(OUTPUT_BYTES):
        yield data


class _Members:
    """The members of one compressed file."""

    def __init__(self, file: Stored, container: Container, window: int) -> None:
        self.stored = StoredWindow(file)
        self.container = container
        self.search = MemberSearch(self.stored, container, window)
        self._delivered_bytes = 0

    def events(self) -> Iterator[Event]:
        stored = self.stored
        while True:
            held = stored.fill(16)
            if not held:
                return
            broken: Broken | None = None
            if self.container.begins(held):
                yield MemberStart(stored.offset)
                broken = yield from self._member()
            elif self.container.skippable and is_skippable(held):
                broken = self._skip_frame()
            else:
                broken = self._skip_garbage()
            if broken is not None:
                yield broken

    def _skip_frame(self) -> Broken | None:
        """Skips a frame without data; the first frame of the file may hold the dictionary of the others."""
        stored, begin = self.stored, self.stored.offset
        head = bytes(stored.fill(8)[:8])
        left = int.from_bytes(head[4:8], "little")
        stored.at += len(head)
        wanted = begin == 0 and head[:4] == DICTIONARY and left <= _MAX_DICTIONARY
        if wanted:
            self.search.dictionary = _dictionary(bytes(stored.fill(left)[:left]))
        while left and (held := stored.fill(1)):
            step = min(left, len(held))
            stored.at += step
            left -= step
        if left or len(head) < 8:
            return self._skip_to_next_member(
                begin, stored.offset, "truncated", "the file ends inside a frame without data"
            )
        if wanted and self.search.dictionary is None:
            message = "the dictionary at the start of the file cannot be read"
            excerpt = next(stored.file.reread(begin), b"")[:EXCERPT_BYTES]
            return Broken("corrupt", message, begin, stored.offset - begin, excerpt, stored.offset - begin)
        return None

    def _member(self) -> Generator[Event, None, Broken | None]:
        """Yields the bytes of one member; returns the broken place, or None."""
        stored, begin, delivered = self.stored, self.stored.offset, 0
        if self._delivered_bytes > self._most_bytes() + _OVERSHOOT:
            return self._skip_to_next_member(begin, begin, "expands_too_far", TOO_FAR)
        try:
            member = self.search.open()
        except (zstandard.ZstdError, MemoryError) as error:
            return self._skip_to_next_member(begin, begin, "corrupt", f"{self.container.name}: {error}")
        while not member.eof:
            held = stored.fill(1)
            if not held and member.hungry:
                return self._skip_to_next_member(
                    begin, stored.offset, "truncated", "the file ends inside a compressed member"
                )
            try:
                output, taken = member.feed(held)
            except MemoryError:
                return self._skip_to_next_member(begin, stored.offset, *self._no_memory())
            except ERRORS as error:
                return (yield from self._rescue(begin, delivered, str(error)))
            stored.at += taken
            delivered += len(output)
            self._delivered_bytes += len(output)
            if output:
                yield output
            if self._delivered_bytes > self._most_bytes() and not member.eof:
                return self._skip_to_next_member(begin, stored.offset, "expands_too_far", TOO_FAR)
        return None

    def _most_bytes(self) -> int:
        """Maximum number of decompressed bytes up to here."""
        return FREE_EXPANSION + MAX_EXPANSION * self.stored.offset

    def _no_memory(self) -> tuple[str, str]:
        message = f"{self.container.name}: it asks for more than {self.search.window >> 20} MiB to decompress"
        if self.container.name == "zstd":
            message += " (compress it anew without --long, or set reading.max_window_bytes)"
        return "too_much_memory", message

    def _rescue(self, begin: int, delivered: int, message: str) -> Generator[Event, None, Broken]:
        """Yields what the broken member still holds after ``delivered`` bytes, then moves to the next member."""
        at = self.stored.offset
        if "memory" in message.lower():
            return self._skip_to_next_member(begin, at, *self._no_memory())
        if self.container.name == "gzip" and self.search.may_try(at - begin):
            for output, stop in gunzip_carefully(self.stored.reread(begin), begin, at):
                at = stop
                if delivered < len(output):
                    self._delivered_bytes += len(output) - delivered
                    yield output[delivered:]
                delivered = max(0, delivered - len(output))
        error = "bad_checksum" if "checksum" in message.lower() or "crc" in message.lower() else "corrupt"
        return self._skip_to_next_member(begin, at, error, f"{self.container.name}: {message}")

    def _skip_to_next_member(self, begin: int, place: int, error: str, message: str) -> Broken:
        """Moves to the next member after the member that began at ``begin`` failed at ``place``.

        The search starts shortly before ``place``: if the end of a member is broken, the next member may have been
        read as its continuation.
        """
        stored = self.stored
        excerpt = next(stored.reread(begin), b"")[:EXCERPT_BYTES]
        if self.search.may_try(place - begin):
            stored.go_back(max(begin, place - _OVERRUN))
        self.search.skip_to_member(whole=error == "truncated")
        size = stored.offset - begin
        if len(excerpt) < min(size, EXCERPT_BYTES):
            excerpt = next(stored.file.reread(begin), b"")[:EXCERPT_BYTES]
        return Broken(error, message, begin, size, excerpt[:size], max(0, stored.offset - place))

    def _skip_garbage(self) -> Broken | None:
        """Skips bytes between members or after the last member; zero bytes are padding, as in gzip(1)."""
        stored = self.stored
        while (held := stored.fill(1)) and not (rest := bytes(held).lstrip(b"\0")):
            stored.drop()
        if not held:
            return None
        stored.at += len(held) - len(rest)
        held = stored.fill(TRIAL_BYTES)
        if self.container.begins(held) or (self.container.skippable and is_skippable(held)):
            return None
        begin, excerpt = stored.offset, bytes(held[:EXCERPT_BYTES])
        self.search.skip_to_member()
        size = stored.offset - begin
        message = "bytes that belong to no compressed member"
        return Broken("trailing_garbage", message, begin, size, excerpt[:size], size)


def _dictionary(data: bytes) -> bytes | None:
    """The dictionary in the content of a skippable frame, which may be compressed itself; None for anything else."""
    if CONTAINERS["zstd"].begins(data):
        try:
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=_MAX_DICTIONARY)
        except zstandard.ZstdError:
            return None
    return data if data.startswith(b"\x37\xa4\x30\xec") else None
