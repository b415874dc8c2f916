"""Ctrl+C is heeded wherever it falls."""

import signal
import sys
import threading
from collections.abc import Iterator

import pytest

from jobs.interrupts import heeded


@pytest.fixture(autouse=True)
def interrupts() -> Iterator[None]:
    """Programs that a shell runs in the background may ignore Ctrl+C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Held:
    """What its last holder lets go of while Ctrl+C is pressed."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_in_a_finaliser_ends_what_goes_on() -> None:
    before = sys.unraisablehook, signal.getsignal(signal.SIGALRM)
    with pytest.raises(KeyboardInterrupt), heeded():
        Held()
        threading.Event().wait(60)
    assert (sys.unraisablehook, signal.getsignal(signal.SIGALRM)) == before


def test_an_interrupt_that_comes_again_too_soon_comes_once_more() -> None:
    with pytest.raises(KeyboardInterrupt), heeded():
        with pytest.MonkeyPatch.context() as patched:

            def at_once(which: int, seconds: float) -> None:
                patched.undo()
                signal.raise_signal(signal.SIGALRM)

            patched.setattr(signal, "setitimer", at_once)
            Held()
        threading.Event().wait(60)


def test_what_else_a_finaliser_raises_is_told_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError("broken")

    told: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: told.append(str(dropped.exc_value)))
    with heeded():
        Broken()
    assert told == ["broken"]
