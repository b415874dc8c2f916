"""The dataset card: Markdown for a reader, with the head that Hugging Face reads."""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.lengths import RULE
from annotation.dataset import markdown
from annotation.dataset.averages import averages
from annotation.dataset.ledger import Counts, Ledger
from annotation.dataset.manifest import batches_of
from annotation.judgments.snapshot import Snapshot
from annotation.quality.agreement import Estimate
from annotation.quality.groups import Agreement, agreements, model_pairs
from schemas import DEGREES

BINS = {
    "chosen_safe": "chosen safe, rejected unsafe",
    "both_safe": "both safe",
    "both_unsafe": "both unsafe",
    None: "not asked",
}


def card(snapshots: Sequence[Snapshot], splits: Mapping[str, pa.Table], ledger: Ledger) -> str:
    """The whole text of README.md."""
    names = [snapshot.name for snapshot in snapshots]
    rows = pa.concat_tables(splits.values())
    parts = [
        markdown.head(f"Comparisons: {', '.join(names)}", splits),
        f"# {markdown.cell('Comparisons: ' + ', '.join(names))}",
        markdown.prose(_summary(rows, splits, ledger)),
        "## Load",
        markdown.LOADING,
        "## Columns",
        _COLUMNS,
        "## Batches",
        _batches(snapshots, splits),
        markdown.prose(_ABOUT_BATCHES),
        "## Verdicts",
        markdown.prose(_policies(snapshots)),
        _verdicts(rows),
        "## Models",
        _models(rows),
        "## Agreement",
        _agreement(snapshots),
        markdown.prose(_ABOUT_AGREEMENT),
        "## Ledger",
        _ledger(ledger),
        markdown.prose(_ABOUT_LEDGER),
    ]
    return "\n\n".join(parts) + "\n"


_ABOUT_BATCHES = f"""
Averages over comparisons. {RULE} Turns are the user's; an example is the whole dialogue with one response; the prompt
is the user's last turn; a response is either of the two.
"""
_ABOUT_AGREEMENT = """
Of the votes on pairs that are not gold, adjudication apart, with 95% intervals. Side: Gwet's AC1 on which response is
better. Vote: Gwet's AC2 with ordinal weights on the eight points from first to second. Alpha: Krippendorff's, ordinal,
on the same points. Safety: Gwet's AC1 on safe or unsafe, each response a unit.
"""
_ABOUT_LEDGER = """
Every pair is in one split or unresolved; gold pairs test annotators and are in neither. Too few votes, tied, no
majority: the votes do not decide. Unsafe chosen: they chose a response that they call unsafe over a safe one. Near held
out: a training pair whose prompt is close to a held-out one. Near both sides: its prompt is close to prompts of either
split.
"""
_COLUMNS = """\
- `comparison_id`: the campaign and the pair; `prompt_id`: the prompt's name in the campaign's file.
- `prompt`: the dialogue up to the responses, as role and content; `chosen`, `rejected`: the responses, as texts.
- `degree`: how much better the chosen one is; `margin_small`, `margin_large`: the same as numbers (Llama 2, table 27),
  from `significantly_better` to `negligibly_better` 1, 2/3, 1/3, 0 and 3, 2, 1, 0.
- `weight`: how much the row counts in a loss, beside others; 1 for what annotators decided.
- `chosen_safe`, `rejected_safe`, `safety_bin`, `chosen_risks`, `rejected_risks`: null and empty where nobody was asked.
- `votes`: every vote, with the annotator's pseudonym; `votes_for`, `votes_against`: those that decided, which are an
  adjudicator's alone where `adjudicated` is true.
- `chosen_model`, `rejected_model` and their temperatures; `source` (the campaign), `batch`,
  `protocol`, `protocol_version`.
- `prompt_family`: near-duplicates (at least four of five words shared, and chains of such) and dialogues that go on
  where another one ends have the same one; `split`: `train` or `held_out`, by family."""


def _summary(rows: pa.Table, splits: Mapping[str, pa.Table], ledger: Ledger) -> str:
    annotators = len(pc.unique(pc.list_flatten(rows["votes"]).combine_chunks().field("annotator"))) if len(rows) else 0
    total = ledger.total()
    by = markdown.count(annotators, "annotator")
    return (
        f"{markdown.count(total.comparisons, 'comparison')} of two responses to a prompt, by {by}: "
        f"{len(splits['train']):,} to train on and {len(splits['held_out']):,} held out. No prompt of one split is the "
        "same as, a near-duplicate of, or the beginning of a prompt of the other. "
        f"Unresolved pairs: {total.unresolved.total():,} of {total.pairs:,} (`unresolved.parquet`)."
    )


def _batches(snapshots: Sequence[Snapshot], splits: Mapping[str, pa.Table]) -> str:
    asked = {(each.name, batch): entries for each in snapshots for batch, entries in batches_of(each).items()}
    head = ["campaign", "batch", "protocol", "votes", "comparisons", "turns per dialogue"]
    head += ["tokens per example", "tokens in prompt", "tokens in response"]
    body = [
        (
            each.campaign,
            each.batch,
            ", ".join(sorted({f"{e['protocol']} {e['protocol_version']}" for e in asked[each.campaign, each.batch]})),
            ", ".join(str(votes) for votes in sorted({e["votes"] for e in asked[each.campaign, each.batch]})),
            f"{each.comparisons:,}",
            *(f"{value:,.1f}" for value in (each.turns, each.example_tokens, each.prompt_tokens, each.response_tokens)),
        )
        for each in averages(list(splits.values()))
    ]
    return markdown.table(head, body, words=3)


def _policies(snapshots: Iterable[Snapshot]) -> str:
    told = []
    for each in snapshots:
        least = each.policy.min_votes
        votes = "all votes asked for" if least is None else f"{markdown.count(least, 'vote')} or more"
        told.append(f"{markdown.cell(each.name)}: {each.policy.use} of {votes}.")
    return " ".join(told)


def _verdicts(rows: pa.Table) -> str:
    degrees = markdown.counts(rows["degree"])
    body = [(name.replace("_", " "), *markdown.shared(degrees.get(name, 0), len(rows))) for name in DEGREES]
    bins = markdown.counts(rows["safety_bin"])
    safety = [(title, *markdown.shared(bins[name], len(rows))) for name, title in BINS.items() if name in bins]
    return "\n\n".join(
        [
            markdown.table(("the chosen response is", "comparisons", "share"), body, words=1),
            markdown.table(("safety", "comparisons", "share"), safety, words=1),
        ]
    )


def _models(rows: pa.Table) -> str:
    both = markdown.counts(model_pairs(rows["chosen_model"], rows["rejected_model"]))
    first = pc.less_equal(rows["chosen_model"], rows["rejected_model"])
    kept = rows.select(["chosen_model", "rejected_model"]).filter(first)
    won = markdown.counts(model_pairs(kept["chosen_model"], kept["rejected_model"]))
    body = []
    for name, count in sorted(both.items(), key=lambda entry: str(entry[0])):
        one, _, other = str(name).partition(" / ")
        body.append(
            (str(name), *markdown.shared(count, len(rows)), "-" if one == other else f"{won.get(name, 0) / count:.1%}")
        )
    return markdown.table(("models", "comparisons", "share", "first one chosen"), body, words=1)


def _agreement(snapshots: Iterable[Snapshot]) -> str:
    body: list[markdown.Cells] = []
    for snapshot in snapshots:
        found = agreements(snapshot)
        body.append((snapshot.name, "all", *_agreed(found.overall)))
        if len(found.by_batch) > 1:
            body += [(snapshot.name, name, *_agreed(each)) for name, each in found.by_batch.items()]
    return markdown.table(("campaign", "batch", "pairs", "side", "vote", "alpha", "safety"), body, words=2)


def _agreed(agreement: Agreement) -> markdown.Cells:
    estimates = (agreement.side, agreement.vote, agreement.alpha, agreement.safety)
    return (f"{agreement.pairs:,}", *(_estimate(each) for each in estimates))


def _estimate(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    if estimate.low is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def _ledger(ledger: Ledger) -> str:
    reasons = sorted(ledger.total().unresolved)
    head = ("campaign", "batch", "pairs", "train", "held out", *(reason.replace("_", " ") for reason in reasons))
    head = (*head, "gold pairs", "judgments")

    def cells(counts: Counts) -> markdown.Cells:
        values = (counts.pairs, counts.train, counts.held_out, *(counts.unresolved[reason] for reason in reasons))
        return [f"{value:,}" for value in (*values, counts.gold_pairs, counts.judgments)]

    body: list[markdown.Cells] = [(*key, *cells(counts)) for key, counts in ledger.batches.items()]
    body.append(("all", "", *cells(ledger.total())))
    table = markdown.table(head, body, words=2)
    refused = [
        f"{markdown.cell(name)}: "
        + ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in counts.items())
        for name, counts in ledger.refused.items()
        if counts
    ]
    return f"{table}\n\nAnnotations in quarantine: {'; '.join(refused) or 'none'}."
