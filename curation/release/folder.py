"""The output folder: a file gets its name only when it is complete; work in progress is in ``.work``."""

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
from schemas.manifest import parse_json
from schemas.named_files import check_named
from schemas.records import from_json, to_json

WORK = ".work"

T = TypeVar("T")


@dataclass(frozen=True)
class Folder:
    """A folder on any file system of fsspec: ``/data/out``, ``s3://bucket/out``."""

    root: str

    def filesystem(self) -> tuple[Any, str]:
        """The file system and the root's path in it. Raises UserError if no installed file system opens the root."""
        try:
            if is_local(self.root):
                return fsspec.core.url_to_fs(self.root)  # type: ignore[no-any-return]
            fresh = {"use_listings_cache": False}  # other processes write to the folder, too
            return fsspec.core.url_to_fs(self.root, **fresh)  # type: ignore[no-any-return]
        except ValueError as error:
            raise UserError(f"no file system opens the folder '{self.root}' ({error}): correct its name") from error
        except ImportError as error:
            raise UserError(f"the folder '{self.root}' needs a package that is not installed: {error}") from error

    def check_name(self) -> None:
        """Raises UserError for a name that is not UTF-8: Arrow cannot open the files of such a folder."""
        try:
            self.root.encode()
        except UnicodeEncodeError as error:
            raise UserError(f"the name {self.root!r} is not UTF-8, and Arrow cannot open it: rename it") from error

    @property
    def shared(self) -> bool:
        """Whether other processes see the folder."""
        return "memory" not in self.filesystem()[0].protocol

    def path(self, name: str) -> str:
        return posixpath.join(self.filesystem()[1], name)

    @contextmanager
    def writing(self, name: str, durable: bool = False) -> Iterator[IO[bytes]]:
        """A binary file that gets its name only when the block ends without an error. With ``durable`` its bytes are on
        the disk before it gets the name, so that this also holds if the machine crashes; that takes milliseconds.

        Several processes may write the same file at once, also on several machines (a runner repeats the work of a
        worker that it lost): each writes a temporary file of its own, and the last one to end sets the content.
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
        """A file of the folder, open for reading. Raises NamedFileError if it is a FIFO or a device."""
        files, root = self.filesystem()
        path = posixpath.join(root, name)
        if is_local(self.root):
            check_named(path)
            return open(path, "rb")  # a tenth of fsspec's time: the shuffle opens a file for every pair of calls
        return files.open(path, "rb")  # type: ignore[no-any-return]

    def write_json(self, name: str, value: object) -> None:
        """Writes a record (a dataclass), or plain tables, lists and values, as JSON."""
        with self.writing(name, durable=True) as stream:
            stream.write(json.dumps(to_json(value), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n")

    def read_json(self, name: str, kind: type[T]) -> T:
        """The record in a file. Raises DamagedError if the file is not JSON, or the JSON is not a ``kind``."""
        with self.reading(name) as stream:
            content = stream.read()
        place = f"{self.root}/{name}"
        return from_json(kind, parse_json(content, place), place)

    def exists(self, name: str) -> bool:
        files, root = self.filesystem()
        return bool(files.exists(posixpath.join(root, name)))

    def remove(self, name: str) -> None:
        """Removes a file, if it exists: another process may be removing the same file."""
        files, root = self.filesystem()
        with suppress(FileNotFoundError):
            files.rm_file(posixpath.join(root, name))

    def remove_below(self, name: str) -> None:
        """Removes a folder inside this one, with its content."""
        files, root = self.filesystem()
        with suppress(FileNotFoundError):
            files.rm(posixpath.join(root, name), recursive=True)

    def sweep(self) -> None:
        """Removes the temporary files of writers that did not finish."""
        files, root = self.filesystem()
        for path in files.find(root):
            name = posixpath.basename(path)
            if name.startswith(".") and name.endswith(".tmp"):
                with suppress(FileNotFoundError):
                    files.rm_file(path)

    def names(self, pattern: str) -> list[str]:
        """The names of the files that match a glob pattern, relative to the root, sorted."""
        files, root = self.filesystem()
        prefix = root.rstrip("/") + "/"
        parts = pattern.split("/")
        fixed = list(takewhile(lambda part: not has_magic(part), parts[:-1]))
        depth = None if "**" in parts else len(parts) - len(fixed)
        found = files.find(posixpath.join(root, *fixed), maxdepth=depth)
        matches = re.compile(glob_translate(pattern)).match
        return sorted(name for path in found if matches(name := path.removeprefix(prefix)))

    def sizes(self, names: Iterable[str]) -> dict[str, int]:
        """The sizes in bytes of all files in the folders of the named files, by name. A folder that is missing or that
        the operating system does not let us list has no files."""
        files, root = self.filesystem()
        files.invalidate_cache()  # other processes have written files
        found: dict[str, int] = {}
        for parent in {posixpath.dirname(name) for name in names}:
            with suppress(OSError):
                for entry in files.ls(posixpath.join(root, parent), detail=True):
                    found[posixpath.join(parent, posixpath.basename(entry["name"]))] = entry["size"]
        return found

    def abandon(self) -> None:
        """Removes the folder."""
        files, root = self.filesystem()
        files.rm(root, recursive=True)

    def clear(self) -> None:
        """Removes the content of the folder."""
        files, root = self.filesystem()
        for path in files.ls(root, detail=False):
            files.rm(path, recursive=True)

    def release(self) -> None:
        """Ends the work in progress: removes ``.work``."""
        self.remove_below(WORK)


def disk_full(error: BaseException) -> bool:
    """Whether an error says that the disk or a quota is full, or that a file would pass the process's size limit."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def no_room(folder: Folder, error: BaseException) -> RunError:
    """The error to show to the user if ``disk_full(error)`` is true."""
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return RunError(
            f"a file in {folder.root} would be larger than this process may write (ulimit -f): raise the limit and run "
            "again; the run resumes where it stopped"
        )
    return RunError(f"the disk of {folder.root} is full: free some space and run again")
