"""Plots as SVG inside a page: plain shapes whose colours are the page's, with a title and a description for readers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from schemas.visible import visible

WIDTH = 560
ROW, TALL_ROW = 28, 44
_LETTER = 7.2
"""The width of a letter of the plots' font, in pixels; longer labels are cut."""


@dataclass(frozen=True)
class Range:
    """A row of a plot of ranges: a dot at ``value`` on a line from ``low`` to ``high``; None draws nothing.

    ``below`` is a second line of the label. ``bounds`` are the ends of a thinner line.
    """

    label: str
    value: float | None
    low: float | None
    high: float | None
    note: str
    below: str = ""
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True)
class Stack:
    """A row of a plot of shares that add up to 1: the parts, each with the class that gives its colour, and the ends of
    the ranges in which the bounds of parts may lie."""

    label: str
    below: str
    parts: Sequence[tuple[str, float]]
    whiskers: Sequence[tuple[float, float]]
    note: str


@dataclass(frozen=True)
class Bar:
    """A row of a plot of bars: the lengths of its parts, each with the class that gives its colour."""

    label: str
    parts: Sequence[tuple[str, float]]
    note: str


def ranges(
    title: str, rows: Sequence[Range], ends: tuple[float, float], marks: Sequence[tuple[float, str]], percent: bool
) -> str:
    """Values with their ranges on a line from ``ends[0]`` to ``ends[1]``. ``marks``: values with a line and a name."""
    scale = _Scale.of(rows, ends, percent)
    parts = [*scale.grid(), *scale.marks(marks)]
    for number, row in enumerate(rows):
        y = scale.y(number)
        parts += scale.words(number, row)
        if row.bounds is not None:
            parts.append(_line(scale.x(row.bounds[0]), y, scale.x(row.bounds[1]), y, "bound"))
        if row.low is not None and row.high is not None:
            parts.append(_line(scale.x(row.low), y, scale.x(row.high), y, "whisker"))
        if row.value is not None:
            parts.append(f'<circle class="dot" cx="{scale.x(row.value):.1f}" cy="{y:.1f}" r="5.5"/>')
    return _figure(title, _described(rows), scale.bottom + 28, parts)


def stacks(title: str, rows: Sequence[Stack]) -> str:
    """Shares that add up to 1 as the parts of a bar, with the ranges of their bounds."""
    scale = _Scale.of(rows, (0.0, 1.0), True)
    parts = scale.grid()
    for number, row in enumerate(rows):
        y, at = scale.y(number), 0.0
        parts += scale.words(number, row)
        for kind, share in row.parts:
            left, right = scale.x(at), scale.x(at + share)
            if share:
                size = f'width="{max(right - left - 1, 0.5):.1f}" height="20"'
                parts.append(f'<rect class="{kind}" x="{left:.1f}" y="{y - 10:.1f}" {size} rx="2"/>')
            at += share
        for place, (low, high) in enumerate(row.whiskers):  # apart, as ranges may overlap
            height = y + 6 * (place - (len(row.whiskers) - 1) / 2)
            parts.append(_line(scale.x(low), height, scale.x(high), height, "range"))
    return _figure(title, _described(rows), scale.bottom + 28, parts)


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Bars in parts, all on one scale that begins at 0."""
    left, right = _margins([row.label for row in rows], [row.note for row in rows])
    longest = max((sum(length for _, length in row.parts) for row in rows), default=0) or 1
    parts = []
    for number, row in enumerate(rows):
        y, x = ROW * number + 5.0, float(left)
        parts.append(_label(left, y + 9, row.label))
        for kind, length in row.parts:
            width = length / longest * (WIDTH - left - right)
            if length:
                size = f'width="{max(width - 1, 0.5):.1f}" height="18"'
                parts.append(f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" {size} rx="2"/>')
            x += width
        parts.append(_text(WIDTH - right + 12, y + 13, row.note, "note"))
    described = "; ".join(f"{row.label}: {row.note}" for row in rows)
    return _figure(title, described, ROW * len(rows) + 2, parts)


def columns(title: str, names: Sequence[str], heights: Sequence[float], unit: str) -> str:
    """A column for each name, side by side; some of the names stand below."""
    frame = _Frame(names, max(heights, default=0))
    parts = frame.grid()
    for number, height in enumerate(heights):
        if height:
            left, top = frame.x(number) - 0.4 * frame.step, frame.y(height)
            size = f'width="{0.8 * frame.step:.1f}" height="{frame.bottom - top:.1f}"'
            parts.append(f'<rect class="done" x="{left:.1f}" y="{top:.1f}" {size} rx="1.5"/>')
    most = max(range(len(names)), key=lambda number: (heights[number], -number), default=0)
    described = f"{len(names)} steps; most {unit}: {heights[most]:g} at {names[most]}" if names else "nothing"
    return _figure(title, described, frame.bottom + 28, parts)


def curve(title: str, names: Sequence[str], heights: Sequence[float | None], goal: float | None, unit: str) -> str:
    """A line through a height for each name, without those that are None. ``goal``: a height with a line of its own."""
    known = [height for height in heights if height is not None]
    frame = _Frame(names, max([*known, goal or 0], default=0))
    parts = frame.grid()
    if goal is not None:
        parts.append(_line(frame.left, frame.y(goal), WIDTH - 6, frame.y(goal), "mark"))
        parts.append(_text(WIDTH - 8, frame.y(goal) - 6, f"{goal:,.0f} asked for", "tick end"))
    points = [(frame.x(number), frame.y(height)) for number, height in enumerate(heights) if height is not None]
    drawn = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
    parts.append(f'<polyline class="curve" points="{drawn}"/>')
    parts += [f'<circle class="point" cx="{across:.1f}" cy="{down:.1f}" r="2.5"/>' for across, down in points]
    described = f"{len(known)} steps; first {known[0]:g}, last {known[-1]:g} {unit}" if known else "nothing"
    return _figure(title, described, frame.bottom + 28, parts)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from ``low`` to ``high``, at most ``most``.

    >>> ticks(0, 47), ticks(-1, 1)
    ([0.0, 10.0, 20.0, 30.0, 40.0], [-1.0, -0.5, 0.0, 0.5, 1.0])
    """
    raw = (high - low) / (most - 1)
    if raw <= 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True)
class _Scale:
    """The place of rows below each other, and of values on a line from ``ends[0]`` to ``ends[1]``."""

    left: float
    right: float
    row: int
    count: int
    ends: tuple[float, float]
    percent: bool
    top: float = 26.0

    @classmethod
    def of(cls, rows: Sequence[Range] | Sequence[Stack], ends: tuple[float, float], percent: bool) -> "_Scale":
        labels = [text for row in rows for text in (row.label, row.below)]
        left, right = _margins(labels, [row.note for row in rows])
        row = TALL_ROW if any(each.below for each in rows) else ROW
        return cls(left, right, row, len(rows), ends, percent)

    @property
    def bottom(self) -> float:
        return self.top + self.row * self.count

    def x(self, value: float) -> float:
        low, high = self.ends
        share = (min(max(value, low), high) - low) / (high - low)
        return self.left + share * (WIDTH - self.left - self.right)

    def y(self, number: int) -> float:
        return self.top + self.row * (number + 0.5)

    def grid(self) -> list[str]:
        parts = []
        for tick in ticks(*self.ends):
            parts.append(_line(self.x(tick), self.top, self.x(tick), self.bottom, "grid"))
            name = f"{tick:.0%}" if self.percent else f"{tick:g}"
            parts.append(_text(self.x(tick), self.bottom + 18, name, "tick middle"))
        return parts

    def marks(self, marks: Sequence[tuple[float, str]]) -> list[str]:
        parts = []
        for value, name in marks:
            parts.append(_line(self.x(value), self.top, self.x(value), self.bottom, "mark"))
            parts.append(_text(self.x(value), self.top - 8, name, "tick middle"))
        return parts

    def words(self, number: int, row: Range | Stack) -> list[str]:
        y = self.y(number)
        note = _text(WIDTH - self.right + 12, y + 4, row.note, "note")
        if not row.below:
            return [_label(self.left, y, row.label), note]
        return [_label(self.left, y - 8, row.label), _label(self.left, y + 9, row.below, "below"), note]


@dataclass(frozen=True)
class _Frame:
    """A grid for some names side by side, and heights from 0 to ``highest``."""

    names: Sequence[str]
    highest: float
    left: float = 52.0
    top: float = 22.0
    bottom: float = 182.0

    @property
    def step(self) -> float:
        return (WIDTH - self.left - 6) / max(len(self.names), 1)

    def x(self, number: float) -> float:
        return self.left + (number + 0.5) * self.step

    def y(self, height: float) -> float:
        return self.bottom - height / (self.highest or 1) * (self.bottom - self.top)

    def grid(self) -> list[str]:
        parts = []
        for tick in ticks(0, self.highest or 1, 5):
            parts.append(_line(self.left, self.y(tick), WIDTH - 6, self.y(tick), "grid"))
            parts.append(_text(self.left - 6, self.y(tick) + 4, f"{tick:,g}", "tick end"))
        for number in range(0, len(self.names), max(1, math.ceil(len(self.names) / 5))):
            parts.append(_text(self.x(number), self.bottom + 18, self.names[number], "tick middle"))
        return parts


def _figure(title: str, described: str, height: float, parts: Sequence[str]) -> str:
    words = f"<title>{_safe(title)}</title><desc>{_safe(described)}</desc>"
    size = f'viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}"'
    return f'<svg role="img" {size}>{words}{"".join(parts)}</svg>'


def _margins(labels: Sequence[str], notes: Sequence[str]) -> tuple[float, float]:
    """The room left of a plot for its labels, and right of it for its notes."""
    left = min(max(map(len, labels), default=0) * _LETTER + 14, 200)
    return left, max(map(len, notes), default=0) * _LETTER + 20


def _described(rows: Sequence[Range] | Sequence[Stack]) -> str:
    return "; ".join(f"{' '.join(filter(None, (row.label, row.below)))}: {row.note}" for row in rows)


def _label(left: float, y: float, text: str, kind: str = "label") -> str:
    most = int((left - 14) / _LETTER) + 1
    return _text(left - 10, y + 4, text if len(text) <= most else f"{text[: most - 1]}…", f"{kind} end")


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{_safe(text)}</text>'


def _safe(text: str) -> str:
    return escape(visible(text))
