"""Ends a command on Ctrl+C, SIGTERM or SIGHUP at any moment, after the command has cleaned up."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

import click

from jobs.terminal import flush
from schemas.errors import RunError

AGAIN_SECONDS = 0.01
ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end a command as Ctrl+C does. Schedulers and containers send SIGTERM, a closed terminal SIGHUP."""


class Terminated(KeyboardInterrupt):
    """A signal other than SIGINT asked the process to end."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def raise_on_signals() -> Iterator[None]:
    """Within the block, SIGTERM and SIGHUP raise Terminated, unless they are ignored (as under ``nohup``).

    Python drops an exception that is raised in a finaliser, such as that of an unreferenced file; the command would
    continue after Ctrl+C. So an interrupt that Python dropped is raised again after AGAIN_SECONDS. Python also drops an
    exception that is raised while it reports a dropped one, as happens on a busy machine: then it is raised later.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals to the main thread only
        return
    report = sys.unraisablehook
    ended: KeyboardInterrupt = KeyboardInterrupt()

    def catch_dropped(dropped: Any) -> None:
        nonlocal ended
        if issubclass(dropped.exc_type, KeyboardInterrupt):
            ended = dropped.exc_value or ended
            again()
        else:
            report(dropped)

    def again() -> None:
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)

    def interrupt(number: int, frame: FrameType | None) -> None:
        while frame is not None:
            if frame.f_code is catch_dropped.__code__:
                return again()
            frame = frame.f_back
        raise ended

    def terminate(number: int, frame: FrameType | None) -> None:
        nonlocal ended
        ended = Terminated(number)
        interrupt(number, frame)

    alarm = signal.signal(signal.SIGALRM, interrupt)
    before = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, terminate)
    sys.unraisablehook = catch_dropped
    try:
        yield
    finally:
        sys.unraisablehook = report
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, alarm)
        for number, handler in before.items():
            signal.signal(number, handler)


def die_interrupted(error: BaseException) -> NoReturn:
    """Ends the process by the signal that caused ``error``, so that a shell script which called it ends, too.

    Exit functions run as usual, but threads are not joined: Beam leaves a thread that never ends when Ctrl+C arrives
    at the start of a bundle.
    """
    number = _signal(error)
    for ending in (signal.SIGINT, *ENDING):
        signal.signal(ending, signal.SIG_IGN)
    with suppress(OSError):
        click.echo(f"gristmill: {'interrupted' if number == signal.SIGINT else 'terminated'}", err=True)
    atexit._run_exitfuncs()
    with suppress(OSError, RunError):
        flush()
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    os._exit(128 + number)  # the kernel does not let the first process of a container (PID 1) die by its own signals


def _signal(error: BaseException) -> int:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Terminated):
            return cause.number
        cause = cause.__cause__ or cause.__context__
    return signal.SIGINT
