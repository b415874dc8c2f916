"""Consoles for tables and bars that print text as it is: without markup, and with hidden characters escaped."""

import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from jobs.terminal import VisibleStream
from schemas.visible import visible_lines


class _Console(Console):
    """A rich console that shows the hidden characters of all text as escapes."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible_lines(segment.text))


def console(*, err: bool = False, width: int | None = None) -> Console:
    """A console on standard output, or on standard error.

    ``width`` is in characters (default: the terminal's).
    """
    stream: Any = sys.stderr if err else sys.stdout
    file = stream.stream if isinstance(stream, VisibleStream) else stream
    return _Console(file=file, width=width, highlight=False, markup=False, emoji=False)
