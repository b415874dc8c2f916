"""The user's lists of entries: given in the recipe, or in files with one entry per line.

An entry that starts with @ names a file (local, or on any file system of fsspec); a line that starts with # is a
comment.
"""

import hashlib
import os
from typing import NamedTuple

import fsspec

from curation.sources.places import is_local, local_path
from schemas.errors import UserError
from schemas.named_files import irregular


def entries_of(listed: tuple[str, ...], use: str) -> tuple[str, ...]:
    """The entries of a list of the filter ``use``, including the entries of the files that it names. Raises UserError
    for a file that cannot be read."""
    found: list[str] = []
    for entry in listed:
        found += _file(entry[1:], use).entries if entry.startswith("@") else [entry]
    return tuple(entry for entry in found if entry)


def digests(listed: tuple[str, ...], use: str) -> dict[str, str]:
    """The SHA-256 (in hexadecimal) of the entries of each file in a list of the filter ``use``, by file name."""
    named = {entry[1:] for entry in listed if entry.startswith("@")}
    return {name: _file(name, use).digest for name in sorted(named)}


def forget(use: str) -> None:
    """Forgets the files of the filter ``use``, which are then read again."""
    for key in [key for key in _files if key[1] == use]:
        del _files[key]


class _File(NamedTuple):
    entries: tuple[str, ...]
    digest: str


_files: dict[tuple[str, str], _File] = {}
"""What was read, by file and filter: filters and the manifest see the same entries."""


def _file(name: str, use: str) -> _File:
    if (name, use) not in _files:
        entries = _read(name, use)
        _files[name, use] = _File(entries, hashlib.sha256("\n".join(entries).encode()).hexdigest())
    return _files[name, use]


def _read(name: str, use: str) -> tuple[str, ...]:
    path = local_path(name)
    if is_local(name) and os.path.exists(path) and not os.path.isfile(path):
        kind = irregular(os.stat(path)) or "a folder"
        raise UserError(f"the list {name} of the {use} filter is {kind}: give a file with one entry per line")
    try:
        with fsspec.open(name, "rt", encoding="utf-8-sig") as lines:
            found = [line.strip() for line in lines if not line.startswith("#")]
    except (OSError, ValueError) as error:
        raise UserError(f"the list {name} of the {use} filter cannot be read: {error}") from error
    return tuple(entry for entry in found if entry)
