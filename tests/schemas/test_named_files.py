"""Paths that a user names: a FIFO, a socket or a device is refused at once, with one sentence."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.named_files import NamedFileError, open_named, read_named


@pytest.mark.parametrize(("name", "what"), [("pipe", "a FIFO"), ("/dev/zero", "a device")])
def test_a_fifo_and_a_device_are_refused(name: str, what: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NamedFileError, match=f"{name} is {what}: copy its content into a regular file first"):
        open_named(tmp_path / name)


def test_a_link_to_a_fifo_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(NamedFileError, match="link is a FIFO"):
        open_named(tmp_path / "link")


@pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}"])
def test_a_pipe_of_the_shell_is_read(name: str) -> None:
    with _filled(b"d0\n") as handle, open_named(name.format(handle)) as stream:
        assert stream.read() == b"d0\n"


def test_standard_input_is_read() -> None:
    script = "from schemas.named_files import open_named; print(open_named('/dev/stdin').read())"
    done = subprocess.run([sys.executable, "-c", script], input=b"d0", capture_output=True, timeout=60, check=True)
    assert done.stdout == b"b'd0'\n"


def test_a_file_that_is_too_large_for_what_it_is_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * ((1 << 20) + 1))
    assert len(read_named(tmp_path / "large", 2 << 20, "a list")) == (1 << 20) + 1
    with pytest.raises(NamedFileError, match="large is larger than 1 MB: name a list"):
        read_named(tmp_path / "large", 1 << 20, "a list")


def test_what_is_missing_and_what_is_a_folder_raise_as_open_does(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_named(tmp_path / "nothing")
    with pytest.raises(IsADirectoryError):
        open_named(tmp_path)
    with pytest.raises(ValueError, match="null"):
        open_named("a\0b")


@contextmanager
def _filled(content: bytes) -> Iterator[int]:
    """The reading end of a pipe to which somebody writes."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as stream:
        thread = threading.Thread(target=lambda: (stream.write(content), stream.close()))
        thread.start()
        yield reading
        thread.join()
    os.close(reading)
