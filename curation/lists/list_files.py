"""The user's lists of entries: given in the recipe, or in files with one entry per line.

An entry that starts with @ names a file (local, or on any file system of fsspec); a line that starts with # is a
comment.
"""

import hashlib
import os
from itertools import islice
from typing import NamedTuple

import fsspec
import pyarrow as pa

from curation.sources.places import is_local, local_path
from curation.sources.storage import reason
from schemas.errors import UserError
from schemas.named_files import irregular

_AT_ONCE = 1 << 18


def entries_of(listed: tuple[str, ...], use: str) -> tuple[str, ...]:
    """The entries of a list of the step ``use``, including the entries of the files that it names. Raises UserError
    for a file that cannot be read."""
    return tuple(column_of(listed, use).to_pylist())


def column_of(listed: tuple[str, ...], use: str) -> pa.LargeStringArray:
    """The entries as ``entries_of`` returns them, in a column: lists may have millions of entries."""
    parts = []
    for entry in listed:
        own = [entry] if entry else []
        parts.append(_file(entry[1:], use).entries if entry.startswith("@") else pa.array(own, pa.large_string()))
    return parts[0] if len(parts) == 1 else pa.concat_arrays([pa.array([], pa.large_string()), *parts])


def digests(listed: tuple[str, ...], use: str) -> dict[str, str]:
    """The SHA-256 (in hexadecimal) of the entries of each file in a list of the step ``use``, by file name."""
    named = {entry[1:] for entry in listed if entry.startswith("@")}
    return {name: _file(name, use).digest for name in sorted(named)}


def forget(use: str) -> None:
    """Forgets the files of the step ``use``, which are then read again."""
    for key in [key for key in _files if key[1] == use]:
        del _files[key]


class _File(NamedTuple):
    entries: pa.LargeStringArray
    digest: str


_files: dict[tuple[str, str], _File] = {}
"""What was read, by file and step: steps and the manifest see the same entries."""


def _file(name: str, use: str) -> _File:
    if (name, use) not in _files:
        entries = _read(name, use)
        _files[name, use] = _File(entries, _digest(entries))
    return _files[name, use]


def _digest(entries: pa.LargeStringArray) -> str:
    """The SHA-256 of the entries with newlines between them."""
    digest = hashlib.sha256()
    for start in range(0, len(entries), _AT_ONCE):
        digest.update(("\n" if start else "").encode())
        digest.update("\n".join(entries.slice(start, _AT_ONCE).to_pylist()).encode())
    return digest.hexdigest()


def _read(name: str, use: str) -> pa.LargeStringArray:
    path = local_path(name)
    if is_local(name) and os.path.exists(path) and not os.path.isfile(path):
        kind = irregular(os.stat(path)) or "a folder"
        raise UserError(f"the list {name} of the step {use} is {kind}: give a file with one entry per line")
    parts = [pa.array([], pa.large_string())]
    try:
        with fsspec.open(name, "rt", encoding="utf-8-sig") as lines:
            while block := list(islice(lines, _AT_ONCE)):
                entries = [line.strip() for line in block if not line.startswith("#")]
                parts.append(pa.array([entry for entry in entries if entry], pa.large_string()))
    except UnicodeDecodeError:
        raise UserError(f"the list {name} of the step {use} is not in UTF-8: convert it, such as with iconv") from None
    except (OSError, ValueError) as error:
        raise UserError(f"the list {name} of the step {use} cannot be read: {reason(error)}") from error
    whole = pa.concat_arrays(parts)
    if len(parts) > 2:
        del parts
        pa.default_memory_pool().release_unused()
    return whole
