"""Reads units of work as chunks of documents, in any format."""

from collections.abc import Iterator

from curation.sources.chunks import FREE_RECORDS, Chunk, ChunkBuilder, ReadingSettings, SpanReport
from curation.sources.contents import AT_RANDOM, inner_format, peek, read_at_random, read_events
from curation.sources.decompression import decompress
from curation.sources.formats import PEEK_BYTES, Format, detect_format
from curation.sources.inputs import InputFile, Span, Unit
from curation.sources.opening import StoredFile, open_stored, stored_version, unreachable_error
from curation.sources.places import is_local, local_path
from curation.sources.storage import outages
from schemas.errors import RunError

__all__ = ["Chunk", "ReadingSettings", "SpanReport", "checksum", "read_unit"]


def read_unit(unit: Unit, reading: ReadingSettings, rights: bool = False) -> Iterator[Chunk]:
    """The documents of a unit in order, in chunks of about ``reading.batch_bytes`` of text. With ``rights``, the
    metadata of a page says what the page states of its rights (`curation.rights`).

    Broken records and files become rows of ``quarantine``. Raises RunError for a file that cannot be opened or read,
    since its content is unknown.
    """
    builder = ChunkBuilder(reading, rights)
    for span in unit.spans:
        builder.start_span(span)
        yield from _read_span(span, builder)
        if builder.full:
            yield builder.take()
    if not builder.empty:
        yield builder.take()


def _read_span(span: Span, builder: ChunkBuilder) -> Iterator[Chunk]:
    try:
        with StoredFile(span.file.path) as file:
            found = _detect(file, span)
            file.start, file.end = _byte_range(found, file, span)
            for chunk in _read_as(found, file, span, builder):
                yield chunk
                if builder.too_many:
                    _quarantine_rest(file, builder)
                    break
            file.finish()
            builder.finish_span(file.sha256, file.hashed, _note(builder))
        _check_unchanged(span.file)
    except outages() as error:
        raise unreachable_error(span.file.path, error) from error


def _quarantine_rest(file: StoredFile, builder: ChunkBuilder) -> None:
    """Quarantines the unread rest of a file that yields more records than its stored bytes can hold."""
    rest = max(0, builder.file.size - file.position)
    message = f"more than {FREE_RECORDS:,} records and one for each stored byte: the rest is not read"
    builder.quarantine("expands_too_far", message, offset=file.position, size=rest, lost=rest)


def _check_unchanged(file: InputFile) -> None:
    """Raises RunError if the file has changed since it was listed: its spans may not fit together."""
    now = stored_version(file.path) if file.version else None
    if now is not None and now != (file.size, file.version):
        size = f"from {file.size:,} to {now[0]:,} bytes" if now[0] != file.size else "in place"
        raise RunError(
            f"the input file '{file.path}' changed while it was read ({size}): wait until it is complete, then run "
            "again into a new folder"
        )


def checksum(span: Span) -> str:
    """The SHA-256 of a span's stored bytes, as in its report. Raises RunError for a file that cannot be read."""
    try:
        with StoredFile(span.file.path) as file:
            file.start, file.end = _byte_range(_detect(file, span), file, span)
            file.finish()
            return file.sha256
    except outages() as error:
        raise unreachable_error(span.file.path, error) from error


def _detect(file: StoredFile, span: Span) -> Format:
    if span.file.size == 0 and not file.peek(1):
        return Format("empty")
    return detect_format(file.peek(PEEK_BYTES), span.file.name, span.file.format)


def _byte_range(found: Format, file: StoredFile, span: Span) -> tuple[int, int | None]:
    """The stored bytes that belong to the span, as (start, end)."""
    if found.kind == "parquet" and (span.start or span.end is not None):
        from curation.sources.parquet import byte_range

        return byte_range(file.path, span)
    return span.start, span.end


def _read_as(found: Format, file: StoredFile, span: Span, builder: ChunkBuilder) -> Iterator[Chunk]:
    """Reads the span in the format that was found."""
    if found.kind == "empty" and found.compression is None:
        return
    if found.compression is None and found.kind in AT_RANDOM:
        source = local_path(file.path) if is_local(file.path) else open_stored(file.path)
        yield from read_at_random(found, source, builder, span)
        return
    if span.start:
        file.seek(span.start - 1)
    compression = found.compression
    events = decompress(file, compression, builder.reading.max_window_bytes)
    if compression is not None:
        content, events = peek(events)
        found = inner_format(content, span.file.name, span.file.format, found)
    look = file.look if compression is None else None
    yield from read_events(found, events, builder, span, look)


def _note(builder: ChunkBuilder) -> str | None:
    """A sentence for the user if no record of the span has a text."""
    if builder.documents or not builder.without_text or builder.without_text < builder.quarantined:
        return None
    return f"no record has a text: {builder.last_message}; name the field that holds it: --set reading.fields.text=NAME"
