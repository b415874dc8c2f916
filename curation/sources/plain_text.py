"""Plain text: one file, one document."""

import codecs
from collections.abc import Iterator

from curation.sources.chunks import Rows
from curation.sources.events import EXCERPT_BYTES, Broken, Event, MemberStart

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(events: Iterator[Event], rows: Rows) -> None:
    """Adds the file's document, or quarantines the file with the reason. UTF-8, or UTF-16 with a byte order mark."""
    data = whole(events, rows)
    if data:
        _add(data, rows)


def whole(events: Iterator[Event], rows: Rows) -> bytes:
    """All bytes of a file that is one document; empty where it is broken or too long, which goes to quarantine."""
    limit = rows.reading.max_record_bytes
    pieces: list[bytes] = []
    size = 0
    broken: Broken | None = None
    for event in events:
        if isinstance(event, Broken):
            broken = broken or event
        elif not isinstance(event, MemberStart):
            rows.read(len(event))
            if size <= limit:
                pieces.append(event)
            size += len(event)
    data = b"".join(pieces)
    if broken is not None:
        record, size = data or broken.excerpt, max(size, broken.size)
        rows.broken(broken.error, broken.message, offset=0, size=size, record=record, lost=rows.stored_bytes)
    elif size > limit:
        message = f"a file of {size} bytes, more than max_record_bytes = {limit}"
        rows.broken("too_large", message, offset=0, size=size, record=data[:EXCERPT_BYTES])
    else:
        return data
    return b""


def _add(data: bytes, rows: Rows) -> None:
    try:
        text = data.decode("utf-16") if data.startswith(_UTF16) else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        word = "not_text" if b"\0" in data[:EXCERPT_BYTES] else "bad_utf8"
        rows.broken(word, f"byte {error.start} of the file: {error.reason}", offset=0, size=len(data), record=data)
        return
    if "\0" in text[:EXCERPT_BYTES]:
        rows.broken("not_text", "the file holds NUL bytes: it is not text", offset=0, size=len(data), record=data)
        return
    rows.document(text=text, offset=0)
