"""Pairs of shares as SVG: two bars for each name, all on one scale that begins at 0."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.pages.shapes import LETTER, WIDTH, figure, label

_ROW, _BAR = 44.0, 8.0


@dataclass(frozen=True)
class Pair:
    """A name with two shares, from 0 to 1."""

    name: str
    shares: tuple[float, float]


def pairs(title: str, rows: Sequence[Pair]) -> str:
    """Two bars for each row, the second below the first, in other colours."""
    longest = max((max(row.shares) for row in rows), default=0.0) or 1.0
    parts = []
    for number, row in enumerate(rows):
        top, note = number * _ROW, _note(row)
        room = int(WIDTH / LETTER) - len(note) - 3
        name = row.name if len(row.name) <= room else f"{row.name[: room - 1]}…"
        parts += [label(2, top + 14, name, "label"), label(WIDTH, top + 14, note, "note end")]
        for place, (kind, share) in enumerate(zip(("done", "skipped"), row.shares, strict=True)):
            if share:
                size = f'width="{max(share / longest * WIDTH, 1):.1f}" height="{_BAR}"'
                parts.append(f'<rect class="{kind}" x="0" y="{top + 20 + place * (_BAR + 1):.1f}" {size} rx="1.5"/>')
    return figure(title, "; ".join(f"{row.name}: {_note(row)}" for row in rows), _ROW * len(rows), parts)


def _note(row: Pair) -> str:
    return f"{row.shares[0]:.1%} / {row.shares[1]:.1%}"
