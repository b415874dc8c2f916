"""Plots as SVG inside a page: plain shapes whose colours are the page's, with a title and a description for readers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jobs.pages.shapes import LETTER, WIDTH, figure, label, line

EDGE = 22
LINE, TRACK = 18, 22


@dataclass(frozen=True)
class Range:
    """A row of a plot of ranges: a dot at ``value`` on a line from ``low`` to ``high``; None draws nothing.

    A row without a note is the heading of those after it. ``below`` is a second line of the label. ``bounds`` are the
    ends of a thinner line.
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
    """A row of a plot of shares that add up to 1: the parts, each with the class that gives its colour, and
    (class, low, high) of the ranges in which the bounds of parts may lie. A row without a note is a heading."""

    label: str
    below: str
    parts: Sequence[tuple[str, float]]
    whiskers: Sequence[tuple[str, float, float]]
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
    scale = _Scale.of(rows, ends, percent, 26.0 if marks else 4.0)
    parts = [*scale.grid(), *scale.marks(marks)]
    for number, row in enumerate(rows):
        y = scale.y(number)
        parts += scale.words(number, row)
        if row.bounds is not None:
            parts.append(line(scale.x(row.bounds[0]), y, scale.x(row.bounds[1]), y, "bound"))
        if row.low is not None and row.high is not None:
            parts.append(line(scale.x(row.low), y, scale.x(row.high), y, "whisker"))
        if row.value is not None:
            parts.append(f'<circle class="dot" cx="{scale.x(row.value):.1f}" cy="{y:.1f}" r="5.5"/>')
    return figure(title, _described(rows), scale.bottom + 28, parts)


def stacks(title: str, rows: Sequence[Stack]) -> str:
    """Shares that add up to 1 as the parts of a bar, with the ranges of their bounds."""
    scale = _Scale.of(rows, (0.0, 1.0), True, 4.0, TRACK + 12)
    parts = scale.grid()
    for number, row in enumerate(rows):
        y, at = scale.y(number), 0.0
        parts += scale.words(number, row)
        for kind, share in row.parts:
            left, right = scale.x(at), scale.x(at + share)
            if share:
                size = f'width="{max(right - left - 1, 0.5):.1f}" height="16"'
                parts.append(f'<rect class="{kind}" x="{left:.1f}" y="{y - 14:.1f}" {size} rx="2"/>')
            at += share
        for place, (kind, low, high) in enumerate(row.whiskers):  # below each other, as ranges may overlap
            height = y + 6 + 5 * place
            parts.append(line(scale.x(low), height, scale.x(high), height, f"range {kind}"))
    return figure(title, _described(rows), scale.bottom + 28, parts)


def bars(title: str, rows: Sequence[Bar]) -> str:
    """Bars in parts, all on one scale that begins at 0."""
    longest = max((sum(length for _, length in row.parts) for row in rows), default=0) or 1
    parts = []
    for number, row in enumerate(rows):
        y, x = (LINE + TRACK + 4.0) * number, 0.0
        parts += _words([(row.label, row.note)], y)
        for kind, length in row.parts:
            width = length / longest * WIDTH
            if length:
                size = f'width="{max(width - 1, 0.5):.1f}" height="16"'
                parts.append(f'<rect class="{kind}" x="{x:.1f}" y="{y + LINE + 2:.1f}" {size} rx="2"/>')
            x += width
    described = "; ".join(f"{row.label}: {row.note}" for row in rows)
    return figure(title, described, (LINE + TRACK + 4) * len(rows), parts)


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
    return figure(title, described, frame.bottom + 28, parts)


def curve(title: str, names: Sequence[str], heights: Sequence[float | None], goal: float | None, unit: str) -> str:
    """A line through a height for each name, without those that are None. ``goal``: a height with a line of its own."""
    known = [height for height in heights if height is not None]
    frame = _Frame(names, max([*known, goal or 0], default=0))
    parts = frame.grid()
    if goal is not None:
        parts.append(line(frame.left, frame.y(goal), WIDTH - 6, frame.y(goal), "mark"))
        parts.append(label(WIDTH - 8, frame.y(goal) - 6, f"{goal:,.0f} asked for", "tick end"))
    points = [(frame.x(number), frame.y(height)) for number, height in enumerate(heights) if height is not None]
    drawn = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
    parts.append(f'<polyline class="curve" points="{drawn}"/>')
    parts += [f'<circle class="point" cx="{across:.1f}" cy="{down:.1f}" r="2.5"/>' for across, down in points]
    described = f"{len(known)} steps; first {known[0]:g}, last {known[-1]:g} {unit}" if known else "nothing"
    return figure(title, described, frame.bottom + 28, parts)


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
    """The place of rows below each other, and of values on a line from ``ends[0]`` to ``ends[1]``.

    ``tops``: where each row begins, and where the last one ends. ``lines``: the words of each row, left and right.
    """

    ends: tuple[float, float]
    percent: bool
    tops: Sequence[float]
    lines: Sequence[Sequence[tuple[str, str]]]

    @classmethod
    def of(
        cls, rows: Sequence[Range | Stack], ends: tuple[float, float], percent: bool, top: float, track: int = TRACK
    ) -> "_Scale":
        tops, lines = [top], [_lines(row) for row in rows]
        for row, words in zip(rows, lines, strict=True):
            tops.append(tops[-1] + LINE * len(words) + (track if row.note else 4))
        return cls(ends, percent, tops, lines)

    @property
    def bottom(self) -> float:
        return self.tops[-1]

    def x(self, value: float) -> float:
        low, high = self.ends
        share = (min(max(value, low), high) - low) / (high - low)
        return EDGE + share * (WIDTH - 2 * EDGE)

    def y(self, number: int) -> float:
        """Where the values of a row are: in the middle of the room for them, below its words."""
        words = LINE * len(self.lines[number])
        return (self.tops[number] + words + self.tops[number + 1]) / 2 - 1

    def grid(self) -> list[str]:
        parts = []
        for tick in ticks(*self.ends):
            parts.append(line(self.x(tick), self.tops[0], self.x(tick), self.bottom, "grid"))
            name = f"{tick:.0%}" if self.percent else f"{tick:g}"
            parts.append(label(self.x(tick), self.bottom + 16, name, "tick middle"))
        return parts

    def marks(self, marks: Sequence[tuple[float, str]]) -> list[str]:
        parts = []
        for value, name in marks:
            parts.append(line(self.x(value), self.tops[0], self.x(value), self.bottom, "mark"))
            parts.append(label(self.x(value), self.tops[0] - 8, name, "tick middle"))
        return parts

    def words(self, number: int, row: Range | Stack) -> list[str]:
        return _words(self.lines[number], self.tops[number], "" if row.note else "heading")


@dataclass(frozen=True)
class _Frame:
    """A grid for some names side by side, and heights from 0 to ``highest``."""

    names: Sequence[str]
    highest: float
    left: float = 44.0
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
            parts.append(line(self.left, self.y(tick), WIDTH - 6, self.y(tick), "grid"))
            parts.append(label(self.left - 6, self.y(tick) + 4, f"{tick:,g}", "tick end"))
        most = max(1, int((WIDTH - self.left) / (max(map(len, self.names), default=1) * LETTER + 8)))
        for number in range(0, len(self.names), max(1, math.ceil(len(self.names) / most))):
            parts.append(label(self.x(number), self.bottom + 18, self.names[number], "tick middle"))
        return parts


def _lines(row: Range | Stack) -> list[tuple[str, str]]:
    """The lines of words of a row, left and right. The note has a line of its own where it does not fit."""
    *above, last = filter(None, (row.label, row.below or ("" if row.label else " ")))
    fits = len(last) + len(row.note) + 2 <= WIDTH / LETTER
    return [*((text, "") for text in above), *([(last, row.note)] if fits else [(last, ""), ("", row.note)])]


def _words(lines: Sequence[tuple[str, str]], top: float, kind: str = "") -> list[str]:
    """Lines of words from ``top`` on: the label, and what is below it, on the left, the note on the right."""
    parts = []
    for number, (left, right) in enumerate(lines):
        y = top + LINE * (number + 1) - 4
        if left:
            room = int(WIDTH / LETTER) - (len(right) + 2 if right else 0)
            text = left if len(left) <= room else f"{left[: room - 1]}…"
            parts.append(label(2, y, text, kind or ("below" if number else "label")))
        if right:
            parts.append(label(WIDTH, y, right, "note end"))
    return parts


def _described(rows: Sequence[Range] | Sequence[Stack]) -> str:
    found, heading = [], ""
    for row in rows:
        if row.note:
            found.append(f"{' '.join(filter(None, (heading, row.label, row.below)))}: {row.note}")
        else:
            heading = f"{row.label},"
    return "; ".join(found)
