"""Lists the files of the inputs, sorted by name."""

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import has_magic
from itertools import pairwise
from urllib.parse import urlsplit

from fsspec.core import url_to_fs

from curation.sources.braces import expand_braces, has_range
from curation.sources.inputs import Input, InputFile
from curation.sources.local_matches import local_matches, root_of
from curation.sources.opening import beam_filesystems, quiet_imports
from curation.sources.places import (
    in_chain,
    is_local,
    known_scheme,
    local_path,
    local_version,
    readable,
    remote_version,
    without_password,
)
from curation.sources.storage import outages, reason
from schemas.errors import InputError
from schemas.wording import and_more

SHOWN_SKIPPED = SHOWN_MISSING = 5


@dataclass(frozen=True)
class Listing:
    """The files of all inputs, sorted by name, then path.

    ``skipped`` are notes on matches that are not read, ``unmatched`` the patterns from braces that match nothing, in
    their order.
    """

    files: tuple[InputFile, ...]
    skipped: tuple[str, ...]
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Found:
    path: str
    root: str
    name: str
    size: int
    version: str
    given: Input


def list_files(inputs: Sequence[Input], follow_links: bool = False) -> list[InputFile]:
    """The files of the inputs, as in `list_input`."""
    return list(list_input(inputs, follow_links).files)


def list_input(inputs: Sequence[Input], follow_links: bool = False) -> Listing:
    """Lists all files of the inputs; a file that two inputs match belongs to the first.

    Links that leave an input's folder are skipped, unless ``follow_links``. Raises InputError if an input matches
    nothing, a path that braces list does not exist, a file or folder cannot be read, a path names anything other than
    a file or folder, or the scheme is unknown.
    """
    found: dict[str, _Found] = {}
    skipped: list[str] = []
    unmatched: list[str] = []
    for given in inputs:
        before = len(skipped)
        patterns = _patterns(given.glob)
        root = root_of(given.glob, braces=True) if patterns != [given.glob] else None
        by_pattern = {each: list(_matches(given, each, root, follow_links, skipped)) for each in patterns}
        matches = [match for each in by_pattern.values() for match in each]
        if not matches:
            raise _nothing_matches(given, skipped[before:])
        empty = [each for each, found_here in by_pattern.items() if not found_here]
        _check_paths(given, empty)
        unmatched += empty
        for match in matches:
            found.setdefault(match.path, match)
    names = _unique_names(list(found.values()))
    ordered = sorted(found.values(), key=lambda match: (names[match.path], match.path))
    files = tuple(
        InputFile(i, match.path, names[match.path], match.size, match.given.source, match.version, match.given.format)
        for i, match in enumerate(ordered)
    )
    _check_names(files)
    return Listing(files, tuple(sorted(set(skipped))), tuple(dict.fromkeys(unmatched)))


def named_input(text: str) -> Input:
    """Parses ``GLOB`` or ``SOURCE=GLOB``. A text that matches a file is a glob; a source consists of letters, digits,
    ``-`` and ``_``."""
    source, equals, pattern = text.partition("=")
    if not equals or not source.replace("_", "").replace("-", "").isalnum():
        return Input(glob=text)
    if is_local(text) and any(True for each in _patterns(text) for _ in local_matches(_absolute(each), True, [])):
        return Input(glob=text)
    return Input(glob=pattern, source=source)


def _patterns(pattern: str) -> list[str]:
    """Expands braces to globs; a path with braces that exists is not expanded."""
    if is_local(pattern) and _exists(pattern):
        return [pattern]
    return expand_braces(pattern)


def _check_paths(given: Input, empty: Sequence[str]) -> None:
    """Raises InputError if braces of an input list a path that does not exist: only a range, a wildcard or an empty
    folder may match nothing."""
    if has_range(given.glob):
        return
    missing = [each for each in empty if not has_magic(each) and not (is_local(each) and _exists(each))]
    if missing:
        shown = and_more([f"'{each}'" for each in missing[:SHOWN_MISSING]], len(missing))
        raise InputError(f"no file matches {shown} of the input '{given.glob}': check the path, or leave it out")


def _exists(path: str) -> bool:
    return os.path.lexists(_absolute(path))


def _nothing_matches(given: Input, skipped: Sequence[str]) -> InputError:
    if skipped:
        return InputError(f"everything that the input '{given.glob}' matches was skipped: {skipped_note(skipped)}")
    as_path = f", nor '{given.source}={given.glob}'" if given.source else ""
    return InputError(f"no file matches the input '{given.glob}'{as_path}: check the path, and quote a glob in a shell")


def skipped_note(skipped: Sequence[str]) -> str:
    """The first notes on skipped matches, with a hint at --follow-links if some are links out of the input."""
    outside = any(" outside of " in note for note in skipped)
    hint = "; --follow-links follows links out of the input's folder" if outside else ""
    return f"{and_more([*map(readable, skipped[:SHOWN_SKIPPED])], len(skipped))}{hint}"


def _check_names(files: Sequence[InputFile]) -> None:
    for left, right in pairwise(files):
        if left.name == right.name:
            raise InputError(f"two input files would both be called '{left.name}': rename one of them")


def _unique_names(found: Sequence[_Found]) -> dict[str, str]:
    """Names relative to each input's root, or to the common folder of all roots if names would repeat."""
    names = {match.path: match.name for match in found}
    if len(set(names.values())) == len(names):
        return names
    roots = sorted({match.root for match in found})
    shared = posixpath.commonpath(roots) if all(map(is_local, roots)) else ""
    return {match.path: readable(posixpath.relpath(match.path, shared) if shared else match.path) for match in found}


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(local_path(path)))


def _matches(given: Input, pattern: str, root: str | None, follow_links: bool, skipped: list[str]) -> Iterator[_Found]:
    """The files of one pattern; ``root`` is the root of an input whose braces expand to the pattern, else None."""
    if is_local(pattern):
        return _local_files(given, pattern, None if root is None else _absolute(root), follow_links, skipped)
    if urlsplit(pattern).password:
        raise InputError(
            f"the input '{without_password(pattern)}' contains a password, which the manifest would keep: give it as "
            f"--storage {pattern.split('://')[0]}.password=..."
        )
    return _remote_files(given, pattern, root) if known_scheme(pattern) else _beam_files(given, pattern)


def _local_files(
    given: Input, pattern: str, root: str | None, follow_links: bool, skipped: list[str]
) -> Iterator[_Found]:
    for match in local_matches(_absolute(pattern), follow_links, skipped, root):
        path, status = match.path, match.status
        if not os.access(path, os.R_OK):
            raise InputError(f"no permission to read the input file '{path}': change its permissions or leave it out")
        name = posixpath.relpath(path.replace(os.sep, "/"), match.root.replace(os.sep, "/"))
        yield _Found(path, match.root, readable(name), status.st_size, local_version(status), given)


def _remote_files(given: Input, pattern: str, root: str | None) -> Iterator[_Found]:
    try:
        filesystem, inner = url_to_fs(pattern)
        folder = filesystem.isdir(inner)
        listing = filesystem.find(inner, detail=True) if folder else filesystem.glob(inner, detail=True)
    except ImportError as error:
        raise InputError(f"the input '{pattern}' needs a package that is not installed: {error}") from error
    except outages(ValueError, TypeError) as error:
        raise InputError(f"the input '{pattern}' cannot be listed: {reason(error)}") from error
    own = inner.rstrip("/") if folder else root_of(inner)
    root = filesystem._strip_protocol(root) if root and "://" in root and "::" not in pattern else own
    for name, info in listing.items():
        if info["type"] == "file":
            path, base = (in_chain(pattern, filesystem, each) for each in (name, root))
            relative = readable(posixpath.relpath(name, root))
            yield _Found(path, base, relative, int(info["size"] or 0), remote_version(info), given)


def _beam_files(given: Input, pattern: str) -> Iterator[_Found]:
    """Files of a scheme that only Beam knows."""
    with quiet_imports():
        from apache_beam.io.filesystem import BeamIOError

    scheme = pattern.split("://", 1)[0]
    try:
        results = beam_filesystems().match([pattern])  # type: ignore[attr-defined]
    except ValueError as error:
        message = f"no file system opens '{scheme}://' (input '{pattern}'): neither fsspec nor Beam knows it"
        raise InputError(message) from error
    except BeamIOError as error:
        raise InputError(f"the input '{pattern}' cannot be listed: {error}") from error
    root = root_of(pattern)
    for result in results:
        for info in result.metadata_list:
            version = str(info.last_updated_in_seconds or "")
            yield _Found(info.path, root, posixpath.relpath(info.path, root), info.size_in_bytes, version, given)
