"""Manifests read back: every name and type in one is checked before it is used.

A shape says what a value must be: ``str`` a text, ``int`` a whole number from 0 up, ``float`` a finite number, ``bool``
true or false, ``object`` anything; ``[shape]`` a list; ``{str: shape}`` a table with any keys; ``{"name": shape}`` a
table that has this key, and may have others. A key that ends in a question mark may be missing; ``(None, shape)`` is
null or of that shape.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, TypeVar

from schemas.checksums import sha256_of
from schemas.errors import CHANGED, DamagedError, UserError
from schemas.records import from_json
from schemas.visible import visible

MANIFEST = "manifest.json"
_MOST = 2**63 - 1
_HALF = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
"""What spells one half of a surrogate pair in JSON, or is one in bytes that Python's parser lets pass."""
_KINDS = {str: "a text", int: "a whole number from 0 up", float: "a number", bool: "true or false"}

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


def check(value: Any, shape: Any, place: str, path: str = "") -> None:
    """Raises DamagedError that names the first part of ``value`` that does not have its ``shape``."""
    if isinstance(shape, tuple):
        if value is not None:
            check(value, shape[1], place, path)
    elif isinstance(shape, list):
        _of_kind(value, list, "a list", place, path)
        for number, each in enumerate(value):
            check(each, shape[0], place, f"{path}[{number}]")
    elif isinstance(shape, Mapping):
        _of_kind(value, dict, "a table", place, path)
        if str in shape:
            for key, each in value.items():
                _text(key, place, path)
                check(each, shape[str], place, _below(path, key))
            return
        for name, inner in shape.items():
            key = name.removesuffix("?")
            if key in value:
                check(value[key], inner, place, _below(path, key))
            elif key == name:
                raise DamagedError(f"{place} lacks {visible(_below(path, key))}: {CHANGED}")
    elif shape is not object:
        _scalar(value, shape, place, path)


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


def noted(files: Mapping[str, Any], place: str) -> dict[str, Noted]:
    """The files in a table of a manifest at ``place``, as `noted_files`; raises DamagedError for what is no `Entry`."""
    return noted_files({name: from_json(Entry, about, place, name) for name, about in files.items()}, place)


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


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _of_kind(value: Any, kind: type, what: str, place: str, path: str) -> None:
    if not isinstance(value, kind):
        raise DamagedError(f"{place}: {visible(path) or 'the manifest'} is not {what}: {CHANGED}")


def _text(value: str, place: str, path: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:  # JSON can spell half of a surrogate pair
        raise DamagedError(f"{place}: {visible(path) or 'a name'} is not valid Unicode: {CHANGED}") from error


def _scalar(value: Any, kind: type, place: str, path: str) -> None:
    if kind is float:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        right = number and (abs(value) <= _MOST if isinstance(value, int) else math.isfinite(value))
    elif kind is int:
        right = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
    else:
        right = isinstance(value, kind)
    if not right:
        raise DamagedError(f"{place}: {visible(path)} is not {_KINDS[kind]}: {CHANGED}")
    if kind is str:
        _text(value, place, path)
