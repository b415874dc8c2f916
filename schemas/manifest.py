"""Manifests: reads the description of a finished folder and its files, and checks that the files have not changed."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, TypeVar

from schemas.checksums import sha256_of
from schemas.errors import CHANGED, DamagedError, UserError
from schemas.named_files import NamedFileError, open_named
from schemas.records import from_json
from schemas.visible import visible
from schemas.wording import parse_failure

MANIFEST = "manifest.json"
MISSING = "is missing"
"""How a missing file differs from its entry."""
_HALF = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
"""Half of a surrogate pair in JSON, as an escape or as bytes; Python's parser accepts both."""

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """A manifest's description of a file, under the file's name. ``bytes`` and ``rows`` are None if not given."""

    sha256: str
    bytes: int | None = None
    rows: int | None = None


@dataclass(frozen=True)
class ShardEntry(Entry):
    """An `Entry` with bytes and rows."""

    bytes: int = field()
    rows: int = field()


@dataclass(frozen=True)
class NamedEntry:
    """An `Entry` with the name of its file, relative to the folder."""

    name: str
    sha256: str
    bytes: int | None = None
    rows: int | None = None


def parse_json(content: bytes, place: str) -> Any:
    """The JSON value of the manifest at ``place``. Raises DamagedError if ``content`` is not valid JSON and Unicode."""
    try:
        value = json.loads(content)
        if _HALF.search(content):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise DamagedError(f"{place} holds half of a surrogate pair, which is not valid Unicode: {CHANGED}") from error
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{place} is not JSON ({visible(parse_failure(error))}): {CHANGED}") from error
    return value


def read_manifest(content: bytes, place: str, kind: type[T], *, form: str, version: int, made_by: str) -> T:
    """Parses ``content``, the manifest at ``place``, as a record of class ``kind``.

    ``made_by`` names the command that writes this ``form``, for messages. Raises UserError if the manifest has another
    ``format``, and DamagedError if its version is newer, or if it is not JSON or has missing or wrong fields.
    """
    value = parse_json(content, place)
    if not isinstance(value, dict) or value.get("format") != form:
        raise UserError(f"{place} was not written by {made_by}: name another folder")
    found = from_json(Versioned, value, place).version
    if found > version:
        raise DamagedError(
            f"{place} is of version {found}, newer than this Gristmill, which reads up to {version}: upgrade Gristmill"
        )
    return from_json(kind, value, place)


def is_finished(folder: Path) -> bool:
    """Whether a folder of this machine holds a manifest that Gristmill wrote, of any kind and version."""
    try:
        with open_named(folder / MANIFEST) as stream:
            value = json.load(stream)
    except (OSError, ValueError, RecursionError, NamedFileError):
        return False
    if not isinstance(value, dict):
        return False
    return value.keys() >= {"gristmill", "ledger", "outputs"} or str(value.get("format")).startswith("gristmill.")


@dataclass(frozen=True)
class Versioned:
    """The fields that name the kind and version of a manifest."""

    format: str
    version: int


def named_entries(files: Mapping[str, Entry], place: str) -> dict[str, NamedEntry]:
    """The entries of the manifest at ``place``, by name.

    Raises DamagedError for a name that leads out of the folder, and for an invalid SHA-256.
    """
    found = {}
    for name, about in files.items():
        if not is_inside(name):
            raise DamagedError(f"{place} names a file outside of its folder, '{visible(name)}': {CHANGED}")
        if len(about.sha256) != 64 or about.sha256.strip("0123456789abcdef"):
            raise DamagedError(f"{place}: the SHA-256 of {visible(name)} is not 64 hexadecimal digits: {CHANGED}")
        found[name] = NamedEntry(name, about.sha256, about.bytes, about.rows)
    return found


def is_inside(name: str) -> bool:
    """Whether a relative path, with / between folders, always leads to a file inside of its folder.

    >>> is_inside("documents/00000.parquet"), is_inside("../x"), is_inside("/etc/passwd"), is_inside("a//b")
    (True, False, False, False)
    """
    parts = name.split("/")
    return visible(name) == name and "\\" not in name and all(part not in ("", ".", "..") for part in parts)


def difference(entry: NamedEntry, opened: Callable[[str], IO[bytes]]) -> str | None:
    """How a file differs from its entry, as words to print after the file's name; None if it does not differ.

    ``opened`` opens the file by its name in the folder; the complete file is read. A file that is missing or that the
    operating system does not let us read differs, too.
    """
    try:
        with opened(entry.name) as stream:
            digest, size = sha256_of(stream), stream.tell()
    except FileNotFoundError:
        return size_difference(entry, None)
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    damaged = None if digest == entry.sha256 else "is damaged: its SHA-256 is not the one in the manifest"
    return size_difference(entry, size) or damaged


def size_difference(entry: NamedEntry, size: int | None) -> str | None:
    """How a file of ``size`` bytes (None: it is missing) differs from its entry, in the words of `difference`."""
    if size is None:
        return MISSING
    if entry.bytes is None or entry.bytes == size:
        return None
    return f"has {size:,} bytes, the manifest says {entry.bytes:,}"
