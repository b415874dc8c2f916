"""Claims an output folder for a run: one run at a time, and an interrupted run resumes only with the same job."""

import io
import logging
import posixpath
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any

from curation.release.differences import differences
from curation.release.folder import WORK, Folder, disk_full, no_room
from curation.sources.storage import outages, reason
from schemas.errors import UserError
from schemas.folders import InUseError, check_not_nested, lock
from schemas.manifest import MANIFEST
from schemas.records import other_keys
from schemas.wording import and_more

LOG = logging.getLogger(__name__)

CLAIM = f"{WORK}/claim.json"
SHOWN_DIFFERENCES = 3


@dataclass(frozen=True, kw_only=True)
class Claim:
    """All that decides what a run writes: the version of Gristmill; the ``files`` of the input and the ``lists``, each
    with an identifier of its version; and the other settings that were ``asked`` for (plain JSON)."""

    gristmill: str
    files: Mapping[str, Any]
    lists: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = other_keys()


@contextmanager
def claim_folder(folder: Folder, claim: Claim) -> Iterator[bool]:
    """Reserves a folder for the run that ``claim`` describes; gives whether the run resumes an interrupted one,
    which is logged.

    Raises UserError if the folder holds anything else, if another run is using it, if it holds an interrupted run with
    another claim, or if it cannot be created or written to; RunError if the disk is full.
    """
    files, root = folder.filesystem()
    with output_errors(folder):
        _check_held(folder, files, root)
        files.makedirs(posixpath.join(root, WORK), exist_ok=True)
        held = _lock(folder, files, root)
    with held:
        with output_errors(folder):
            if folder.exists(MANIFEST):  # another run has finished between the check above and the lock
                folder.release()
                raise _finished_error(folder)
            earlier = folder.exists(CLAIM)
            if earlier:
                _compare(folder, folder.read_json(CLAIM, Claim), claim)
                folder.sweep()
                LOG.warning("%s: resuming the interrupted run", folder.root, extra={"event": "resumed"})
            else:
                folder.write_json(CLAIM, claim)
        with _disk_errors(folder):
            yield earlier


@contextmanager
def _disk_errors(folder: Folder) -> Iterator[None]:
    """Turns the error of a full disk into RunError."""
    try:
        yield
    except OSError as error:
        if not disk_full(error):
            raise
        raise no_room(folder, error) from error


@contextmanager
def output_errors(folder: Folder) -> Iterator[None]:
    """Turns errors of reading and writing an output folder into UserError, or RunError if the disk is full."""
    try:
        yield
    except outages(TypeError) as error:
        if disk_full(error):
            raise no_room(folder, error) from error
        why = reason(error)
        raise UserError(
            f"the output {folder.root} cannot be created or written to ({why}): choose another folder, or remove the "
            "cause"
        ) from error


def tidy(folder: Folder) -> None:
    """Removes the work in progress of a run that was killed after writing its manifest. A run that is still running
    does this itself."""
    files, root = folder.filesystem()
    if not folder.exists(WORK):
        return
    with suppress(FileNotFoundError, InUseError), _lock(folder, files, root):
        folder.release()


def _check_held(folder: Folder, files: Any, root: str) -> None:
    if "file" in files.protocol:
        check_not_nested(root)
    if files.isfile(root):
        raise UserError(f"the output {folder.root} is a file: name a folder that is new or empty")
    held = files.ls(root, detail=False) if files.exists(root) else []
    if folder.exists(MANIFEST):
        raise _finished_error(folder)
    if held and not files.isdir(posixpath.join(root, WORK)):
        raise UserError(f"the output {folder.root} is not empty ({len(held)} entries): choose a new folder")


def _finished_error(folder: Folder) -> UserError:
    return UserError(
        f"the output {folder.root} holds a finished run of another job or input: "
        "choose a new folder, or remove this one first"
    )


def _lock(folder: Folder, files: Any, root: str) -> IO[bytes]:
    """An open file that only one process at a time can lock. Remote file systems have no locks."""
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
    found = list(differences(asked, asks))
    for what, then, files in (("list or model", before.lists, now.lists), ("input file", before.files, now.files)):
        was, are = ({name: str(version) for name, version in each.items()} for each in (then, files))
        found += [_file_difference(what, difference) for difference in differences(was, are)]
    if found:
        differs = and_more(found[:SHOWN_DIFFERENCES], len(found), "; ")
        raise UserError(
            f"the output {folder.root} holds an interrupted run that differs: {differs}. Resume the run with the same "
            "job and input, or choose a new folder"
        )


def _file_difference(kind: str, difference: str) -> str:
    name, _, what = difference.partition(" was ")
    if not what:
        return f"{kind} {difference}"
    return f"{kind} {name} {'is gone' if what.endswith(' and is gone') else 'has changed'}"
