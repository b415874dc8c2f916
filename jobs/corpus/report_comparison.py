"""Puts the figures of two corpora side by side, for the page of the first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curation.release.ledger import Ledger
from curation.reports.corpus_report import Figures
from jobs.pages.pairs import Pair, pairs

SHOWN, DRAWN = 20, 10
"""The most rows of a table, and of its plot: those with the largest shares."""


@dataclass(frozen=True)
class Panel:
    """A plot with bars for both corpora, and its table: names with counts and shares of A and B, and the difference."""

    title: str
    what: str
    plot: str
    rows: Sequence[tuple[str, Sequence[str]]]


def comparison(figures: Figures, other: Figures) -> list[Panel]:
    """The panels that have rows: documents by reason, and kept documents by source, language and host."""
    sides = (figures, other)
    panels = [
        _panel("Documents by reason", "reason", [_by_reason(each) for each in sides], [_read(each) for each in sides]),
        _panel("Kept documents by source", "source", [_kept(each.ledger) for each in sides], list(map(_total, sides))),
        _panel(
            "Kept documents by language", "language", [each.languages.kept for each in sides], list(map(_total, sides))
        ),
        _panel("Kept documents by host", "host", [each.hosts.kept for each in sides], list(map(_total, sides))),
    ]
    return [panel for panel in panels if panel.rows]


def _panel(title: str, what: str, counts: Sequence[Mapping[str, int]], totals: Sequence[int]) -> Panel:
    mine, theirs = counts

    def largest(name: str) -> float:
        return max(_share(mine.get(name, 0), totals[0]), _share(theirs.get(name, 0), totals[1]))

    names = sorted({*mine, *theirs}, key=lambda name: (-largest(name), name))[:SHOWN]
    rows, drawn = [], []
    for name in names:
        shares = _share(mine.get(name, 0), totals[0]), _share(theirs.get(name, 0), totals[1])
        less = round(100 * (shares[1] - shares[0]), 1) + 0.0  # -0.0 becomes 0.0
        cells = (f"{mine.get(name, 0):,}", f"{shares[0]:.1%}", f"{theirs.get(name, 0):,}", f"{shares[1]:.1%}")
        rows.append((name, (*cells, f"{less:+.1f}")))
        drawn.append(Pair(name, shares))
    return Panel(title, what, pairs(title, drawn[:DRAWN]), rows)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _by_reason(figures: Figures) -> Mapping[str, int]:
    kept = {"kept": _total(figures)}
    return kept | {f"{stage}: {reason}": amount[0] for (stage, reason), amount in figures.removed.items()}


def _read(figures: Figures) -> int:
    return figures.ledger.total("read")[0]


def _total(figures: Figures) -> int:
    return figures.ledger.total("kept")[0]


def _kept(ledger: Ledger) -> Mapping[str, int]:
    return {source: amount[0] for source, amount in ledger.kept.items()}
