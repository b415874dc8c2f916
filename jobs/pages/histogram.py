"""A histogram as SVG, with the threshold of a rule: values that fail it have another colour."""

import math
from collections.abc import Sequence

from jobs.pages.plots import ticks
from jobs.pages.shapes import LETTER, WIDTH, figure, label, line

_TOP, _BOTTOM, _EDGE = 24.0, 118.0, 6.0


def histogram(
    title: str,
    edges: Sequence[float],
    counts: Sequence[int],
    fails: Sequence[bool],
    mark: tuple[float, str],
    logarithmic: bool,
) -> str:
    """Counts between edges (ascending, one more than counts), and the value and the name of the threshold, which is an
    edge. ``logarithmic``: the axis shows log(1 + value)."""

    def x(value: float) -> float:
        low, high, at = (math.log1p(max(each, 0.0)) if logarithmic else each for each in (edges[0], edges[-1], value))
        return _EDGE + (at - low) / ((high - low) or 1.0) * (WIDTH - 2 * _EDGE)

    highest = max(counts, default=0) or 1
    parts = [line(_EDGE, _BOTTOM, WIDTH - _EDGE, _BOTTOM, "grid")]
    for number, count in enumerate(counts):
        if count:
            left, height = x(edges[number]), max(count / highest * (_BOTTOM - _TOP), 1.5)
            width = max(x(edges[number + 1]) - left - 1, 0.5)
            size = f'width="{width:.1f}" height="{height:.1f}"'
            kind = "refused" if fails[number] else "done"
            parts.append(f'<rect class="{kind}" x="{left:.1f}" y="{_BOTTOM - height:.1f}" {size}/>')
    parts += [label(x(tick), _BOTTOM + 16, _short(tick), "tick middle") for tick in _ticks(edges, logarithmic)]
    place = x(mark[0])
    parts.append(line(place, _TOP - 8, place, _BOTTOM, "mark"))
    turned = place + len(mark[1]) * LETTER > WIDTH
    parts.append(label(place + (-4 if turned else 4), _TOP - 9, mark[1], "tick end" if turned else "tick"))
    failing = sum(count for count, fail in zip(counts, fails, strict=True) if fail)
    described = f"{sum(counts):,} documents from {_short(edges[0])} to {_short(edges[-1])}; {failing:,} fail {mark[1]}"
    return figure(title, described, _BOTTOM + 26, parts)


def _ticks(edges: Sequence[float], logarithmic: bool) -> list[float]:
    """Round values on the axis, far enough apart for their names."""
    if not logarithmic:
        whole = all(edge == int(edge) for edge in edges)
        return [tick for tick in ticks(edges[0], edges[-1], 5) if not whole or tick == int(tick)]
    powers = [float(10**power) for power in range(16) if edges[0] <= 10**power <= edges[-1]]
    return powers[:: max(1, math.ceil(len(powers) / 6))]


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
