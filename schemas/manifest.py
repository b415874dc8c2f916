"""Manifests: what a finished folder says of itself and of its files, and whether the files are still what it says."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

from schemas.checksums import sha256_of
from schemas.errors import CHANGED, DamagedError, UserError
from schemas.records import from_json
from schemas.visible import visible

MANIFEST = "manifest.json"
_HALF = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
"""What spells one half of a surrogate pair in JSON, or is one in bytes that Python's parser lets pass."""

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """What a manifest says of a file, under the name of that. ``bytes`` and ``rows`` are None where it does not say
    them."""

    sha256: str
    bytes: int | None = None
    rows: int | None = None


@dataclass(frozen=True)
class ShardEntry(Entry):
    """An `Entry` that says both."""

    bytes: int = field()
    rows: int = field()


@dataclass(frozen=True)
class Noted:
    """An `Entry` with the name of its file, relative to the folder."""

    name: str
    sha256: str
    bytes: int | None = None
    rows: int | None = None


def parsed(content: bytes, place: str) -> Any:
    """The JSON value of a manifest whose path is ``place``. Raises DamagedError where it is not JSON."""
    try:
        value = json.loads(content)
        if _HALF.search(content):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise DamagedError(f"{place} holds half of a surrogate pair, which is not valid Unicode: {CHANGED}") from error
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else visible(str(error))
        raise DamagedError(f"{place} is not JSON ({why}): {CHANGED}") from error
    return value


def read_manifest(content: bytes, place: str, kind: type[T], *, form: str, version: int, made_by: str) -> T:
    """The manifest at ``place``, whose bytes are ``content``, as a record of ``kind``.

    Raises UserError for one whose ``format`` is not ``form``, which ``made_by`` writes, and DamagedError for one of a
    newer version and for what is not JSON or not of its type.
    """
    value = parsed(content, place)
    if not isinstance(value, dict) or value.get("format") != form:
        raise UserError(f"{place} was not written by {made_by}: name another folder")
    found = from_json(Versioned, value, place).version
    if found > version:
        raise DamagedError(
            f"{place} is of version {found}, newer than this Gristmill, which reads up to {version}: upgrade Gristmill"
        )
    return from_json(kind, value, place)


@dataclass(frozen=True)
class Versioned:
    """What tells the manifests of one kind and version from others."""

    format: str
    version: int


def noted_files(files: Mapping[str, Entry], place: str) -> dict[str, Noted]:
    """The files that the manifest at ``place`` names, by name.

    Raises DamagedError for a name that leads out of the folder, and for an invalid SHA-256.
    """
    found = {}
    for name, about in files.items():
        if not is_inside(name):
            raise DamagedError(f"{place} names a file outside of its folder, '{visible(name)}': {CHANGED}")
        if len(about.sha256) != 64 or about.sha256.strip("0123456789abcdef"):
            raise DamagedError(f"{place}: the SHA-256 of {visible(name)} is not 64 hexadecimal digits: {CHANGED}")
        found[name] = Noted(name, about.sha256, about.bytes, about.rows)
    return found


def is_inside(name: str) -> bool:
    """Whether a name, with / between folders, leads to a file inside of a folder wherever that lies.

    >>> is_inside("documents/00000.parquet"), is_inside("../x"), is_inside("/etc/passwd"), is_inside("a//b")
    (True, False, False, False)
    """
    parts = name.split("/")
    return visible(name) == name and "\\" not in name and all(part not in ("", ".", "..") for part in parts)


def difference(noted: Noted, opened: Callable[[str], IO[bytes]]) -> str | None:
    """How a file differs from what a manifest says of it, in words that follow its name; None where it does not.

    ``opened`` opens the file by its name in the folder; all of it is read. Raises what reading raises, but for
    FileNotFoundError, which is a difference.
    """
    try:
        with opened(noted.name) as stream:
            digest, size = sha256_of(stream), stream.tell()
    except FileNotFoundError:
        return size_difference(noted, None)
    damaged = None if digest == noted.sha256 else "is damaged: its SHA-256 is not the one in the manifest"
    return size_difference(noted, size) or damaged


def size_difference(noted: Noted, size: int | None) -> str | None:
    """How a file of ``size`` bytes, None for a missing one, differs from what a manifest says, as `difference` does."""
    if size is None:
        return "is missing"
    if noted.bytes is None or noted.bytes == size:
        return None
    return f"has {size:,} bytes, the manifest says {noted.bytes:,}"
