"""Turns the errors of stages, worker processes and Beam into messages for the user."""

import re
from traceback import format_exception_only
from typing import Any

from curation.engine.workers import WorkerError
from curation.release.folder import Folder, disk_full, no_room
from curation.sources.places import is_local
from curation.sources.storage import outages, reason
from schemas.errors import RunError, UserError

NO_THREAD = "can't start new thread"
"""Python's message if there is no memory for the stack of a thread."""


def error_for_user(cause: BaseException, folder: Folder) -> BaseException | None:
    """The error to show to the user for ``cause``, raised by a stage of the run in ``folder``; None for a bug."""
    if isinstance(cause, (UserError, RunError, KeyboardInterrupt)):
        return cause
    if isinstance(cause, WorkerError):
        return RunError(str(cause))
    if isinstance(cause, MemoryError) or str(cause) == NO_THREAD:
        return RunError(
            "a process reached its memory limit: give more --memory, fewer --workers or smaller records "
            "(--set reading.max_record_bytes=...)"
        )
    if isinstance(cause, FileNotFoundError) and _is_in(folder, cause.filename):
        return RunError(
            f"files of the output {folder.root} were removed during the run: remove the folder and run again"
        )
    if disk_full(cause):
        return no_room(folder, cause)
    if isinstance(cause, outages()) and not is_local(folder.root):
        why = reason(cause)
        return RunError(f"the output {folder.root} could not be reached ({why}): remove the cause and run again")
    return None


def _is_in(folder: Folder, path: Any) -> bool:
    return isinstance(path, str) and path.startswith(f"{folder.filesystem()[1]}/")


def error_on_runner(error: RuntimeError | RunError) -> RunError | UserError:
    """The error to show to the user for a job that failed on Beam's runner: the message of the failed stage, or else
    the last line of the runner's message, which follows the traceback of the worker."""
    text = "".join(format_exception_only(error))
    raised = rf"{RunError.__module__}\.({RunError.__name__}|{UserError.__name__})"
    message = re.search(rf"^{raised}: (.+?)( \[while running .*)?$", text, re.MULTILINE)
    if message:
        return UserError(message[2]) if message[1] == UserError.__name__ else RunError(message[2])
    last = str(error).strip().rpartition("\n")[2].strip(" .") or type(error).__name__
    return RunError(f"Beam's runner gave up: {last}; remove the cause and run again; the run resumes where it stopped")
