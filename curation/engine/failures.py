"""What a user should read where a run fails: the errors of stages, worker processes and Beam as sentences."""

import re
from traceback import format_exception_only
from typing import Any

from curation.engine.workers import WorkerError
from curation.release.folder import Folder, disk_full, no_room
from curation.sources.places import is_local
from curation.sources.storage import outages, reason
from schemas.errors import RunError, UserError

NO_THREAD = "can't start new thread"
"""What Python says where there is no memory for the stack of a thread."""


def for_user(cause: BaseException, folder: Folder) -> BaseException | None:
    """The error that a user should read for ``cause``, raised by a stage of the run in ``folder``; None for a bug."""
    if isinstance(cause, (UserError, RunError, KeyboardInterrupt)):
        return cause
    if isinstance(cause, WorkerError):
        return RunError(str(cause))
    if isinstance(cause, MemoryError) or str(cause) == NO_THREAD:
        return RunError(
            "a process reached its memory limit: give more --memory, fewer --workers or smaller records "
            "(--set max_record_bytes=...)"
        )
    if isinstance(cause, FileNotFoundError) and _lies_in(folder, cause.filename):
        return RunError(
            f"files of the output {folder.root} were removed while the run was at work: remove what is left of it and "
            "run again"
        )
    if disk_full(cause):
        return no_room(folder, cause)
    if isinstance(cause, outages()) and not is_local(folder.root):
        why = reason(cause)
        return RunError(f"the output {folder.root} could not be reached ({why}): mend that and run again")
    return None


def interrupt(error: BaseException) -> KeyboardInterrupt | None:
    """The Ctrl+C that Beam made an error of its own, as it does where that falls between two of its steps."""
    cause: BaseException | None = error
    while isinstance(cause, RuntimeError):
        cause = cause.__cause__ or cause.__context__
    return cause if isinstance(cause, KeyboardInterrupt) else None


def _lies_in(folder: Folder, path: Any) -> bool:
    return isinstance(path, str) and path.startswith(f"{folder.filesystem()[1]}/")


def given_up(error: RuntimeError | RunError) -> RunError:
    """The error that a user should read for a job which failed on Beam's runner: the sentence of the stage that failed,
    else the last line of the runner's message, above which stands the trace of the worker."""
    whole = "".join(format_exception_only(error))
    raised = rf"{RunError.__module__}\.(?:{RunError.__name__}|{UserError.__name__})"
    told = re.search(rf"^{raised}: (.+?)( \[while running .*)?$", whole, re.MULTILINE)
    if told:
        return RunError(told[1])
    last = str(error).strip().rpartition("\n")[2].strip(" .") or type(error).__name__
    return RunError(f"Beam's runner gave up: {last}; mend that and run again, which goes on where it stopped")
