"""Makes units of work of the listed files; the sorted listing alone decides how."""

from collections.abc import Iterable

from curation.sources.formats import detect
from curation.sources.inputs import InputFile, Span, Unit
from curation.sources.opening import unreachable_error
from curation.sources.parquet import row_group_ranges
from curation.sources.storage import outages


def plan_units(files: Iterable[InputFile], unit_bytes: int) -> list[Unit]:
    """Groups small files and splits large files, so that a unit holds about ``unit_bytes`` stored bytes.

    Only files larger than that are opened, to find out whether they can be split.
    """
    groups: list[tuple[Span, ...]] = []
    group: list[Span] = []
    gathered = 0
    for file in files:
        if group and gathered + file.size > unit_bytes:
            groups.append(tuple(group))
            group, gathered = [], 0
        if file.size > unit_bytes:
            groups += [(span,) for span in _spans(file, unit_bytes)]
        else:
            group.append(Span(file))
            gathered += file.size
    if group:
        groups.append(tuple(group))
    return [Unit(index, spans) for index, spans in enumerate(groups)]


def _spans(file: InputFile, unit_bytes: int) -> list[Span]:
    """The spans of a large file; a single span if the file cannot be split.

    Raises RunError if the file cannot be opened, since its spans are unknown then.
    """
    try:
        found = detect(file.path, file.name, file.format)
        if found.kind == "parquet":
            ranges = row_group_ranges(file.path, unit_bytes)
        elif found.can_be_split:
            ranges = _byte_ranges(file.size, unit_bytes)
        else:
            ranges = []
    except outages() as error:
        raise unreachable_error(file.path, error) from error
    return [Span(file, start, end) for start, end in ranges] if len(ranges) > 1 else [Span(file)]


def _byte_ranges(size: int, unit_bytes: int) -> list[tuple[int, int | None]]:
    """Equal ranges of at most ``unit_bytes``; the last range is open."""
    count = -(-size // unit_bytes)
    edges = [size * i // count for i in range(count)]
    return [(start, edges[i + 1] if i + 1 < count else None) for i, start in enumerate(edges)]
