"""Plots as SVG: what is drawn is as large as the numbers say, and no name can leave its text."""

import re

from hypothesis import given
from hypothesis import strategies as st

from jobs.pages.flow import STREAM, Leaving, flow
from jobs.pages.histogram import histogram
from jobs.pages.pairs import Pair, pairs

EVIL = '"><script>alert(1)</script>\u202e'


@given(st.lists(st.integers(0, 1_000), max_size=6), st.integers(0, 1_000))
def test_the_stream_is_as_wide_as_what_is_left(leaving: list[int], kept: int) -> None:
    read = sum(leaving) + kept
    drawn = flow("flow", ("read", read, ""), [Leaving("rule", each, "") for each in leaving], ("kept", kept, ""))
    [points] = re.findall(r'<polygon class="done" points="([^"]*)"', drawn)
    widths = [float(point.partition(",")[0]) for point in points.split()]
    left = [read - sum(leaving[:number]) for number in range(len(leaving) + 1)]
    shown = [width for width in widths if width]
    expected = [round(each / (read or 1) * STREAM, 1) for each in left]
    assert sorted({*shown, 0.0}) == sorted({*expected, 0.0})
    assert drawn.count("<path") == sum(each > 0 for each in leaving)


def test_a_histogram_has_a_bar_for_each_bin_with_values() -> None:
    drawn = histogram("words", [0.0, 1.0, 2.0, 3.0], [4, 0, 2], [True, False, False], (1.0, "at least 1"), False)
    bars = re.findall(r'<rect class="(\w+)" x="([\d.]+)" y="[\d.]+" width="[\d.]+" height="([\d.]+)"', drawn)
    assert [kind for kind, _, _ in bars] == ["refused", "done"]
    assert float(bars[0][2]) == 2 * float(bars[1][2])
    [mark] = re.findall(r'<line class="mark" x1="([\d.]+)"', drawn)
    assert float(bars[0][1]) < float(mark) < float(bars[1][1])
    assert "6 documents from 0 to 3; 4 fail at least 1" in drawn


def test_pairs_share_one_scale() -> None:
    drawn = pairs("shares", [Pair("mill", (0.5, 0.25)), Pair("river", (0.0, 0.1))])
    widths = [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', drawn)]
    assert widths == [360.0, 180.0, 72.0]
    assert "mill: 50.0% / 25.0%; river: 0.0% / 10.0%" in drawn


def test_names_are_only_text() -> None:
    for drawn in (
        flow(EVIL, (EVIL, 2, EVIL), [Leaving(EVIL, 1, EVIL)], (EVIL, 1, EVIL)),
        histogram(EVIL, [0.0, 1.0], [1], [False], (0.0, EVIL), False),
        pairs(EVIL, [Pair(EVIL, (0.5, 0.5))]),
    ):
        assert "<script" not in drawn
        assert "\u202e" not in drawn
        assert "\\u202e" in drawn
