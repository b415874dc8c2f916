"""The files of benchmarks as a user names them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from schemas.errors import UserError

ReadRows = Callable[[Path], Iterator[tuple[int, Mapping[str, Any]]]]
"""Reads the rows of a file, each with its number. Raises UserError for a file or a row that cannot be read."""


def named_file(given: str) -> tuple[str, Path]:
    """The name and the file of NAME=FILE; the name of a file alone is its own, up to the first dot.

    >>> named_file("quiz=data/a.jsonl"), named_file("data/a.jsonl.gz")
    (('quiz', PosixPath('data/a.jsonl')), ('a', PosixPath('data/a.jsonl.gz')))
    """
    name, equals, path = given.partition("=")
    if equals and name and "/" not in name:
        return name, Path(path)
    return Path(given).name.partition(".")[0] or Path(given).name, Path(given)


def check_names(names: Sequence[str]) -> None:
    """Raises UserError for two benchmarks of the same name."""
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"two benchmarks are named {name}: name one of them otherwise, as NAME=FILE")
