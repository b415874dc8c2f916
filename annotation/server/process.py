"""A process that outlives the command which started it, known again without mistaking another for it."""

import contextlib
import os
import select
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PRIVATE = ("/bin/sh", "-c", 'umask 077; cd /; exec "$@"', "sh")
"""Goes before the words of a command: what that writes is its owner's only, and it does not run in the user's current
folder."""


@dataclass(frozen=True)
class Process:
    """A process by its number, the tick of the clock at which it started, and the boot of the machine.

    Numbers are given out again; the three together are not.
    """

    pid: int
    ticks: int
    boot: str


def spawn(words: Sequence[str], variables: Mapping[str, str], log: Path) -> Process:
    """Starts a program in a session of its own: neither Ctrl+C nor the end of the terminal reaches it.

    What it prints goes to ``log``; what it writes is its owner's only. ``variables`` are all that it sees.
    """
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        pid = os.posix_spawn(
            PRIVATE[0],
            [*PRIVATE, *words],
            dict(variables),
            setsid=True,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, handle, 1),
                (os.POSIX_SPAWN_DUP2, handle, 2),
            ],
        )
    finally:
        os.close(handle)
    started = _start_time(pid)
    return Process(pid, started if started is not None else -1, _boot())


def alive(process: Process) -> bool:
    """Whether that very process runs. One that ended and was not waited for does not."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    return _boot() == process.boot and _start_time(process.pid) == process.ticks


def end(process: Process, seconds: float) -> bool:
    """Ends a process: asks, and after so many seconds insists. Returns whether asking was enough."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        if not alive(process):
            return True
        asked = _signal(handle, signal.SIGTERM, seconds)
        if not asked:
            _signal(handle, signal.SIGKILL, seconds)
        alive(process)  # takes note of a child's end
        return asked
    finally:
        os.close(handle)


def _signal(handle: int, number: signal.Signals, seconds: float) -> bool:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, number)
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)  # readable once the process ended
    return bool(waiting.poll(seconds * 1000))


def _start_time(pid: int) -> int | None:
    """The tick at which a process started; None if no process has this number."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
