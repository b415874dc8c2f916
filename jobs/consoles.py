"""Consoles for tables and bars, in which the text of a cell is text: no markup, and nothing that steers a terminal."""

import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from jobs.terminal import Shown
from schemas.visible import visible_lines


class _Console(Console):
    """Styles and moves about as rich does, and shows the hidden characters of the text that it is given."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible_lines(segment.text))


def console(*, err: bool = False, width: int | None = None) -> Console:
    """A console on standard output, or on standard error.

    ``width``: in characters; by default that of the terminal.
    """
    stream: Any = sys.stderr if err else sys.stdout
    file = stream.stream if isinstance(stream, Shown) else stream
    return _Console(file=file, width=width, highlight=False, markup=False, emoji=False)
