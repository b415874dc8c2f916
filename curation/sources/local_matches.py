"""Finds local files by a path or glob. Links to folders are followed once, and only regular files are returned."""

import os
import re
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import translate
from glob import has_magic

from schemas.errors import InputError
from schemas.named_files import irregular

Segments = tuple[str, ...]


@dataclass(frozen=True)
class Matched:
    """A regular file that matches; ``root`` is the longest folder of the pattern without a wildcard."""

    path: str
    root: str
    status: os.stat_result


def root_of(pattern: str, braces: bool = False) -> str:
    """The longest folder of the pattern without a wildcard, and without a brace if ``braces`` are expanded."""
    folder = os.path.dirname(pattern)
    while has_magic(folder) or (braces and "{" in folder):
        folder = os.path.dirname(folder)
    return folder


def local_matches(pattern: str, follow_links: bool, skipped: list[str], root: str | None = None) -> Iterator[Matched]:
    """The files of an absolute path, of a folder (all files below it), or of a glob, in any order.

    Hidden names (with a leading dot) match only patterns with a leading dot. A linked folder is entered if it is below
    the root of the pattern, unless it is read under its own name anyway; with ``follow_links`` it may be elsewhere.
    ``root`` is the root of the pattern, unless given. A note is added to ``skipped`` for every match that is not read.
    Raises InputError for a path that is not a regular file.
    """
    if not os.path.lexists(pattern):
        root = root or root_of(pattern)
        segments: Segments = tuple(os.path.relpath(pattern, root).split(os.sep))
    elif os.path.isdir(pattern):
        segments = (*os.path.relpath(pattern, root).split(os.sep), "**") if root else ("**",)
        root = root or pattern
    else:
        yield Matched(pattern, root or os.path.dirname(pattern), _file_status(pattern))
        return
    if os.path.isdir(root):
        yield from _Search(root, follow_links, skipped).run(segments)


def _file_status(path: str) -> os.stat_result:
    """The status of a file that a pattern names directly; raises InputError if it is not a regular file."""
    try:
        status = os.stat(path)
    except OSError as error:
        raise InputError(f"the input '{path}' is a broken link ({error.strerror}): fix the link") from error
    if kind := irregular(status):
        raise InputError(f"the input '{path}' is {kind}: copy its content into a regular file first")
    return status


class _Search:
    """Searches a folder by the segments of a pattern; links come last, so that real names win."""

    def __init__(self, root: str, follow_links: bool, skipped: list[str]) -> None:
        self.root = root
        self.home = os.path.realpath(root)
        self.follow_links = follow_links
        self.skipped = skipped
        self.entered: set[tuple[int, int, int]] = set()
        self.read: set[tuple[int, int]] = set()
        self.linked_folders: deque[tuple[str, Segments]] = deque()
        self.linked_files: list[tuple[str, os.stat_result]] = []

    def run(self, segments: Segments) -> Iterator[Matched]:
        yield from self._below(self.root, segments)
        while self.linked_folders:
            path, rest = self.linked_folders.popleft()
            if self._leaves(path):
                self.skipped.append(f"{path} (a link to a folder outside of {self.root})")
            else:
                yield from self._below(path, rest)
        for path, status in sorted(self.linked_files):
            place = (status.st_dev, status.st_ino)
            if self._leaves(path):
                self.skipped.append(f"{path} (a link to a file outside of {self.root})")
            elif place not in self.read:
                self.read.add(place)
                yield Matched(path, self.root, status)

    def _leaves(self, path: str) -> bool:
        if self.follow_links:
            return False
        target = os.path.realpath(path)
        return target != self.home and not target.startswith(os.path.join(self.home, ""))

    def _below(self, folder: str, segments: Segments) -> Iterator[Matched]:
        pending = [(folder, segments)]
        while pending:
            folder, segments = pending.pop()
            try:
                status = os.stat(folder)
            except OSError as error:
                raise _unreadable(folder, error) from error
            if (place := (status.st_dev, status.st_ino, len(segments))) in self.entered:
                continue
            self.entered.add(place)
            head, rest = segments[0], segments[1:]
            if head == "**" and rest:
                pending.append((folder, rest))
            entries = _entries(folder) if head == "**" or has_magic(head) else _entry(folder, head)
            matches = re.compile(translate("*" if head == "**" else head)).match
            for path, name in entries:
                hidden = name.startswith(".") and not head.startswith(".")
                if hidden or not matches(name):
                    continue
                further = segments if head == "**" else rest
                yield from self._meet(path, further, final=not rest, pending=pending)

    def _meet(
        self, path: str, further: Segments, final: bool, pending: list[tuple[str, Segments]]
    ) -> Iterator[Matched]:
        """Handles an entry that matches; ``further`` must match below it, and ``final`` is true if a file matches."""
        link = os.path.islink(path)
        try:
            status = os.stat(path)
        except OSError as error:
            if final:
                self.skipped.append(f"{path} ({'a broken link' if link else error.strerror})")
            return
        if stat.S_ISDIR(status.st_mode):
            if further:
                (self.linked_folders if link else pending).append((path, further))
        elif not final:
            return
        elif kind := irregular(status):
            self.skipped.append(f"{path} ({kind})")
        elif link:
            self.linked_files.append((path, status))
        else:
            self.read.add((status.st_dev, status.st_ino))
            yield Matched(path, self.root, status)


def _entries(folder: str) -> list[tuple[str, str]]:
    """The paths and names of the entries of a folder, sorted by name."""
    try:
        return [(os.path.join(folder, name), name) for name in sorted(os.listdir(folder))]
    except OSError as error:
        raise _unreadable(folder, error) from error


def _unreadable(folder: str, error: OSError) -> InputError:
    return InputError(f"the input folder '{folder}' cannot be read: {error.strerror}")


def _entry(folder: str, name: str) -> list[tuple[str, str]]:
    path = os.path.join(folder, name)
    return [(path, name)] if os.path.lexists(path) else []
