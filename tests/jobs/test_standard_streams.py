"""A command ends well if nobody reads what it prints, and says so in one sentence if it cannot be written."""

import errno
import os
import sys
from pathlib import Path

import click
import pytest

from jobs.consoles import console
from jobs.terminal import flush, has_reader, say, show_hidden
from schemas.errors import RunError
from tests.jobs.calling import call


def test_a_reader_that_left_ends_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        show_hidden()
        assert has_reader()
        say("a")
        assert not has_reader()
        print("b")
        console().print("c")
        flush()


def test_a_full_disk_behind_standard_output_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for write in (say, click.echo, console_print):
        with open("/dev/full", "w") as stream, monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", stream)
            show_hidden()
            with pytest.raises(RunError, match=r"^standard output cannot be written: No space left on device; "):
                write("a")


def console_print(text: str) -> None:
    console().print(text)
    flush()


def test_what_cannot_be_said_on_standard_error_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        assert call("explain", "corpus", monkeypatch=monkeypatch) == 2


def test_an_example_campaign_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_text = Path.write_text

    def fill_up(path: Path, text: str, **more: str) -> int:
        if path.name == "guidelines.md":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_text(path, text, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", fill_up)
        assert call("campaign", "new", tmp_path / "mill", monkeypatch=patched) == 1
    assert list((tmp_path / "mill").iterdir()) == []
    assert call("campaign", "new", tmp_path / "mill", monkeypatch=monkeypatch) == 0
    assert len(list((tmp_path / "mill").iterdir())) == 5
