"""Prints the output of all commands with control, bidi and zero-width characters escaped.

Names, ids, texts and messages come from files that somebody else wrote, and may contain characters that hide text or
control the terminal. ``show_hidden`` replaces standard output and error, so that every write is escaped; ``say`` also
escapes line feeds, so that one call prints one line.

A reader of standard output that left (``| head -1``) does not end a command, and is no error. Any other failure to
write standard output, such as a full disk, is a RunError. Failures to write standard error are ignored.
"""

import errno
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from schemas.errors import RunError


def show_hidden() -> None:
    """Makes the process's standard output and error show hidden characters as escapes."""
    sys.stdout, sys.stderr = _wrap(sys.stdout, must_arrive=True), _wrap(sys.stderr, must_arrive=False)


def say(line: str, *, err: bool = False) -> None:
    """Prints one line; line feeds and hidden characters in it become escapes."""
    print(_on_one_line(line), file=sys.stderr if err else sys.stdout, flush=True)


def has_reader() -> bool:
    """Whether standard output still has a reader, as far as this process knows: it learns this when it writes."""
    return not getattr(sys.stdout, "closed_by_reader", False)


def flush() -> None:
    """Writes what standard output holds back. Raises RunError if it cannot be written."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _on_one_line(text: str) -> str:
    """``schemas.visible.visible``, imported only for text that needs it, as --help must be instant."""
    if text.isascii() and text.isprintable():
        return text
    from schemas.visible import visible

    return visible(text)


class StandardStream:
    """Standard output or error, which drops what nobody can read any more; all other attributes are those of the
    wrapped stream."""

    def __init__(self, stream: IO[str], *, must_arrive: bool):
        self.stream = stream
        self.must_arrive = must_arrive
        self.closed_by_reader = False

    def write(self, text: str) -> int:
        if text != "":  # click writes an empty text to try a stream, and ignores all errors
            with self._errors():
                self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._errors():
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            with suppress(OSError):  # what the stream holds back goes nowhere, also when Python ends
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.stream.fileno())
            if error.errno == errno.EPIPE:
                self.closed_by_reader = True
            elif self.must_arrive:
                raise RunError(
                    f"standard output cannot be written: {error.strerror or error}; free some space or send the output "
                    "elsewhere, and run again"
                ) from error


class VisibleStream:
    """A text stream that writes hidden characters as escapes; all other attributes are those of the wrapped stream."""

    def __init__(self, stream: Any):
        self.stream = stream

    def write(self, text: str) -> int:
        if not (text.isascii() and text.replace("\n", "").isprintable()):
            from schemas.visible import visible_lines

            self.stream.write(visible_lines(text))
        else:
            self.stream.write(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _wrap(stream: Any, *, must_arrive: bool) -> Any:
    """The stream as a VisibleStream; None (a closed stream) stays None."""
    if stream is None or isinstance(stream, VisibleStream):
        return stream
    if hasattr(stream, "reconfigure"):
        ascii_only = (stream.encoding or "ascii").lower() in ("ascii", "us-ascii", "ansi_x3.4-1968")
        stream.reconfigure(encoding="utf-8" if ascii_only else None, errors="backslashreplace")
    return VisibleStream(StandardStream(stream, must_arrive=must_arrive))
