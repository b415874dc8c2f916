"""Ctrl+C ends a command wherever it falls."""

import atexit
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NoReturn

import click

AGAIN_SECONDS = 0.01


@contextmanager
def heeded() -> Iterator[None]:
    """For the length of a block, a Ctrl+C that Python would drop comes again a moment later.

    It drops what is raised in a finaliser, such as that of a file which nobody holds any more: the command would go on.
    What is raised while that is told is dropped, too: on a busy machine a moment may be over before.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python tells no other of a signal
        return
    report = sys.unraisablehook

    def tell(dropped: Any) -> None:
        if issubclass(dropped.exc_type, KeyboardInterrupt):
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
        raise KeyboardInterrupt

    alarm = signal.signal(signal.SIGALRM, interrupt)
    sys.unraisablehook = tell
    try:
        yield
    finally:
        sys.unraisablehook = report
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, alarm)


def die_interrupted() -> NoReturn:
    """Ends the process as a shell expects it of Ctrl+C, so that a script which called it ends, too.

    It ends as Python would, but for threads, which are not waited for: Beam leaves one that never ends where Ctrl+C
    falls into the start of a bundle.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    click.echo("gristmill: interrupted", err=True)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    atexit._run_exitfuncs()
    with suppress(OSError):
        click.echo(nl=False)  # what was printed, if anybody still reads it
    signal.raise_signal(signal.SIGINT)
    raise AssertionError("a process outlived its end")
