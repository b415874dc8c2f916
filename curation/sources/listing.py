"""Inputs to files, files to units of work: both from the sorted listing alone."""

import os
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic

from fsspec.core import url_to_fs

from curation.errors import InputError
from curation.sources.opening import beam_filesystems, is_local, known_scheme, local_path, out_of_reach

VERSIONED = ("ETag", "etag", "md5Hash", "content_md5", "mtime", "LastModified", "last_modified", "updated", "created")
"""Where the file systems of fsspec say which version of a file they hold, the surest first."""


@dataclass(frozen=True)
class Input:
    """Files by a glob (or one file, or a folder with all below it) and the source that their documents belong to."""

    glob: str
    source: str | None = None


@dataclass(frozen=True)
class InputFile:
    """One file of the sorted listing; ``name`` is its path relative to the input's root, ``size`` its stored bytes.

    ``version`` tells a file that was changed from what it was, where the file system knows (a time, or a checksum).
    """

    index: int
    path: str
    name: str
    size: int
    source: str | None
    version: str = ""


@dataclass(frozen=True)
class Part:
    """A range of a file: bytes of plain JSON lines, row groups of Parquet; (0, None) is the whole file."""

    file: InputFile
    start: int = 0
    end: int | None = None

    @property
    def length(self) -> int:
        """In bytes or row groups."""
        return (max(self.file.size, self.start) if self.end is None else self.end) - self.start


@dataclass(frozen=True)
class Unit:
    """What one task reads: a range of a large file, or several small files."""

    index: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class _Found:
    path: str
    root: str
    size: int
    source: str | None
    version: str

    @property
    def name(self) -> str:
        return posixpath.relpath(self.path.replace(os.sep, "/"), self.root.replace(os.sep, "/"))


def list_files(inputs: Sequence[Input]) -> list[InputFile]:
    """All files of the inputs, sorted by name, then path; a file that two inputs match belongs to the first.

    Raises InputError where nothing matches, something may not be read, or the scheme is unknown.
    """
    found: dict[str, _Found] = {}
    for one in inputs:
        matches = list(_local_matches(one) if is_local(one.glob) else _remote_matches(one))
        if not matches:
            raise InputError(f"no file matches the input '{one.glob}': check the path, and quote a glob in a shell")
        for match in matches:
            found.setdefault(match.path, match)
    names = _unique_names(list(found.values()))
    ordered = sorted(found.values(), key=lambda match: (names[match.path], match.path))
    return [
        InputFile(i, match.path, names[match.path], match.size, match.source, match.version)
        for i, match in enumerate(ordered)
    ]


def _unique_names(found: Sequence[_Found]) -> dict[str, str]:
    """Names relative to each input's root; relative to what all roots share where two files would get one name."""
    names = {match.path: match.name for match in found}
    if len(set(names.values())) == len(names):
        return names
    roots = sorted({match.root for match in found})
    shared = posixpath.commonpath(roots) if all("://" not in root for root in roots) else ""
    return {match.path: posixpath.relpath(match.path, shared) if shared else match.path for match in found}


def _root(pattern: str) -> str:
    """The longest folder of the pattern without a wildcard."""
    folder = posixpath.dirname(pattern)
    while has_magic(folder):
        folder = posixpath.dirname(folder)
    return folder


def _local_matches(one: Input) -> Iterator[_Found]:
    pattern = os.path.abspath(os.path.expanduser(local_path(one.glob)))
    literal = os.path.exists(pattern)
    if literal and os.path.isdir(pattern):
        root, paths = pattern, _below(pattern)
    else:
        root, paths = _root(pattern), [pattern] if literal else glob(pattern, recursive=True)
    for path in paths:
        if os.path.isdir(path):
            continue
        if not os.access(path, os.R_OK):
            raise InputError(f"the input file '{path}' may not be read: change its permissions or leave it out")
        status = os.stat(path)
        yield _Found(path, root, status.st_size, one.source, str(status.st_mtime_ns))


def _below(folder: str) -> list[str]:
    """Every file below a folder but hidden ones."""

    def fail(error: OSError) -> None:
        raise InputError(f"the input folder '{error.filename}' may not be read: {error.strerror}")

    paths: list[str] = []
    for parent, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [os.path.join(parent, name) for name in files if not name.startswith(".")]
    return paths


def _remote_matches(one: Input) -> Iterator[_Found]:
    if not known_scheme(one.glob):
        yield from _beam_matches(one)
        return
    try:
        filesystem, pattern = url_to_fs(one.glob)
        folder = filesystem.isdir(pattern)
        listing = filesystem.find(pattern, detail=True) if folder else filesystem.glob(pattern, detail=True)
    except ImportError as error:
        raise InputError(f"the input '{one.glob}' needs a package that is not installed: {error}") from error
    except (OSError, ValueError) as error:
        raise InputError(f"the input '{one.glob}' cannot be listed: {error}") from error
    root = filesystem.unstrip_protocol(pattern.rstrip("/") if folder else _root(pattern))
    for name, info in listing.items():
        if info["type"] == "file":
            version = str(next((info[key] for key in VERSIONED if info.get(key)), ""))
            yield _Found(filesystem.unstrip_protocol(name), root, int(info["size"] or 0), one.source, version)


def _beam_matches(one: Input) -> Iterator[_Found]:
    """Files of a scheme that only Beam knows."""
    from apache_beam.io.filesystem import BeamIOError

    scheme = one.glob.split("://", 1)[0]
    try:
        results = beam_filesystems().match([one.glob])  # type: ignore[attr-defined]
    except ValueError as error:
        message = f"no file system opens '{scheme}://' (input '{one.glob}'): neither fsspec nor Beam knows it"
        raise InputError(message) from error
    except BeamIOError as error:
        raise InputError(f"the input '{one.glob}' cannot be listed: {error}") from error
    for result in results:
        for info in result.metadata_list:
            version = str(info.last_updated_in_seconds or "")
            yield _Found(info.path, _root(one.glob), info.size_in_bytes, one.source, version)


def plan_units(files: Iterable[InputFile], unit_bytes: int) -> list[Unit]:
    """Groups small files and cuts large ones, so that a unit holds about ``unit_bytes`` stored bytes.

    Only files larger than that are looked into, to see whether they can be read in parts.
    """
    groups: list[tuple[Part, ...]] = []
    group: list[Part] = []
    gathered = 0
    for file in files:
        if group and gathered + file.size > unit_bytes:
            groups.append(tuple(group))
            group, gathered = [], 0
        if file.size > unit_bytes:
            groups += [(part,) for part in _parts(file, unit_bytes)]
        else:
            group.append(Part(file))
            gathered += file.size
    if group:
        groups.append(tuple(group))
    return [Unit(index, parts) for index, parts in enumerate(groups)]


def _parts(file: InputFile, unit_bytes: int) -> list[Part]:
    """The parts of a large file; one where it cannot be split.

    Raises RunError where it cannot be opened: nobody knows then what its parts are.
    """
    from curation.sources.formats import detect
    from curation.sources.parquet import row_group_ranges

    try:
        found = detect(file.path)
        if found.kind == "parquet":
            ranges = row_group_ranges(file.path, unit_bytes)
        elif found.can_be_split:
            ranges = _byte_ranges(file.size, unit_bytes)
        else:
            ranges = []
    except OSError as error:
        raise out_of_reach(file.path, error) from error
    return [Part(file, start, end) for start, end in ranges] if len(ranges) > 1 else [Part(file)]


def _byte_ranges(size: int, unit_bytes: int) -> list[tuple[int, int | None]]:
    """Equal ranges of at most ``unit_bytes``; the last one is open."""
    count = -(-size // unit_bytes)
    edges = [size * i // count for i in range(count)]
    return [(start, edges[i + 1] if i + 1 < count else None) for i, start in enumerate(edges)]
