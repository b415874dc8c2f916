"""Reads a plain text file as one document."""

import codecs
from collections.abc import Iterator

from curation.sources.chunks import ChunkBuilder
from curation.sources.events import EXCERPT_BYTES, Broken, Event

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(events: Iterator[Event], builder: ChunkBuilder) -> None:
    """Adds the file as a document, or quarantines it. Text is UTF-8, or UTF-16 with a byte order mark."""
    data = read_whole(events, builder)
    if not data:
        return
    try:
        text = data.decode("utf-16") if data.startswith(_UTF16) else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        word = "not_text" if b"\0" in data[:EXCERPT_BYTES] else "bad_utf8"
        builder.quarantine(word, f"byte {error.start} of the file: {error.reason}", record=data)
        return
    if "\0" in text[:EXCERPT_BYTES]:
        builder.quarantine("not_text", "the file holds NUL bytes: it is not text", record=data)
    else:
        builder.add_document(text=text, offset=0)


def read_whole(events: Iterator[Event], builder: ChunkBuilder) -> bytes:
    """All bytes of a file that is one document; empty if the file is broken or too long and went to quarantine."""
    limit = builder.reading.max_record_bytes
    data, size = read_beginning(events, limit, builder)
    if size <= limit:
        return data
    message = f"a file of {size} bytes, more than max_record_bytes = {limit}"
    builder.quarantine("too_large", message, size=size, record=data[:EXCERPT_BYTES])
    return b""


def read_beginning(events: Iterator[Event], limit: int, builder: ChunkBuilder) -> tuple[bytes, int]:
    """The first ``limit`` bytes of a file, or a few more, and the number of all its bytes; (b"", 0) for a file that is
    broken and went to quarantine."""
    pieces: list[bytes] = []
    size = 0
    broken: Broken | None = None
    for event in events:
        if isinstance(event, Broken):
            broken = broken or event
        elif isinstance(event, bytes):
            builder.count_bytes(len(event))
            if size <= limit:
                pieces.append(event)
            size += len(event)
    data = b"".join(pieces)
    if broken is None:
        return data, size
    record, size = data or broken.excerpt, max(size, broken.size)
    builder.quarantine(broken.error, broken.message, size=size, record=record, lost=builder.stored_bytes)
    return b"", 0
