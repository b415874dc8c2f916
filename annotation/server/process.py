"""Starts processes that outlive the command, and later recognises exactly these processes."""

import contextlib
import os
import select
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PRIVATE = ("/bin/sh", "-c", 'umask 077; cd /; exec "$@"', "sh")
"""Words before a command: only the owner can read files of the command, and the command runs in the root folder."""


@dataclass(frozen=True)
class Process:
    """A process: its number, the clock tick at which it started, and an id of the machine's boot.

    The system gives the number to later processes, too, but never all three values.
    """

    pid: int
    ticks: int
    boot: str


def spawn(words: Sequence[str], variables: Mapping[str, str], log: Path) -> Process:
    """Starts a program in its own session: neither Ctrl+C nor the end of the terminal reaches the program.

    The program's output goes to ``log``; only the owner can read files that the program creates. ``variables`` are its
    complete environment.
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
    ticks = _start_time(pid)
    return Process(pid, -1 if ticks is None else ticks, _boot())


def is_alive(process: Process) -> bool:
    """Whether exactly this process is running. A zombie does not run."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    return _boot() == process.boot and _start_time(process.pid) == process.ticks


def end(process: Process, seconds: float) -> bool:
    """Ends a process by SIGTERM, or by SIGKILL after ``seconds``. Returns whether SIGTERM was enough."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return True
    try:
        if not is_alive(process):
            return True
        terminated = _signal(handle, signal.SIGTERM, seconds)
        if not terminated:
            _signal(handle, signal.SIGKILL, seconds)
        is_alive(process)  # collects the exit status of a child
        return terminated
    finally:
        os.close(handle)


def _signal(handle: int, number: signal.Signals, seconds: float) -> bool:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, number)
    poll = select.poll()
    poll.register(handle, select.POLLIN)  # readable once the process has ended
    return bool(poll.poll(seconds * 1000))


def _start_time(pid: int) -> int | None:
    """The clock tick at which a process started; None if no running process has this number."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
