"""The files that are made of a corpus or of packed sequences: they appear whole, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.errors import RunError, UserError
from schemas import folders


@contextmanager
def new_files(*paths: Path) -> Iterator[list[Path]]:
    """As `folders.new_files`. Raises UserError for an output that cannot be made, RunError where the disk fails."""
    with _named_errors(paths[0]), folders.new_files(*paths) as unfinished:
        yield unfinished


@contextmanager
def _named_errors(output: Path) -> Iterator[None]:
    try:
        yield
    except folders.OutputError as error:
        raise UserError(str(error)) from error
    except OSError as error:
        raise RunError(f"{output} cannot be written: {error.strerror or error}") from error
