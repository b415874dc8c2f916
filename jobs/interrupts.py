"""Ctrl+C, SIGTERM and SIGHUP end a command wherever they fall, and what it had begun is cleaned up."""

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

AGAIN_SECONDS = 0.01
ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end a command as Ctrl+C does: of a scheduler or a container's stop, and of a closed terminal."""


class Terminated(KeyboardInterrupt):
    """A signal other than that of Ctrl+C asked the process to end."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def heeded() -> Iterator[None]:
    """For the length of a block, SIGTERM and SIGHUP raise Terminated, unless they are ignored as under ``nohup``; and a
    Ctrl+C or one of these that Python would drop comes again a moment later.

    It drops what is raised in a finaliser, such as that of a file which nobody holds any more: the command would go on.
    What is raised while that is told is dropped, too: on a busy machine a moment may be over before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python tells no other of a signal
        return
    report = sys.unraisablehook
    ended: KeyboardInterrupt = KeyboardInterrupt()

    def tell(dropped: Any) -> None:
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
            if frame.f_code is tell.__code__:
                return again()
            frame = frame.f_back
        raise ended

    def terminate(number: int, frame: FrameType | None) -> None:
        nonlocal ended
        ended = Terminated(number)
        interrupt(number, frame)

    alarm = signal.signal(signal.SIGALRM, interrupt)
    before = {each: signal.getsignal(each) for each in ENDING}
    for each, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(each, terminate)
    sys.unraisablehook = tell
    try:
        yield
    finally:
        sys.unraisablehook = report
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, alarm)
        for each, handler in before.items():
            signal.signal(each, handler)


def die_interrupted(error: BaseException) -> NoReturn:
    """Ends the process by the signal that ``error`` stands for, as a shell expects it, so that a script which called it
    ends, too.

    It ends as Python would, but for threads, which are not waited for: Beam leaves one that never ends where Ctrl+C
    falls into the start of a bundle.
    """
    number = _signal(error)
    for each in (signal.SIGINT, *ENDING):
        signal.signal(each, signal.SIG_IGN)
    with suppress(OSError):
        click.echo(f"gristmill: {'interrupted' if number == signal.SIGINT else 'terminated'}", err=True)
    atexit._run_exitfuncs()
    with suppress(OSError):
        click.echo(nl=False)  # what was printed, if anybody still reads it
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    os._exit(128 + number)  # the first process of a container outlives its own signals


def _signal(error: BaseException) -> int:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Terminated):
            return cause.number
        cause = cause.__cause__ or cause.__context__
    return signal.SIGINT
