"""Reads JSON objects that are not on a line each: in an array, on several lines, or separated by commas."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from curation.kernels.json_nesting import OUTSIDE, object_end
from curation.sources.chunks import Chunk, ChunkBuilder, RecordError
from curation.sources.events import EXCERPT_BYTES, Broken, Event, MemberStart
from curation.sources.json_objects import Fields, parse_object

_BETWEEN = re.compile(rb"(?:[\s,\[\]]|\xef\xbb\xbf)*")
_ANY_OBJECT = re.compile(rb'(?<=[\[,}\n])[^\S\n]*(\{\s*")')
_FIRST_KEY = re.compile(rb'\{\s*"[^"\\]{0,200}"')
_UNSURE = ("bad_json", "bad_utf8", "too_large")
"""Errors after which the end of the object is uncertain: a brace or a quote may be missing as well."""
_TAIL_BYTES = 512
"""Maximum length of the start of an object; while bytes are skipped, it may be split over two reads."""
_FREE_SCANS = 64 << 20
_SCANS = 4
"""After damage, at most _FREE_SCANS bytes plus _SCANS times the bytes read so far are scanned again."""


def read_json(events: Iterator[Event], builder: ChunkBuilder) -> Iterator[Chunk]:
    """Reads every object at the top level or in an array there; the last documents stay in ``builder``.

    ``offset`` is the place of the object's brace in the decompressed file. Only the object itself is lost when an
    object is damaged: the next object is found by its first key, which is the same in all objects.
    """
    objects = _Objects(builder)
    for event in events:
        if isinstance(event, Broken):
            objects.finish(event)
        elif isinstance(event, MemberStart):
            builder.start_member()
        elif isinstance(event, bytes):
            builder.count_bytes(len(event))
            objects.buf += event
            while objects.step(final=False):
                if builder.full:
                    yield builder.take()
        if builder.full:
            yield builder.take()
    objects.finish(None)
    if builder.full:
        yield builder.take()


@dataclass
class _Skipped:
    """A stretch of bytes that is being skipped; ``size`` of them were dropped."""

    error: str
    message: str
    offset: int
    record: bytes
    size: int = 0


class _Objects:
    """The objects of one file. ``buf[at:]`` is unread; the object that begins there was scanned up to ``_scanned``."""

    def __init__(self, builder: ChunkBuilder) -> None:
        self.builder = builder
        self.fields = Fields(builder.reading.fields)
        self.limit = builder.reading.max_record_bytes
        self.buf = bytearray()
        self.at = 0
        self.position = 0
        self._start = _ANY_OBJECT
        self._learned = False
        self._before = b""
        self._rescanned = 0
        self._skipping: _Skipped | None = None
        self._forget()

    def _forget(self) -> None:
        self._scanned, self._depth, self._state = self.at, 0, OUTSIDE

    def _go_to(self, place: int) -> None:
        """Moves to a place of ``buf`` and drops the bytes before it."""
        self.at = place
        if place > len(self.buf) // 2 or place > 1 << 20:
            del self.buf[:place]
            self.position += place
            self.at = 0
        self._forget()

    def step(self, final: bool) -> bool:
        """Reads one object, or skips one stretch that is not an object; False if that needs more bytes.

        ``final`` is true if no more bytes follow.
        """
        if self._skipping is not None:
            return self._continue_skipping(self._skipping, final)
        if self._scanned == self.at:
            between = _BETWEEN.match(self.buf, self.at)
            if between is not None and between.end() > self.at:
                self._before = between[0][-_TAIL_BYTES:]
                self._go_to(between.end())
        if self.at >= len(self.buf):
            return False
        if self.buf[self.at] != ord("{"):
            return self._skip_garbage(final)
        end = self._end()
        if end is None:
            return self._wait_or_give_up(final)
        line = bytes(memoryview(self.buf)[self.at : end])
        try:
            if len(line) > self.limit:
                raise RecordError("too_large", f"an object of {len(line)} bytes, more than {self._most}")
            values = self.fields.document(parse_object(line))
        except RecordError as bad:
            self._skip_damaged(bad.error, str(bad), end, whole=bad.error not in _UNSURE or _is_balanced(line))
            return True
        self.builder.add_document(offset=self.position + self.at, **values)  # type: ignore[arg-type]
        self._learn(line)
        self._go_to(end)
        return True

    @property
    def _most(self) -> str:
        return f"max_record_bytes = {self.limit}"

    def _end(self) -> int | None:
        """The end of the object in ``buf``; None if not known yet."""
        stop = len(self.buf)
        if self._rescanned > _FREE_SCANS + _SCANS * (self.position + len(self.buf)):
            stop = self._next() or stop
        if self._scanned < stop:
            view = np.frombuffer(self.buf, np.uint8, stop)
            self._scanned, self._depth, self._state = object_end(view, self._scanned, self._depth, self._state)
            del view  # a buffer with a view cannot grow
        return self._scanned if self._depth == 0 else None

    def _next(self) -> int | None:
        """The brace of the object after the object that begins here; None if not in ``buf``."""
        found = self._start.search(self.buf, self.at + 1)
        return found.start(1) if found else None

    def _learn(self, line: bytes) -> None:
        """Learns the beginning of all objects from the first intact object."""
        first = None if self._learned else _FIRST_KEY.match(line)
        if first is None:
            return
        self._learned = True
        text = self._before.rstrip(b" \t")
        lead = rb"(?<=[\[,}\n])[^\S\n]*"
        if text.endswith(b"\n"):
            lead = rb"(?<=\n)" + re.escape(self._before[len(text) :])
        self._start = re.compile(lead + rb"(" + re.escape(first[0]) + rb")")

    def _wait_or_give_up(self, final: bool) -> bool:
        """Handles an object whose end was not read yet; False if more bytes are needed."""
        size = len(self.buf) - self.at
        if not final and self._scanned == len(self.buf) and size <= self.limit:
            return False
        if self._next() is not None:
            self._skip_damaged("bad_json", "the object does not end before the next one begins", self._scanned)
            return True
        if size > self.limit:
            self._skipping = self._begin_skipping("too_large", f"an object of more than {self._most} bytes")
            return True
        self._skip_damaged("bad_json", "the file ends inside the object", len(self.buf))
        return True

    def _skip_damaged(self, error: str, message: str, end: int, whole: bool = False) -> None:
        """Quarantines the object up to ``end``; unless it is ``whole``, only up to the next object inside it."""
        following = None if whole else self._next()
        stop = end if following is None else min(end, following)
        skipped = self._begin_skipping(error, message)
        self._rescanned += max(0, self._scanned - stop)
        self._quarantine(skipped, stop)

    def _skip_garbage(self, final: bool) -> bool:
        """Begins to skip bytes that are not an object; False if more bytes are needed."""
        if self._next() is None and not final and len(self.buf) - self.at <= EXCERPT_BYTES:
            return False
        self._skipping = self._begin_skipping("bad_json", "no object begins here")
        return True

    def _begin_skipping(self, error: str, message: str) -> _Skipped:
        record = bytes(self.buf[self.at : self.at + EXCERPT_BYTES])
        return _Skipped(error, message, self.position + self.at, record)

    def _continue_skipping(self, skipped: _Skipped, final: bool) -> bool:
        """Drops the bytes of a stretch that is being skipped, up to its end or to another object."""
        end = self._end() if skipped.error == "too_large" else None
        following = self._next()
        stop = min((place for place in (end, following) if place is not None), default=None)
        if stop is None and final:
            stop = len(self.buf)
        if stop is not None:
            self._skipping = None
            self._quarantine(skipped, stop)
            return True
        keep = min(_TAIL_BYTES, len(self.buf) - self.at)
        skipped.size += len(self.buf) - keep - self.at
        self.position += len(self.buf) - keep
        del self.buf[: len(self.buf) - keep]
        self.at, self._scanned = 0, keep
        return False

    def _quarantine(self, skipped: _Skipped, stop: int) -> None:
        size = skipped.size + stop - self.at
        record = skipped.record[:size]
        self.builder.quarantine(skipped.error, skipped.message, offset=skipped.offset, size=size, record=record)
        self._go_to(stop)

    def finish(self, broken: Broken | None) -> None:
        """Reads the rest, because the bytes end here or are broken."""
        while self.step(final=True):
            pass
        self._go_to(len(self.buf))
        if broken is not None:
            self.builder.quarantine_stretch(broken, self.position + self.at)


def _is_balanced(line: bytes) -> bool:
    """Whether the line is JSON, in any encoding; False if parsing it needs more memory than available."""
    try:
        json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError, MemoryError):
        return False
    return True
