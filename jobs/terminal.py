"""Prints the output of all commands with control, bidi and zero-width characters escaped.

Names, ids, texts and messages come from files that somebody else wrote, and may contain characters that hide text or
control the terminal. ``show_hidden`` replaces standard output and error, so that every write is escaped; ``say`` also
escapes line feeds, so that one call prints one line.
"""

import sys
from collections.abc import Iterable
from typing import IO, Any


def show_hidden() -> None:
    """Makes the process's standard output and error show hidden characters as escapes."""
    sys.stdout, sys.stderr = _wrap(sys.stdout), _wrap(sys.stderr)


def say(line: str, *, err: bool = False) -> None:
    """Prints one line; line feeds and hidden characters in it become escapes."""
    print(_on_one_line(line), file=sys.stderr if err else sys.stdout, flush=True)


def _on_one_line(text: str) -> str:
    """``schemas.visible.visible``, imported only for text that needs it, as --help must be instant."""
    if text.isascii() and text.isprintable():
        return text
    from schemas.visible import visible

    return visible(text)


class VisibleStream:
    """A text stream that writes hidden characters as escapes; all other attributes are those of the wrapped stream."""

    def __init__(self, stream: IO[str]):
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


def _wrap(stream: Any) -> Any:
    """The stream as a VisibleStream; None (a closed stream) stays None."""
    if stream is None or isinstance(stream, VisibleStream):
        return stream
    if hasattr(stream, "reconfigure"):
        ascii_only = (stream.encoding or "ascii").lower() in ("ascii", "us-ascii", "ansi_x3.4-1968")
        stream.reconfigure(encoding="utf-8" if ascii_only else None, errors="backslashreplace")
    return VisibleStream(stream)
