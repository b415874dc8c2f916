"""Opens files that a user names, and refuses FIFOs and devices: a FIFO may have no writer, a device no end."""

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
"""Paths of open pipes, as a shell names them in ``<(command)``. These have a writer, so they are read."""

StrPath = str | os.PathLike[str]


class NamedFileError(UserError):
    """A path names something that cannot be read as a file, such as a FIFO."""


def irregular(status: os.stat_result) -> str | None:
    """The kind of an irregular file, such as ``a FIFO``; None for a regular file or a folder."""
    if stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode):
        return None
    return _KINDS.get(stat.S_IFMT(status.st_mode), "not a regular file")


def check_named(path: StrPath) -> None:
    """Raises NamedFileError for a FIFO, a socket or a device, but not for a pipe that a shell names (``/dev/fd/63``).

    A path that does not exist passes; opening it raises OSError.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return
    kind = irregular(status)
    if kind is None or (stat.S_ISFIFO(status.st_mode) and _SHELL_PIPE.fullmatch(os.path.abspath(path))):
        return
    raise NamedFileError(f"{os.fspath(path)} is {kind}: copy its content into a regular file first")


def open_named(path: StrPath) -> BufferedReader:
    """Opens a file to read its bytes. Raises NamedFileError as `check_named` does, and OSError or ValueError if the
    path cannot be opened."""
    check_named(path)
    return open(path, "rb")


def read_named(path: StrPath, most: int, wanted: str) -> bytes:
    """All bytes of a small file. Raises the errors of `open_named`, and NamedFileError for a file of more than ``most``
    bytes; its message asks for ``wanted``."""
    with open_named(path) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise NamedFileError(f"{os.fspath(path)} is larger than {most >> 20:,} MB: name {wanted}")
    return content
