"""Ctrl+C, SIGTERM and SIGHUP end a command at any moment."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from jobs.interrupts import ENDING, Terminated, raise_on_signals


@pytest.fixture(autouse=True)
def interrupts() -> Iterator[None]:
    """Programs that a shell runs in the background may ignore Ctrl+C, those that nohup runs SIGHUP."""
    handlers = {signal.SIGINT: signal.default_int_handler, **dict.fromkeys(ENDING, signal.SIG_DFL)}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Held:
    """What its last holder lets go of while Ctrl+C is pressed, or another signal comes."""

    def __init__(self, number: int = signal.SIGINT):
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)


def test_an_interrupt_in_a_finaliser_ends_what_goes_on() -> None:
    before = sys.unraisablehook, signal.getsignal(signal.SIGALRM)
    with pytest.raises(KeyboardInterrupt), raise_on_signals():
        Held()
        threading.Event().wait(60)
    assert (sys.unraisablehook, signal.getsignal(signal.SIGALRM)) == before


def test_an_interrupt_that_comes_again_too_soon_comes_once_more() -> None:
    with pytest.raises(KeyboardInterrupt), raise_on_signals():
        with pytest.MonkeyPatch.context() as patched:

            def at_once(which: int, seconds: float) -> None:
                patched.undo()
                signal.raise_signal(signal.SIGALRM)

            patched.setattr(signal, "setitimer", at_once)
            Held()
        threading.Event().wait(60)


def test_what_else_a_finaliser_raises_is_reported_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __del__(self) -> None:
            raise ValueError("broken")

    told: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda dropped: told.append(str(dropped.exc_value)))
    with raise_on_signals():
        Broken()
    assert told == ["broken"]


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_that_ends_a_command_raises_even_from_a_finaliser(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Terminated) as raised, raise_on_signals():
        Held(number)
        threading.Event().wait(60)
    assert raised.value.number == number
    with pytest.raises(Terminated), raise_on_signals():
        signal.raise_signal(number)
    assert signal.getsignal(number) == before


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with raise_on_signals():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


COMMAND = """
import sys
from pathlib import Path
import jobs.cli
from schemas.folders import new_folder

@jobs.cli.gristmill.command("write")
def write():
    with new_folder(Path("out")) as folder:
        (folder / "half").touch()
        print("writing", flush=True)
        sys.stdin.read()

sys.argv = ["gristmill", "write"]
jobs.cli.main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, *ENDING])
@pytest.mark.parametrize("as_first", [False, True])
def test_a_command_that_a_signal_ends_cleans_up_and_says_so(
    number: signal.Signals, as_first: bool, own_pids: list[str], tmp_path: Path
) -> None:
    """The first process of a container ignores signals that it does not handle."""
    words = [*(own_pids if as_first else ()), sys.executable, "-c", COMMAND]
    with subprocess.Popen(
        words, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "writing\n"
        psutil.Process(run.pid).children()[0].send_signal(number) if as_first and own_pids else run.send_signal(number)
        _, said = run.communicate()
    assert said.strip() == f"gristmill: {'interrupted' if number == signal.SIGINT else 'terminated'}"
    assert run.returncode in (-number, 128 + number)
    assert list(tmp_path.iterdir()) == []
