"""The output folder: files appear whole, under a temporary name first; what is in progress lies in ``.work``."""

import errno
import json
import os
import posixpath
import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from glob import has_magic
from itertools import takewhile
from typing import IO, Any, TypeVar

import fsspec
from fsspec.utils import glob_translate

from curation.sources.places import is_local
from schemas.errors import RunError, UserError
from schemas.manifest import parsed
from schemas.named_files import check_named
from schemas.records import from_json, to_json

WORK = ".work"

T = TypeVar("T")


@dataclass(frozen=True)
class Folder:
    """A folder that any fsspec file system holds: ``/data/out``, ``s3://bucket/out``."""

    root: str

    def filesystem(self) -> tuple[Any, str]:
        """The file system and the root's path in it. Raises UserError where none opens it here."""
        try:
            if is_local(self.root):
                return fsspec.core.url_to_fs(self.root)  # type: ignore[no-any-return]
            fresh = {"use_listings_cache": False}  # others write there, too
            return fsspec.core.url_to_fs(self.root, **fresh)  # type: ignore[no-any-return]
        except ValueError as error:
            raise UserError(f"no file system opens the folder '{self.root}' ({error}): mend its name") from error
        except ImportError as error:
            raise UserError(f"the folder '{self.root}' needs a package that is not installed: {error}") from error

    def check_name(self) -> None:
        """Raises UserError for a name that is not UTF-8, which Arrow cannot open: for readers that use its files."""
        try:
            self.root.encode()
        except UnicodeEncodeError as error:
            raise UserError(f"the name {self.root!r} is not UTF-8, and Arrow cannot open it: rename it") from error

    @property
    def shared(self) -> bool:
        """Whether other processes see it, too."""
        return "memory" not in self.filesystem()[0].protocol

    def path(self, name: str) -> str:
        return posixpath.join(self.filesystem()[1], name)

    @contextmanager
    def writing(self, name: str, durable: bool = False) -> Iterator[IO[bytes]]:
        """A binary file that takes its name only when the block ends without an error. Where that is to hold for a
        machine that crashes, too, its bytes are on the disk by then, which takes some milliseconds.

        Several may write it at once, on whatever machines (a runner that lost sight of a worker has its work done
        again): each writes a file of its own, and whoever ends last leaves it, whole.
        """
        files, root = self.filesystem()
        path = posixpath.join(root, name)
        files.makedirs(posixpath.dirname(path), exist_ok=True)
        temporary = posixpath.join(posixpath.dirname(path), f".{posixpath.basename(path)}.{uuid.uuid4().hex}.tmp")
        try:
            with files.open(temporary, "wb") as stream:
                yield stream
                if durable and "file" in files.protocol:
                    stream.flush()
                    os.fsync(stream.fileno())
            files.mv(temporary, path)
        except BaseException:
            if files.exists(temporary):
                files.rm(temporary)
            raise

    def reading(self, name: str) -> IO[bytes]:
        """A file of the folder. Raises NamedFileError for a FIFO or device in its place."""
        files, root = self.filesystem()
        path = posixpath.join(root, name)
        if is_local(self.root):
            check_named(path)
        return files.open(path, "rb")  # type: ignore[no-any-return]

    def write_json(self, name: str, value: object) -> None:
        """Writes a record, or plain tables, lists and values."""
        with self.writing(name, durable=True) as stream:
            stream.write(json.dumps(to_json(value), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n")

    def read_json(self, name: str, kind: type[T]) -> T:
        """The record in a file. Raises DamagedError where it is not JSON, or not of that kind."""
        with self.reading(name) as stream:
            content = stream.read()
        place = f"{self.root}/{name}"
        return from_json(kind, parsed(content, place), place)

    def exists(self, name: str) -> bool:
        files, root = self.filesystem()
        return bool(files.exists(posixpath.join(root, name)))

    def remove(self, name: str) -> None:
        """Takes away one file, where it is there; another may be about to do the same."""
        files, root = self.filesystem()
        with suppress(FileNotFoundError):
            files.rm_file(posixpath.join(root, name))

    def remove_below(self, name: str) -> None:
        """Takes away a folder inside, with all that is in it."""
        files, root = self.filesystem()
        with suppress(FileNotFoundError):
            files.rm(posixpath.join(root, name), recursive=True)

    def sweep(self) -> None:
        """Takes away the temporary files of writers that did not end."""
        files, root = self.filesystem()
        for path in files.find(root):
            name = posixpath.basename(path)
            if name.startswith(".") and name.endswith(".tmp"):
                with suppress(FileNotFoundError):
                    files.rm_file(path)

    def names(self, pattern: str) -> list[str]:
        """The files that match, relative to the root, sorted."""
        files, root = self.filesystem()
        prefix = root.rstrip("/") + "/"
        parts = pattern.split("/")
        fixed = list(takewhile(lambda part: not has_magic(part), parts[:-1]))
        depth = None if "**" in parts else len(parts) - len(fixed)
        found = files.find(posixpath.join(root, *fixed), maxdepth=depth)
        matches = re.compile(glob_translate(pattern)).match
        return sorted(name for path in found if matches(name := path.removeprefix(prefix)))

    def sizes(self, names: Iterable[str]) -> dict[str, int]:
        """The bytes of all files that lie in a folder with one of some files, by their names."""
        files, root = self.filesystem()
        files.invalidate_cache()  # others have written there
        found: dict[str, int] = {}
        for parent in {posixpath.dirname(name) for name in names}:
            with suppress(FileNotFoundError):
                for entry in files.ls(posixpath.join(root, parent), detail=True):
                    found[posixpath.join(parent, posixpath.basename(entry["name"]))] = entry["size"]
        return found

    def abandon(self) -> None:
        """Takes away the whole folder."""
        files, root = self.filesystem()
        files.rm(root, recursive=True)

    def clear(self) -> None:
        """Takes away all that lies in the folder."""
        files, root = self.filesystem()
        for path in files.ls(root, detail=False):
            files.rm(path, recursive=True)

    def release(self) -> None:
        """Ends the work in progress: what lies in ``.work`` goes."""
        self.remove_below(WORK)


def disk_full(error: BaseException) -> bool:
    """Also where a file would pass the limit that the process has for the size of files."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def no_room(folder: Folder, error: BaseException) -> RunError:
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return RunError(
            f"a file in {folder.root} would be larger than this process may write (ulimit -f): raise the limit and run "
            "again, which goes on where it stopped"
        )
    return RunError(f"the disk of {folder.root} is full: free some space and run again")
