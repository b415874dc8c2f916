"""Draws documents of a finished folder for people to read: removals of each kind, cut pieces, and a sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.kernels.listed_terms import hashes
from curation.recipe import changes_texts, stage_of
from curation.release.lookup import Lookup
from curation.reports.drawn import Drawn, Draws, batches_of, read_drawn
from curation.reports.explain import explain
from curation.reports.passages import Part, Spans, beginning, differing, excerpt, passages, unmarked, url_spans
from curation.reports.rejudging import rules_in_order
from curation.routing import Key
from schemas import CUTS, DOCUMENTS, REJECTS

EXAMPLES = 3
"""The examples of each reason for which documents were removed."""
SAMPLE = 200
"""The documents to search: this many, half of them kept if there are enough of both."""
READ = 20_000
"""The characters of a text in which passages are sought."""
SHORT = 700
"""The characters of a text in the sample."""
LONGEST_LINE = 300
"""The characters of a line of an explanation."""
CUT_PIECES = 6
AROUND = 200
"""The bytes of a text that are shown before and after a piece that was cut."""


@dataclass(frozen=True)
class Example:
    """A removed document: what `explain` says, its url and its text with what the rule counts, and for a duplicate the
    text of the document that it matched, if it is kept here. ``unmarked`` says why nothing is marked."""

    document: Mapping[str, Any]
    lines: Sequence[str]
    url: Sequence[Part]
    text: Sequence[Part]
    other: Sequence[Part] = ()
    unmarked: str | None = None


@dataclass(frozen=True)
class Cut:
    """A piece that was cut out of a document, and the document of its first copy."""

    document: str
    first: str
    start: int
    end: int
    text: Sequence[Part]


@dataclass(frozen=True)
class Sampled:
    """A document of the sample, with the reason for which it was removed, if it was."""

    document: Mapping[str, Any]
    reason: str | None
    text: Sequence[Part]


@dataclass(frozen=True)
class Drawing:
    """Which removed documents are drawn: the ``examples`` of each stage and reason, and those to search."""

    examples: Mapping[Key, Sequence[Drawn]]
    kept: Sequence[Drawn]
    removed: Sequence[Drawn]


def draw(lookup: Lookup) -> Drawing:
    """Draws documents by a hash of their ids."""
    examples, removed, kept = Draws[Key](EXAMPLES), Draws[None](SAMPLE), Draws[None](SAMPLE)
    for shard, start, batch in batches_of(lookup.folder, lookup.manifest, REJECTS.name, ["doc_id", "stage", "reason"]):
        ranks = hashes(batch["doc_id"])
        removed.add(None, shard, np.arange(start, start + len(batch)), ranks)
        pairs = pa.Table.from_batches([batch.select(["stage", "reason"])]).group_by(["stage", "reason"])
        for stage, reason in (tuple(each.values()) for each in pairs.aggregate([]).to_pylist()):
            own = pc.and_(pc.equal(batch["stage"], stage), pc.equal(batch["reason"], reason))
            rows = np.flatnonzero(own.to_numpy(zero_copy_only=False))
            examples.add((stage, reason), shard, rows + start, ranks[rows])
    for shard, start, batch in batches_of(lookup.folder, lookup.manifest, DOCUMENTS.name, ["doc_id"]):
        kept.add(None, shard, np.arange(start, start + len(batch)), hashes(batch["doc_id"]))
    some, others = kept.drawn().get(None, ()), removed.drawn().get(None, ())
    half = SAMPLE // 2
    return Drawing(examples.drawn(), some[: max(half, SAMPLE - len(others))], others[: max(half, SAMPLE - len(some))])


def examples(lookup: Lookup, drawing: Drawing, reasons: Sequence[Key]) -> Mapping[Key, Sequence[Example]]:
    """The examples of some reasons."""
    drawn = [each for reason in reasons for each in drawing.examples.get(reason, ())]
    rows = read_drawn(lookup.folder, drawn, REJECTS.columns.names, READ)
    return {
        reason: [_example(lookup, rows[each]) for each in drawing.examples[reason]]
        for reason in reasons
        if reason in drawing.examples
    }


def _example(lookup: Lookup, row: Mapping[str, Any]) -> Example:
    lines = [line.strip()[:LONGEST_LINE] for line in explain(lookup, {**row, "text": None}, diff=False)]
    if more := [each["reason"] for each in row["failed"][1:]]:
        lines = [*lines[:2], f"It also fails: {', '.join(more)}."[:LONGEST_LINE]]
    text, url = row["text"] or "", row["url"] or ""
    if row["survivor"] is None:
        signal = _signal(lookup, row)
        in_url = url_spans(signal or row["stage"], url)
        in_text = [] if in_url or not signal else _counted(lookup, row, signal, text)
        why = None if in_url or in_text or not text else unmarked(signal)
        return Example(row, lines, _url(url, in_url), excerpt(text, in_text), unmarked=why)
    plain, other = _url(url, url_spans(row["stage"], url)), None
    if row["stage"] != "exact" and row["matched_release"] is None and text:
        other = lookup.text(row["matched_file"], row["matched_offset"])
    if other is None:
        return Example(row, lines, plain, beginning(text))
    own, theirs = differing(text, other[:READ])
    return Example(row, lines, plain, excerpt(text, own), excerpt(other[:READ], theirs))


def _url(url: str, spans: Spans) -> Sequence[Part]:
    return excerpt(url, spans, LONGEST_LINE)


def _signal(lookup: Lookup, row: Mapping[str, Any]) -> str | None:
    """The signal of the first failed rule; None if the reason is no rule of the recipe."""
    signals = {(stage, rule.reason): rule.signal for stage, rule in rules_in_order(lookup.recipe)}
    return signals.get((row["stage"], row["reason"]))


def _counted(lookup: Lookup, row: Mapping[str, Any], signal: str, text: str) -> Spans:
    """The passages that the first failed rule, which is on the signal, counts, if they are known."""
    if signal.startswith("contaminated_"):
        return _contaminated(lookup, row, text)
    return passages(signal, text)


def _contaminated(lookup: Lookup, row: Mapping[str, Any], text: str) -> Spans:
    """The longest span that a text shares with a sample; none if steps before changed the text."""
    steps = lookup.recipe.steps
    place = next(number for number, step in enumerate(steps) if stage_of(step) == row["stage"])
    if any(map(changes_texts, steps[:place])) or "contaminated_start" not in lookup.recipe.written_signals.names:
        return []
    signals = lookup.at("signals", row["file"], row["offset"]) or {}
    data, ends = text.encode(), (signals.get("contaminated_start"), signals.get("contaminated_end"))
    start, end = (len(data[:byte].decode(errors="ignore")) for byte in ends)
    return [(start, end)] if start < end else []


def cuts(lookup: Lookup) -> list[Cut]:
    """Some of the pieces that were cut out of documents, each in its text."""
    drawn = Draws[None](CUT_PIECES)
    for shard, start, batch in batches_of(lookup.folder, lookup.manifest, CUTS.name, ["doc_id"]):
        drawn.add(None, shard, np.arange(start, start + len(batch)), hashes(batch["doc_id"]))
    chosen = drawn.drawn().get(None, ())
    rows = read_drawn(lookup.folder, chosen, CUTS.columns.names, READ)
    return [_cut(lookup, rows[each]) for each in chosen]


def _cut(lookup: Lookup, row: Mapping[str, Any]) -> Cut:
    whole = (lookup.text(row["file"], row["offset"]) or "").encode()
    before = whole[max(0, row["start"] - AROUND) : row["start"]].decode(errors="ignore")
    after = whole[row["end"] : row["end"] + AROUND].decode(errors="ignore")
    text = beginning(row["text"])
    parts = [Part(before), *(Part(part.text, True) for part in text), Part(after)]
    return Cut(row["doc_id"], row["first_doc_id"], row["start"], row["end"], [part for part in parts if part.text])


def sample(lookup: Lookup, drawing: Drawing) -> list[Sampled]:
    """The documents to search, in an order by the hash of their ids, as they were drawn."""
    columns = ("doc_id", "url", "source", "language", "file", "offset", "text", "stage", "reason")
    drawn = sorted([*drawing.kept, *drawing.removed])
    rows = read_drawn(lookup.folder, drawn, columns, SHORT + 1)
    found = []
    for row in map(rows.__getitem__, drawn):
        reason = f"{row['stage']}: {row['reason']}" if "stage" in row else None
        found.append(Sampled(row, reason, beginning(row["text"] or "", SHORT)))
    return found
