"""A unit of work into chunks of documents: the one door to all formats."""

from collections.abc import Iterator

from curation.sources.chunks import FREE_RECORDS, Chunk, PartReport, Reading, Rows
from curation.sources.contents import AT_RANDOM, inner_format, peeked, read_at_random, read_events
from curation.sources.decompression import decompressed
from curation.sources.formats import PEEK_BYTES, Format, detect_format
from curation.sources.inputs import InputFile, Part, Unit
from curation.sources.opening import StoredFile, open_stored, out_of_reach, stored_version
from curation.sources.places import is_local, local_path
from curation.sources.storage import outages
from schemas.errors import RunError

__all__ = ["Chunk", "PartReport", "Reading", "checksum", "read_unit"]


def read_unit(unit: Unit, reading: Reading) -> Iterator[Chunk]:
    """The documents of a unit in order, about ``reading.batch_bytes`` of text at a time.

    Broken records and files become rows of ``quarantine``. Raises RunError for a file that cannot be opened or read
    now: what it holds is not known.
    """
    rows = Rows(reading)
    for part in unit.parts:
        rows.begin(part)
        yield from _read_part(part, rows)
        if rows.full:
            yield rows.take()
    if not rows.empty:
        yield rows.take()


def _read_part(part: Part, rows: Rows) -> Iterator[Chunk]:
    try:
        with StoredFile(part.file.path) as file:
            found = _detect(file, part)
            file.start, file.end = _byte_range(found, file, part)
            for chunk in _read_as(found, file, part, rows):
                yield chunk
                if rows.too_many:
                    _leave(file, rows)
                    break
            file.finish()
            rows.finish(file.sha256, file.hashed, _note(rows))
        _check_unchanged(part.file)
    except outages() as error:
        raise out_of_reach(part.file.path, error) from error


def _leave(file: StoredFile, rows: Rows) -> None:
    """Leaves the rest of a file unread that yields more records than its stored bytes can hold."""
    rest = max(0, rows.file.size - file.position)
    message = f"more than {FREE_RECORDS:,} records and one for each stored byte: the rest is not read"
    rows.broken("expands_too_far", message, offset=file.position, size=rest, record=b"", lost=rest)


def _check_unchanged(file: InputFile) -> None:
    """Raises RunError for a file that is no longer the one that was listed: its parts may not fit together."""
    now = stored_version(file.path) if file.version else None
    if now is not None and now != (file.size, file.version):
        size = f"from {file.size:,} to {now[0]:,} bytes" if now[0] != file.size else "in place"
        raise RunError(
            f"the input file '{file.path}' changed while it was read ({size}): wait until it is complete, then run "
            "again into a new folder"
        )


def checksum(part: Part) -> str:
    """The SHA-256 of a part's stored bytes, as its report tells it. Raises RunError for a file that cannot be read."""
    try:
        with StoredFile(part.file.path) as file:
            file.start, file.end = _byte_range(_detect(file, part), file, part)
            file.finish()
            return file.sha256
    except outages() as error:
        raise out_of_reach(part.file.path, error) from error


def _detect(file: StoredFile, part: Part) -> Format:
    if part.file.size == 0 and not file.peek(1):
        return Format("empty")
    return detect_format(file.peek(PEEK_BYTES), part.file.name, part.file.format)


def _byte_range(found: Format, file: StoredFile, part: Part) -> tuple[int, int | None]:
    """The stored bytes that the part answers for."""
    if found.kind == "parquet" and (part.start or part.end is not None):
        from curation.sources.parquet import byte_range

        return byte_range(file.path, part)
    return part.start, part.end


def _read_as(found: Format, file: StoredFile, part: Part, rows: Rows) -> Iterator[Chunk]:
    """Reads the part in the format that its first bytes tell."""
    if found.kind == "empty" and found.compression is None:
        return
    if found.compression is None and found.kind in AT_RANDOM:
        source = local_path(file.path) if is_local(file.path) else open_stored(file.path)
        yield from read_at_random(found, source, rows, part)
        return
    if part.start:
        file.seek(part.start - 1)
    compression = found.compression
    events = decompressed(file, compression, rows.reading.max_window_bytes)
    if compression is not None:
        content, events = peeked(events)
        found = inner_format(content, part.file.name, part.file.format, found)
    look = file.look if compression is None else None
    yield from read_events(found, events, rows, part, look)


def _note(rows: Rows) -> str | None:
    """A sentence for the user where no record of the part has the text."""
    if rows.documents or not rows.without_text or rows.without_text < rows.quarantined:
        return None
    return f"no record has a text: {rows.last_message}; name the field that holds it: --set reading.fields.text=NAME"
