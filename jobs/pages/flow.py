"""A flow as SVG: a stream that becomes narrower at each step, with what leaves it on the right."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.pages.shapes import LETTER, WIDTH, figure, label

STREAM = 140.0
"""The width of the whole stream, in pixels."""
_TURN = 172.0
"""Where what leaves the stream ends."""
_ROW, _END = 44.0, 40.0
_LEAST = 0.8


@dataclass(frozen=True)
class Leaving:
    """What leaves the stream at a step: its name, its amount, and a note."""

    name: str
    amount: float
    note: str


def flow(title: str, start: tuple[str, float, str], leaving: Sequence[Leaving], end: tuple[str, float, str]) -> str:
    """The stream from ``start`` to ``end``, each with its name, its amount and a note; amounts add up."""
    whole = start[1] or 1.0
    left, y = start[1], _END
    edge, parts = [(left / whole * STREAM, y)], _words(start[0], start[2], STREAM + 10, _END / 2)
    for each in leaving:
        before, after = left / whole * STREAM, (left - each.amount) / whole * STREAM
        thick = max(before - after, _LEAST)
        height = max(_ROW, thick + 24)
        top = y + (height - thick) / 2
        if each.amount:
            parts.append(_branch(max(before, after + _LEAST), after, y, top, top + thick))
        parts += _words(each.name, each.note, _TURN + 8, y + height / 2)
        left, y = left - each.amount, y + height
        edge += [(after, edge[-1][1]), (after, y)]
    edge.append((edge[-1][0], y + _END))
    parts += _words(end[0], end[2], edge[-1][0] + 10, y + _END / 2)
    steps = [(start[0], start[2]), *((each.name, each.note) for each in leaving), (end[0], end[2])]
    described = "; ".join(f"{name}: {note}" for name, note in steps)
    return figure(title, described, y + _END + 2, [_stream(edge), *parts])


def _stream(edge: Sequence[tuple[float, float]]) -> str:
    """The stream, from its right edge, downwards."""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in [(0, 0), (edge[0][0], 0), *edge, (0, edge[-1][1])])
    return f'<polygon class="done" points="{points}"/>'


def _branch(right: float, left: float, y: float, top: float, bottom: float) -> str:
    """What turns from the stream, where it is between ``left`` and ``right``, to the right between two heights."""
    outer = f"M{right:.1f},{y:.1f} Q{right:.1f},{top:.1f} {_TURN:.1f},{top:.1f}"
    inner = f"L{_TURN:.1f},{bottom:.1f} Q{left:.1f},{bottom:.1f} {left:.1f},{y:.1f}Z"
    return f'<path class="refused leaves" d="{outer} {inner}"/>'


def _words(name: str, note: str, x: float, y: float) -> list[str]:
    room = max(int((WIDTH - x) / LETTER), 1)
    shown = name if len(name) <= room else f"{name[: room - 1]}…"
    return [label(x, y - 3, shown, "label"), label(x, y + 13, note[: room + 4], "note")]
