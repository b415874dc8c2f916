"""The dataset card: Markdown for readers, below the metadata that Hugging Face reads."""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.lengths import RULE
from annotation.dataset import markdown
from annotation.dataset.averages import averages
from annotation.dataset.ledger import BatchCounts, DatasetLedger
from annotation.dataset.manifest import batches_of
from annotation.dataset.page import page
from annotation.dataset.verdicts import by_degree, by_safety
from annotation.dataset.wordings import by_wording
from annotation.judgments.snapshot import Snapshot
from annotation.quality.agreement import Estimate
from annotation.quality.groups import Agreement, agreements, model_pairs


def card(snapshots: Sequence[Snapshot], splits: Mapping[str, pa.Table], ledger: DatasetLedger) -> str:
    """The text of README.md."""
    rows = pa.concat_tables(splits.values())
    reasons = sorted(ledger.total().unresolved)
    return page(
        "dataset/card.md.j2",
        title=f"Comparisons: {', '.join(snapshot.name for snapshot in snapshots)}",
        splits={name: len(table) for name, table in splits.items()},
        total=ledger.total(),
        annotators=_annotators(rows),
        batches=_batches(snapshots, splits),
        RULE=RULE,
        wordings=by_wording(snapshots),
        snapshots=snapshots,
        degrees=by_degree(rows),
        safety=by_safety(rows, "not asked"),
        models=_models(rows),
        agreement=_agreement(snapshots),
        reasons=[reason.replace("_", " ") for reason in reasons],
        ledger=_ledger(ledger, reasons),
        refused=_list_refused(ledger),
    )


def _annotators(rows: pa.Table) -> int:
    return len(pc.unique(pc.list_flatten(rows["votes"]).combine_chunks().field("annotator"))) if len(rows) else 0


def _batches(snapshots: Sequence[Snapshot], splits: Mapping[str, pa.Table]) -> list[markdown.Cells]:
    asked = {(each.name, batch): entries for each in snapshots for batch, entries in batches_of(each).items()}
    return [
        (
            each.campaign,
            each.batch,
            ", ".join(sorted({f"{e.protocol} {e.protocol_version}" for e in asked[each.campaign, each.batch]})),
            ", ".join(str(votes) for votes in sorted({e.votes for e in asked[each.campaign, each.batch]})),
            f"{each.comparisons:,}",
            *(f"{value:,.1f}" for value in (each.turns, each.example_tokens, each.prompt_tokens, each.response_tokens)),
        )
        for each in averages(list(splits.values()))
    ]


def _models(rows: pa.Table) -> list[markdown.Cells]:
    both = markdown.counts(model_pairs(rows["chosen_model"], rows["rejected_model"]))
    first = pc.less_equal(rows["chosen_model"], rows["rejected_model"])
    kept = rows.select(["chosen_model", "rejected_model"]).filter(first)
    won = markdown.counts(model_pairs(kept["chosen_model"], kept["rejected_model"]))
    body: list[markdown.Cells] = []
    for name, count in sorted(both.items(), key=lambda entry: str(entry[0])):
        one, _, other = str(name).partition(" / ")
        body.append(
            (
                str(name),
                *markdown.with_share(count, len(rows)),
                "-" if one == other else f"{won.get(name, 0) / count:.1%}",
            )
        )
    return body


def _agreement(snapshots: Iterable[Snapshot]) -> list[markdown.Cells]:
    body: list[markdown.Cells] = []
    for snapshot in snapshots:
        found = agreements(snapshot)
        body.append((snapshot.name, "all", *_agreement_cells(found.overall)))
        if len(found.by_batch) > 1:
            body += [(snapshot.name, name, *_agreement_cells(each)) for name, each in found.by_batch.items()]
    return body


def _agreement_cells(agreement: Agreement) -> markdown.Cells:
    estimates = (agreement.preferred, agreement.vote, agreement.alpha, agreement.safety)
    return (f"{agreement.pairs:,}", *(_estimate(each) for each in estimates))


def _estimate(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    if estimate.low is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _ledger(ledger: DatasetLedger, reasons: Sequence[str]) -> list[markdown.Cells]:
    def cells(counts: BatchCounts) -> markdown.Cells:
        values = (counts.pairs, counts.train, counts.held_out, *(counts.unresolved[reason] for reason in reasons))
        return [f"{value:,}" for value in (*values, counts.gold_pairs, counts.judgments)]

    return [*((*key, *cells(counts)) for key, counts in ledger.batches.items()), ("all", "", *cells(ledger.total()))]


def _list_refused(ledger: DatasetLedger) -> list[str]:
    """For each campaign with annotations in quarantine: its name, and the number of annotations for each reason."""
    return [
        f"{markdown.cell(name)}: "
        + ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in counts.items())
        for name, counts in ledger.refused.items()
        if counts
    ]
