"""The files that are made of a corpus or of packed sequences: they appear whole, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas import folders
from schemas.errors import RunError


@contextmanager
def new_files(*paths: Path) -> Iterator[list[Path]]:
    """As `folders.new_files`. Raises UserError for an output that cannot be made, RunError where the disk fails."""
    with _named_errors(paths[0]), folders.new_files(*paths) as unfinished:
        yield unfinished


@contextmanager
def _named_errors(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"{output} cannot be written: {error.strerror or error}") from error
