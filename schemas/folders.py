"""Folders and files that appear complete or not at all, even if the process that writes them is killed.

Unfinished output is in a hidden folder beside its final place, ``.NAME.gristmill-unfinished``, with a lock that the
kernel frees when the process dies. The next command that writes to the same parent folder removes unfinished output of
dead processes.
"""

import errno
import fcntl
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from schemas.errors import RunError, UserError
from schemas.manifest import MANIFEST, is_finished

UNFINISHED = ".gristmill-unfinished"
LOCK = "lock"

_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EMLINK)
"""The errors of os.link on a file system without hard links."""

_TRIES, _PAUSE_SECONDS = 20, 0.05
"""How often to try to lock, with pauses: a process that removes a dead process's output holds the lock for a moment."""


class InUseError(UserError):
    """Another process is writing this output."""


@contextmanager
def new_folder(folder: Path, kind: str = "run") -> Iterator[Path]:
    """An empty folder that takes the name ``folder`` when the block ends without an error, and is removed otherwise.

    ``kind`` is the word for a finished folder, which holds a ``manifest.json``, in messages. Raises UserError if
    ``folder`` is a file, is not empty, is being written by another process or cannot be created, and RunError if the
    disk fails or is full.
    """
    with _output_errors(folder):
        _remove_dead(folder.parent)
        _check_free(folder, kind)
    with _write_errors(folder), _open_workplace(folder) as place:
        _check_free(folder, kind)  # another process may have finished it meanwhile
        unfinished = place / folder.name
        unfinished.mkdir()
        yield unfinished
        sync(unfinished)
        unfinished.rename(folder)
        _sync_one(folder.parent)


@contextmanager
def new_files(*paths: Path, private: bool = False) -> Iterator[list[Path]]:
    """Empty files, one for each of ``paths``, all in the same folder. The files get their names, in this order, when
    the block ends without an error, and are removed otherwise. ``private``: only the owner can read the files.

    Raises UserError if a path exists already, is being written by another process or cannot be created, and RunError if
    the disk fails or is full.
    """
    _remove_dead(paths[-1].parent)
    for path in paths:
        if os.path.lexists(path):
            raise UserError(f"the output {path} exists already: choose another name, or remove it first")
    with _write_errors(paths[0]), _open_workplace(paths[-1]) as place:
        unfinished = [place / path.name for path in paths]
        for each in unfinished:
            each.touch(0o600 if private else 0o666)
        yield unfinished
        for each in unfinished:
            _sync_one(each)
        for each, path in zip(unfinished, paths, strict=True):
            _put_in_place(each, path)
        _sync_one(paths[-1].parent)


@contextmanager
def workplace(place: Path) -> Iterator[Path]:
    """An empty folder at ``place`` that only its owner can read and that this process has locked. Leftovers of a dead
    process are removed before the block begins, and the folder is removed when the block ends.

    Raises InUseError if another process has locked the folder, OSError if the folder cannot be created.
    """
    handle = _hold(place)
    try:
        _clear(place)
        yield place
    finally:
        _give_up(place, handle)


def lock(file: int, *, wait: bool = False) -> bool:
    """Locks an open file until it is closed. If another process has locked the file, waits or, without ``wait``,
    returns False."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sync(folder: Path) -> None:
    """Waits until the folder and everything in it is on the disk."""
    for parent, _, names in os.walk(folder):
        for name in names:
            _sync_one(Path(parent, name))
        _sync_one(Path(parent))


@contextmanager
def _open_workplace(path: Path) -> Iterator[Path]:
    """The workplace for an output. Raises UserError if it cannot be created."""
    if path.name in ("", ".."):
        raise UserError(f"the output {path} has no name: give the path of a new folder or file")
    with ExitStack() as stack:
        with _output_errors(path):
            check_not_nested(path)
            path.parent.mkdir(parents=True, exist_ok=True)
            place = stack.enter_context(workplace(path.parent / f".{path.name}{UNFINISHED}"))
        yield place


def check_not_nested(output: str | Path) -> None:
    """Raises UserError if a folder above ``output`` is a finished folder: a new file in it would be a fault of it."""
    for above in Path(os.path.realpath(output)).parents:
        if is_finished(above):
            raise UserError(
                f"the output {output} is inside {above}, which holds a finished output of gristmill: name a folder "
                "outside of it"
            )


@contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}") from error


@contextmanager
def _output_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except InUseError as error:
        raise InUseError(
            f"the output {path} is being written by another process: wait until it ends, or choose another name"
        ) from error
    except OSError as error:
        raise UserError(f"the output {path} cannot be created: {error.strerror or error}") from error


def _check_free(folder: Path, kind: str) -> None:
    if folder.is_symlink():
        raise UserError(f"the output {folder} is a link: name a folder that is new or empty")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UserError(f"the output {folder} is a file: name a folder that is new or empty")
    held = sorted(path.name for path in folder.iterdir())
    if MANIFEST in held:
        raise UserError(
            f"the output {folder} holds a finished {kind}: choose a new folder, or remove this folder first"
        )
    if held:
        raise UserError(f"the output {folder} is not empty ({len(held)} entries): choose a new folder")
    if folder.is_mount():
        raise UserError(f"the output {folder} is a mounted file system: name a new folder in it")


def _hold(place: Path) -> int:
    """Creates a workplace if it is missing, and returns its open lock."""
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE_SECONDS)
        with suppress(FileNotFoundError):  # its previous owner removed it after mkdir
            try:
                place.mkdir(0o700)
            except FileExistsError:
                if not _is_mine(place):
                    raise PermissionError(errno.EPERM, f"{place} is not a folder of this user: remove it") from None
            handle = _open_lock(place, os.O_CREAT)
            if handle is not None:
                return handle
    raise InUseError(f"{place} is in use by another process: wait until it ends")


def _is_mine(place: Path) -> bool:
    """Whether ``place`` is a folder of this user, and not a link or a folder that another user put there."""
    found = place.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


def _open_lock(place: Path, flags: int = 0) -> int | None:
    """The open lock of a workplace; None if another process holds it. Raises FileNotFoundError if it is missing."""
    handle = os.open(place / LOCK, os.O_RDWR | flags, 0o600)
    try:
        if lock(handle) and os.path.samestat(os.fstat(handle), os.stat(place / LOCK)):
            return handle
    except OSError:
        os.close(handle)
        raise
    os.close(handle)
    return None


def _remove_dead(parent: Path) -> None:
    """Removes the workplaces in a folder whose processes died."""
    for place in sorted(parent.glob(f".*{UNFINISHED}")):
        with suppress(OSError):  # another process removes it as well
            if not _is_mine(place):
                continue
            if not (place / LOCK).exists():  # its process died between the removal of the lock and of the folder
                place.rmdir()
            elif (handle := _open_lock(place)) is not None:
                _give_up(place, handle)


def _give_up(place: Path, handle: int) -> None:
    """Removes a workplace whose lock this process holds open."""
    try:
        _clear(place)
        (place / LOCK).unlink()
    finally:
        os.close(handle)
    with suppress(OSError):  # another process may have begun there
        place.rmdir()


def _clear(place: Path) -> None:
    """Removes everything in a workplace except its lock, and the files of an output if only some have their names."""
    held = [path for path in place.iterdir() if path.name != LOCK]
    placed = [path for path in held if _is_placed(path)]
    for path in placed if len(placed) < len(held) else []:
        (place.parent / path.name).unlink()
    for path in held:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _put_in_place(unfinished: Path, path: Path) -> None:
    """Gives a file its name, unless something has that name."""
    try:
        os.link(
            unfinished, path
        )  # the first name stays until all files are in place, so that a later process can find them
    except OSError as error:
        if error.errno not in _NO_LINKS or os.path.lexists(path):
            raise
        unfinished.rename(path)


def _is_placed(path: Path) -> bool:
    """Whether a file in a workplace already has its final name as well."""
    named = path.parent.parent / path.name
    return path.is_file() and os.path.lexists(named) and os.path.samestat(path.stat(), named.lstat())


def _sync_one(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
