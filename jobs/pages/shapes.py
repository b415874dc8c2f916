"""Shapes of SVG inside a page: lines, texts and the figure around them, with every text escaped."""

from collections.abc import Sequence
from html import escape

from schemas.visible import visible

WIDTH = 360
"""The width of a plot, that of a phone, so that text stays readable there. Words are above what they name, so that the
axes of all plots are equally long."""
LETTER = 7.2
"""The width of a letter of the plots' font, in pixels; what is longer than a line is cut."""


def figure(title: str, described: str, height: float, parts: Sequence[str]) -> str:
    """A figure as wide as WIDTH and ``height`` pixels high, with a title and a description for readers."""
    words = f"<title>{safe(title)}</title><desc>{safe(described)}</desc>"
    size = f'viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}"'
    return f'<svg role="img" {size}>{words}{"".join(parts)}</svg>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A line; ``kind`` is its class."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def label(x: float, y: float, text: str, kind: str) -> str:
    """A text, whose left end is at (x, y) unless its class, ``kind``, says otherwise."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{safe(text)}</text>'


def safe(text: str) -> str:
    """The text, escaped, with its hidden characters visible."""
    return escape(visible(text))
