"""The card of an imported set: where it is from, by which rule answers are chosen, and what was left out."""

from collections.abc import Mapping

import pyarrow as pa

from annotation.campaign.lengths import RULE
from annotation.dataset import markdown
from annotation.dataset.averages import averages
from annotation.imports.ledger import Counts, Ledger
from annotation.imports.outcomes import REASONS
from annotation.imports.sets import OpenSet
from schemas import DEGREES

BINS = {
    "chosen_safe": "chosen safe, rejected unsafe",
    "both_safe": "both safe",
    "both_unsafe": "both unsafe",
    None: "not told",
}

_COLUMNS = """\
- `comparison_id`: the source, the file, and the row in it (or the row's own id); then which pair of the row, where a
  row has several. `prompt_id`: a hash of the prompt.
- `prompt`: the dialogue up to the answers, as role and content; `chosen`, `rejected`: the answers, as texts.
- `degree`: how much better the chosen one is, with its margins (Llama 2, table 27); null where the set does not tell,
  as are `chosen_safe`, `rejected_safe`, `safety_bin`, `votes_for`, `votes_against` and the models.
- `weight`: how much the row counts in a loss, beside others. `votes`: empty, for no vote is known by its annotator.
- `source`, `batch` (the file, unless the set has batches of its own), `protocol` (imported) and `protocol_version`.
- `prompt_family`: near-duplicates (at least four of five words shared, and chains of such) and dialogues that go on
  where another one ends have the same one; `split`: `train` or `held_out`, by family."""

_ABOUT_BATCHES = f"""
Averages over comparisons. {RULE} Turns are the user's; an example is the whole dialogue with one answer; the prompt is
the user's last turn; a response is either of the two.
"""


def card(source: str, known: OpenSet, splits: Mapping[str, pa.Table], ledger: Ledger, contradictions: int = 0) -> str:
    """The whole text of README.md. ``contradictions``: pairs of answers that have opposite verdicts."""
    rows = pa.concat_tables(splits.values())
    parts = [
        markdown.head(f"Comparisons: {source}", splits),
        f"# {markdown.cell(f'Comparisons: {source}')}",
        markdown.prose(_summary(splits, ledger)),
        markdown.prose(f"Origin: {known.origin}. {known.rule}"),
        "## Load",
        markdown.LOADING,
        "## Columns",
        _COLUMNS,
        "## Batches",
        _batches(splits),
        markdown.prose(_ABOUT_BATCHES),
        "## Verdicts",
        _verdicts(rows),
        opposite(contradictions),
        "## Ledger",
        _ledger(ledger),
        _reasons(ledger),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def opposite(contradictions: int) -> str:
    """A sentence on how many pairs have opposite verdicts; empty if no pair has."""
    if not contradictions:
        return ""
    pairs = "1 pair of answers has" if contradictions == 1 else f"{contradictions:,} pairs of answers have"
    return f"{pairs} opposite verdicts: comparisons that prefer either answer. All of these comparisons are kept."


def _summary(splits: Mapping[str, pa.Table], ledger: Ledger) -> str:
    total = ledger.total()
    return (
        f"{markdown.count(total.comparisons, 'comparison')} of two answers to a prompt: "
        f"{len(splits['train']):,} to train on and {len(splits['held_out']):,} held out. No prompt of one split is the "
        "same as, a near-duplicate of, or the beginning of a prompt of the other. "
        f"Left out: {total.rejects.total():,} of "
        f"{markdown.count(total.pairs, 'pair')} in {markdown.count(total.rows, 'row')} (`rejects.parquet`)."
    )


def _batches(splits: Mapping[str, pa.Table]) -> str:
    head = ["batch", "comparisons", "turns per dialogue", "tokens per example", "tokens in prompt"]
    body = [
        (
            each.batch,
            f"{each.comparisons:,}",
            *(f"{value:,.1f}" for value in (each.turns, each.example_tokens, each.prompt_tokens, each.response_tokens)),
        )
        for each in averages(list(splits.values()))
    ]
    return markdown.table([*head, "tokens in response"], body, words=1)


def _verdicts(rows: pa.Table) -> str:
    degrees, bins = (markdown.counts(rows[name]) for name in ("degree", "safety_bin"))
    named = [(name, name.replace("_", " ")) for name in DEGREES] + [(None, "not told")]
    body = [(title, *markdown.shared(degrees.get(name, 0), len(rows))) for name, title in named]
    safety = [(title, *markdown.shared(bins[name], len(rows))) for name, title in BINS.items() if name in bins]
    tables = [markdown.table(("the chosen answer is", "comparisons", "share"), body, words=1)]
    return "\n\n".join([*tables, markdown.table(("safety", "comparisons", "share"), safety, words=1)])


def _ledger(ledger: Ledger) -> str:
    reasons = sorted(ledger.total().rejects)
    head = ("file", "rows", "pairs", "train", "held out", *(reason.replace("_", " ") for reason in reasons))

    def cells(counts: Counts) -> markdown.Cells:
        values = (counts.rows, counts.pairs, counts.train, counts.held_out, *(counts.rejects[each] for each in reasons))
        return [f"{value:,}" for value in values]

    body = [(name, *cells(counts)) for name, counts in ledger.files.items()]
    return markdown.table(head, [*body, ("all", *cells(ledger.total()))], words=1)


def _reasons(ledger: Ledger) -> str:
    told = [f"- {reason.replace('_', ' ')}: {REASONS[reason]}." for reason in sorted(ledger.total().rejects)]
    return "\n".join(told)
