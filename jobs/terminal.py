"""What the console script prints goes through here: characters that hide or steer are shown, never sent to a terminal.

Names, ids, texts and messages come from files that somebody else wrote. ``show_hidden`` puts a door before standard
output and error, so that nothing passes by chance; ``say`` also keeps a line a single line, whatever it holds.
"""

import sys
from collections.abc import Iterable
from typing import IO, Any


def show_hidden() -> None:
    """From now on the process's standard output and error show hidden characters as escapes."""
    sys.stdout, sys.stderr = _door(sys.stdout), _door(sys.stderr)


def say(line: str, *, err: bool = False) -> None:
    """Prints one line, whatever the names and texts in it hold."""
    print(_on_one_line(line), file=sys.stderr if err else sys.stdout, flush=True)


def _on_one_line(text: str) -> str:
    """``schemas.visible.visible``, which is imported only for a text that needs it: help shall be instant."""
    if text.isascii() and text.isprintable():
        return text
    from schemas.visible import visible

    return visible(text)


class Shown:
    """A text stream whose hidden characters are shown; everything else is that stream's own."""

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


def _door(stream: Any) -> Any:
    """The stream behind a door; None, for a stream that is closed, stays None."""
    if stream is None or isinstance(stream, Shown):
        return stream
    if hasattr(stream, "reconfigure"):
        ascii_only = (stream.encoding or "ascii").lower() in ("ascii", "us-ascii", "ansi_x3.4-1968")
        stream.reconfigure(encoding="utf-8" if ascii_only else None, errors="backslashreplace")
    return Shown(stream)
