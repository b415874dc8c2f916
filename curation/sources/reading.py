"""A unit of work into chunks of documents: the one door to all formats."""

from collections.abc import Iterator

from curation.sources.chunks import Chunk, PartReport, Reading, Rows
from curation.sources.formats import BOM, Format, detect_format
from curation.sources.jsonl import read_jsonl
from curation.sources.listing import Part, Unit
from curation.sources.opening import StoredFile

__all__ = ["Chunk", "PartReport", "Reading", "read_unit"]


def read_unit(unit: Unit, reading: Reading) -> Iterator[Chunk]:
    """The documents of a unit in order, about ``reading.batch_bytes`` of text at a time.

    Broken records and files become rows of ``quarantine``; only bugs raise.
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
        file = StoredFile(part.file.path, part.start, part.end)
    except OSError as error:
        _unreadable(rows, error)
        rows.finish("", 0)
        return
    with file:
        try:
            found = _detect(file)
            yield from _read_as(found, file, part, rows)
            file.finish()
        except OSError as error:
            _unreadable(rows, error)
        rows.finish(file.sha256, file.hashed)


def _unreadable(rows: Rows, error: OSError) -> None:
    message = f"{rows.file.path}: {error.strerror or error}"
    rows.broken("unreadable", message, offset=0, size=0, record=b"")


def _detect(file: StoredFile) -> Format:
    from curation.sources.formats import PEEK_BYTES

    head = next(file.reread(0), b"")
    return detect_format(head[:PEEK_BYTES])


def _read_as(found: Format, file: StoredFile, part: Part, rows: Rows) -> Iterator[Chunk]:
    if found.kind == "empty":
        return
    if found.kind == "jsonl":
        yield from read_jsonl(file, found.compression, part, rows)
        return
    raise NotImplementedError(found.kind)


_ = BOM
