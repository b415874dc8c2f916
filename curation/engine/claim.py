"""Who may write into an output folder: one run at a time, and an interrupted one only with the very same job."""

import io
import posixpath
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any

from curation.release.differences import differences
from curation.release.folder import WORK, Folder, disk_full, no_room
from curation.sources.storage import outages, reason
from schemas.errors import UserError
from schemas.folders import InUseError, lock
from schemas.manifest import MANIFEST
from schemas.records import other_keys
from schemas.wording import and_more

CLAIM = f"{WORK}/claim.json"
SHOWN_DIFFERENCES = 3


@dataclass(frozen=True, kw_only=True)
class Claim:
    """All that decides what a run writes: the version of Gristmill, the ``files`` of the input and the ``lists``, each
    with what tells one version of it from another, and whatever else was ``asked`` (plain JSON)."""

    gristmill: str
    files: Mapping[str, Any]
    lists: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = other_keys()


@contextmanager
def claimed(folder: Folder, claim: Claim) -> Iterator[bool]:
    """Holds a folder for one run, which ``claim`` describes; gives whether it goes on with one that was interrupted.

    Raises UserError when the folder holds anything else, another run is at work, its claim differs, or it cannot be
    made or written to, and RunError when the disk is full.
    """
    files, root = folder.filesystem()
    with reached(folder):
        _check_held(folder, files, root)
        files.makedirs(posixpath.join(root, WORK), exist_ok=True)
        held = _lock(folder, files, root)
    with held:
        with reached(folder):
            _check_finished_meanwhile(folder)
            earlier = folder.exists(CLAIM)
            if earlier:
                _compare(folder, folder.read_json(CLAIM, Claim), claim)
                folder.sweep()
            else:
                folder.write_json(CLAIM, claim)
        with _room(folder):
            yield earlier


@contextmanager
def _room(folder: Folder) -> Iterator[None]:
    """Tells of a full disk, whatever was about to be written."""
    try:
        yield
    except OSError as error:
        if not disk_full(error):
            raise
        raise no_room(folder, error) from error


@contextmanager
def reached(folder: Folder) -> Iterator[None]:
    """Tells why an output folder cannot be looked into or written to."""
    try:
        yield
    except outages(TypeError) as error:
        if disk_full(error):
            raise no_room(folder, error) from error
        why = reason(error)
        raise UserError(
            f"the output {folder.root} cannot be made or written to ({why}): choose another folder, or mend that"
        ) from error


def tidy(folder: Folder) -> None:
    """Takes away what a run left in progress that ended behind its manifest, unless it is about to do so itself."""
    files, root = folder.filesystem()
    if not folder.exists(WORK):
        return
    with suppress(FileNotFoundError, InUseError), _lock(folder, files, root):
        folder.release()


def _check_held(folder: Folder, files: Any, root: str) -> None:
    if files.isfile(root):
        raise UserError(f"the output {folder.root} is a file: name a folder that is new or empty")
    held = files.ls(root, detail=False) if files.exists(root) else []
    if folder.exists(MANIFEST):
        raise _finished(folder)
    if held and not files.isdir(posixpath.join(root, WORK)):
        raise UserError(f"the output {folder.root} is not empty ({len(held)} entries): choose a new folder")


def _check_finished_meanwhile(folder: Folder) -> None:
    """Another run may have ended between the first look and the lock."""
    if folder.exists(MANIFEST):
        folder.release()
        raise _finished(folder)


def _finished(folder: Folder) -> UserError:
    return UserError(
        f"the output {folder.root} holds a finished run of another job or input: "
        "choose a new folder, or remove that one first"
    )


def _lock(folder: Folder, files: Any, root: str) -> IO[bytes]:
    """An open file that only one process at a time can have; on a remote file system there is no such thing."""
    path = posixpath.join(root, WORK, "lock")
    if "file" not in files.protocol:
        return io.BytesIO()
    stream = open(path, "ab")  # noqa: SIM115
    if not lock(stream.fileno()):
        stream.close()
        raise InUseError(f"the output {folder.root} is in use by another run: choose another folder")
    return stream


def _compare(folder: Folder, before: Claim, now: Claim) -> None:
    asked, asks = ({"gristmill": each.gristmill, **each.asked} for each in (before, now))
    told = list(differences(asked, asks))
    for what, then, files in (("list", before.lists, now.lists), ("input file", before.files, now.files)):
        was, are = ({name: str(version) for name, version in each.items()} for each in (then, files))
        told += [_file_change(what, change) for change in differences(was, are)]
    if told:
        differs = and_more(told[:SHOWN_DIFFERENCES], len(told), "; ")
        raise UserError(
            f"the output {folder.root} holds an interrupted run that differs: {differs}. Go on with the same job and "
            "input, or choose a new folder"
        )


def _file_change(kind: str, change: str) -> str:
    name, _, what = change.partition(" was ")
    if not what:
        return f"{kind} {change}"
    return f"{kind} {name} {'is gone' if what.endswith(' and is gone') else 'has changed'}"
