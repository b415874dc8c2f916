"""The outputs of packing: they appear whole, or not at all."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.errors import RunError, UserError
from schemas import folders


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """As `folders.new_folder`. Raises UserError for an output that cannot be made, RunError where the disk fails."""
    with _told(folder), folders.new_folder(folder) as unfinished:
        yield unfinished


@contextmanager
def new_files(*paths: Path) -> Iterator[list[Path]]:
    """As `folders.new_files`. Raises UserError for an output that cannot be made, RunError where the disk fails."""
    with _told(paths[0]), folders.new_files(*paths) as unfinished:
        yield unfinished


@contextmanager
def _told(output: Path) -> Iterator[None]:
    try:
        yield
    except folders.OutputError as error:
        raise UserError(str(error)) from error
    except OSError as error:
        raise RunError(f"{output} cannot be written: {error.strerror or error}") from error


def write_json(path: Path, value: object) -> None:
    content = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    path.write_text(content, encoding="utf-8")
