"""Parquet files by row groups."""

import pyarrow as pa
import pyarrow.parquet as pq

from curation.sources.opening import open_stored


def row_group_ranges(path: str, unit_bytes: int) -> list[tuple[int, int | None]]:
    """Ranges of row groups with about ``unit_bytes`` stored bytes each; none for a file whose footer is corrupt."""
    try:
        with open_stored(path) as file:
            footer = pq.read_metadata(file)
    except pa.ArrowInvalid:
        return []
    ranges: list[tuple[int, int | None]] = []
    start = gathered = 0
    for group in range(footer.num_row_groups):
        columns = (footer.row_group(group).column(i) for i in range(footer.num_columns))
        size = sum(column.total_compressed_size for column in columns)
        if group > start and gathered + size > unit_bytes:
            ranges.append((start, group))
            start, gathered = group, 0
        gathered += size
    ranges.append((start, None))
    return ranges
