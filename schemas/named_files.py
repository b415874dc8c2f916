"""Files that a user names: nobody may write to a FIFO, and a device may have no end, so neither is read."""

import os
import re
import stat
from io import BufferedReader

from schemas.errors import UserError

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_SHELL_PIPE = re.compile(r"/dev/(?:stdin|fd/\d+)|/proc/(?:self|thread-self|\d+)/fd/\d+")
"""Paths of open pipes, as a shell names them in ``<(command)``: somebody writes to these."""

StrPath = str | os.PathLike[str]


class NamedFileError(UserError):
    """A path names something that is not read as a file; one sentence says what it is and what to do."""


def irregular(status: os.stat_result) -> str | None:
    """What a file is that is neither regular nor a folder, such as ``a FIFO``; None for these two."""
    if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
        return None
    return _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file")


def check_named(path: StrPath) -> None:
    """Raises NamedFileError for a FIFO, a socket or a device, but not for a pipe that a shell names (``/dev/fd/63``).

    A path that names nothing passes: whoever opens it says so.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return
    kind = irregular(status)
    if kind is None or (stat.S_ISFIFO(status.st_mode) and _SHELL_PIPE.fullmatch(os.path.abspath(path))):
        return
    raise NamedFileError(f"{os.fspath(path)} is {kind}: copy what it yields into a regular file first")


def open_named(path: StrPath) -> BufferedReader:
    """The file, opened to read its bytes. Raises NamedFileError as `check_named` does, and OSError or ValueError for a
    path that cannot be opened."""
    check_named(path)
    return open(path, "rb")


def read_named(path: StrPath, most: int, wanted: str) -> bytes:
    """All bytes of a small file. Raises what `open_named` raises, and NamedFileError, which asks for ``wanted``, for a
    file of more than ``most`` bytes."""
    with open_named(path) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise NamedFileError(f"{os.fspath(path)} is larger than {most >> 20:,} MB: name {wanted}")
    return content
