"""Reads decompressed bytes of any format as documents: of a file, or of a member of an archive."""

import codecs
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import IO

from curation.sources.chunks import Chunk, ChunkBuilder
from curation.sources.decompression import decompress
from curation.sources.events import EXCERPT_BYTES, Event
from curation.sources.formats import PEEK_BYTES, Format, content_format, detect_format
from curation.sources.inputs import Span
from curation.sources.jsonl import read_jsonl
from curation.sources.plain_text import read_beginning, read_text
from curation.sources.spooled import Spooled
from curation.sources.tar import ArchivedFile, TarMembers

MAX_DEPTH = 3
"""Maximum depth of archives within archives."""

AT_RANDOM = ("parquet", "arrow", "zip")
"""Formats whose directory is at the end of the file: they are read at random."""

_INVALID = "gristmill.invalid"
codecs.register_error(_INVALID, lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]


def peek(events: Iterator[Event], size: int = PEEK_BYTES) -> tuple[bytes, Iterator[Event]]:
    """The first ``size`` decompressed bytes (fewer at the end), and an iterator over all events."""
    seen: list[Event] = []
    found = 0
    while found < size and (event := next(events, None)) is not None:
        seen.append(event)
        found += len(event) if isinstance(event, bytes) else 0
    head = b"".join(event for event in seen if isinstance(event, bytes))[:size]
    return head, chain(seen, events)


def read_events(
    found: Format,
    events: Iterator[Event],
    builder: ChunkBuilder,
    span: Span | None = None,
    look: Callable[[int, int], bytes] | None = None,
    depth: int = 0,
) -> Iterator[Chunk]:
    """Reads decompressed bytes in the format that was found. Each reader is imported only if an input needs it.

    ``span`` is the range of a file of JSON lines, None for all of it; ``look`` reads ahead in a plain file.
    """
    if found.encoding:
        events = _as_utf8(events, found.encoding)
    match found.kind:
        case "jsonl":
            yield from read_jsonl(events, span or Span(builder.file), builder)
        case "json":
            from curation.sources.json_stream import read_json

            yield from read_json(events, builder)
        case "csv" | "tsv":
            from curation.sources.delimited import read_delimited

            yield from read_delimited(events, found.kind, builder)
        case "warc" | "arc":
            from curation.sources.warc import read_warc

            yield from read_warc(events, found.kind, builder, look)
        case "text":
            read_text(events, builder)
        case "html":
            from curation.sources.html_file import read_html

            read_html(events, builder)
        case "arrow_stream":
            from curation.sources.arrow import read_arrow_stream

            yield from read_arrow_stream(events, builder)
        case "tar" if depth < MAX_DEPTH:
            yield from _read_members(TarMembers(events, builder), builder, depth)
        case kind if kind in AT_RANDOM and depth < MAX_DEPTH:
            with Spooled(events) as spooled:
                start = builder.member_start
                yield from read_at_random(found, spooled.open_whole(), builder, Span(builder.file), depth)
                _quarantine_stretches(spooled, builder, start)
        case _:
            _refuse(found, events, builder)


def read_at_random(
    found: Format, source: str | IO[bytes], builder: ChunkBuilder, span: Span, depth: int = 0
) -> Iterator[Chunk]:
    """Reads a format whose directory is at the end of the file, from a local path or an open file."""
    if found.kind == "parquet":
        from curation.sources.parquet import read_parquet

        yield from read_parquet(source, span, builder)
    elif found.kind == "arrow":
        from curation.sources.arrow import read_arrow_file

        yield from read_arrow_file(source, builder)
    else:
        from curation.sources.zipped import zip_members

        if isinstance(source, str):
            with open(source, "rb") as file:
                yield from _read_members(zip_members(file, builder), builder, depth)
        else:
            yield from _read_members(zip_members(source, builder), builder, depth)


def _read_members(members: Iterable[ArchivedFile], builder: ChunkBuilder, depth: int) -> Iterator[Chunk]:
    """Reads each member in its own format. A repeated name gets a number: ``a.jsonl#2``."""
    names: Counter[str] = Counter()
    for member in members:
        if _is_hidden(member.name):
            builder.skip("hidden_member")
            continue
        names[member.name] += 1
        again = f"#{names[member.name]}" if names[member.name] > 1 else ""
        with builder.inside_member(member.name + again, member.size):
            yield from _read_member(member, builder, depth + 1)
        if builder.full:
            yield builder.take()


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) and part not in (".", "..") for part in name.split("/"))


def _read_member(member: ArchivedFile, builder: ChunkBuilder, depth: int) -> Iterator[Chunk]:
    head, events = peek(member.events)
    found = detect_format(head, member.name)
    if found.compression is None:
        yield from read_events(found, events, builder, depth=depth)
        return
    with Spooled(events) as spooled:
        start = builder.member_start
        window = builder.reading.max_window_bytes
        content, inner = peek(decompress(spooled, found.compression, window))
        yield from read_events(inner_format(content, member.name, None, found), inner, builder, depth=depth)
        _quarantine_stretches(spooled, builder, start)


def _quarantine_stretches(spooled: Spooled, builder: ChunkBuilder, start: int) -> None:
    """Quarantines the undecodable stretches of a stream, whose documents are those after the first ``start``."""
    for broken in spooled.broken:
        builder.start_member(start)
        start = builder.documents
        builder.quarantine_stretch(broken, spooled.size)


def inner_format(content: bytes, name: str, asked: str | None, found: Format) -> Format:
    """The format of decompressed bytes; ``found`` if nothing could be decompressed."""
    return content_format(content, name, asked, len(content) < PEEK_BYTES) if content else found


def _refuse(found: Format, events: Iterator[Event], builder: ChunkBuilder) -> None:
    """Quarantines all of a file or member in an unknown or unsupported format."""
    record, size = read_beginning(events, EXCERPT_BYTES, builder)
    if not size:
        return
    word, message = "unknown_format", "it is in no format that gristmill reads"
    if found.kind == "foreign":
        word, message = "unsupported_format", f"it is {found.what}, which gristmill does not read"
    elif found.kind != "unknown":
        word, message = "unsupported_format", f"archives are read {MAX_DEPTH} deep"
    builder.quarantine(word, message, size=size, record=record, lost=builder.stored_bytes)


def _as_utf8(events: Iterator[Event], encoding: str) -> Iterator[Event]:
    """Converts UTF-16 or UTF-32 to UTF-8; invalid text becomes bytes that are invalid in UTF-8 too."""
    decoder = codecs.getincrementaldecoder(encoding)(_INVALID)
    for event in events:
        yield decoder.decode(event).encode("utf-8", "surrogatepass") if isinstance(event, bytes) else event
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
