"""Reads the rows of a benchmark's file, for the commands that search for its samples."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from annotation.rows.reading import Unreadable, rows
from schemas.errors import UserError


def benchmark_rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The rows of a file, each with its number. Raises UserError for a record that cannot be read, and for a file
    without rows."""
    number = 0
    for number, row in rows(path, _All()):
        if isinstance(row, Unreadable):
            raise UserError(f"{path}, row {number:,} cannot be read: {row.message}")
        yield number, row
    if not number:
        raise UserError(f"{path} has no rows: give a file with a row for each sample")


class _All(frozenset[str]):
    """All columns."""

    def __contains__(self, name: object) -> bool:
        return True
