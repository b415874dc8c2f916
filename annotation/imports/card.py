"""The card of an imported set: its origin, the rule for chosen answers, and what was left out."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from annotation.campaign.lengths import RULE
from annotation.dataset import markdown
from annotation.dataset.averages import averages
from annotation.dataset.page import page
from annotation.dataset.verdicts import by_degree, by_safety
from annotation.imports.ledger import FileCounts, ImportLedger
from annotation.imports.outcomes import REASONS
from annotation.imports.sets import OpenSet


def card(
    source: str, known: OpenSet, splits: Mapping[str, pa.Table], ledger: ImportLedger, contradictions: int = 0
) -> str:
    """The text of README.md. ``contradictions``: the number of pairs of answers with opposite verdicts."""
    rows = pa.concat_tables(splits.values())
    reasons = sorted(ledger.total().rejects)
    return page(
        "imports/card.md.j2",
        title=f"Comparisons: {source}",
        splits={name: len(table) for name, table in splits.items()},
        total=ledger.total(),
        set=known,
        batches=_batches(splits),
        RULE=RULE,
        degrees=by_degree(rows, "not told"),
        safety=by_safety(rows, "not told"),
        opposite=describe_contradictions(contradictions),
        reasons={reason.replace("_", " "): REASONS[reason] for reason in reasons},
        ledger=_ledger(ledger, reasons),
    )


def describe_contradictions(contradictions: int) -> str:
    """A sentence on the number of pairs with opposite verdicts; empty for 0."""
    if not contradictions:
        return ""
    pairs = "1 pair of answers has" if contradictions == 1 else f"{contradictions:,} pairs of answers have"
    return f"{pairs} opposite verdicts: comparisons that prefer either answer. All of these comparisons are kept."


def _batches(splits: Mapping[str, pa.Table]) -> list[markdown.Cells]:
    return [
        (
            each.batch,
            f"{each.comparisons:,}",
            *(f"{value:,.1f}" for value in (each.turns, each.example_tokens, each.prompt_tokens, each.response_tokens)),
        )
        for each in averages(list(splits.values()))
    ]


def _ledger(ledger: ImportLedger, reasons: Sequence[str]) -> list[markdown.Cells]:
    def cells(counts: FileCounts) -> markdown.Cells:
        values = (counts.rows, counts.pairs, counts.train, counts.held_out, *(counts.rejects[each] for each in reasons))
        return [f"{value:,}" for value in values]

    return [*((name, *cells(counts)) for name, counts in ledger.files.items()), ("all", *cells(ledger.total()))]
