"""Whether the pairs that people voted on are a random part of the pairs that a judge judged."""

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.drops import DROPPED
from annotation.evaluation.votes import items
from annotation.journal.fold import Record
from annotation.judgments.snapshot import Snapshot

UNFAIR = ("empty", "names_its_model", "identical", "repeated", "unusable_row")
"""What a campaign may leave out of a file that a judge judges, as `annotation.campaign.drops` names it."""


@dataclass(frozen=True)
class Drawn:
    """Pairs that were drawn at random from files of responses with the SHA-256 in ``files``.

    ``by_prompt``: whether each pair of the files was as likely as any other, since prompts were drawn with all of their
    pairs; if not, some pairs of each prompt were drawn. ``flaw`` says why the drawn pairs are not a random part of all.
    """

    files: frozenset[str] = frozenset()
    by_prompt: bool = False
    flaw: str | None = None


@dataclass(frozen=True)
class Sampling:
    """How the pairs with votes were drawn.

    Annotators get their tasks in a random order, so the pairs with votes are a random part of the campaign's pairs if
    all tasks were answered in their order. ``flaw`` says why they are not; None if they are. ``items`` are those of all
    pairs of the campaign. ``drawn``: how these were drawn from files of responses.
    """

    items: frozenset[str]
    flaw: str | None
    drawn: Drawn = Drawn()

    def flaw_among(self, judged: pa.Table, files: frozenset[str]) -> str | None:
        """Why the pairs with votes are not a random part of judged pairs (columns item and prompt_id); None if they
        are. ``files``: the SHA-256 of the files of responses that were judged."""
        if self.flaw is not None:
            return self.flaw
        outside = sum(item not in self.items for item in judged["item"].to_pylist())
        if not outside:
            return None
        if not (files and files <= self.drawn.files):
            return (
                f"{outside:,} judged pairs are not in the campaign, which did not draw its pairs at random from the "
                "judged files"
            )
        if self.drawn.flaw is not None:
            return self.drawn.flaw
        counts = Counter(judged["prompt_id"].to_pylist())
        if not self.drawn.by_prompt and len(set(counts.values())) > 1:
            return "prompts have different numbers of pairs, so some pairs were more likely to be drawn than others"
        return None


def sampling_of(record: Record, snapshot: Snapshot) -> Sampling:
    """How the pairs with votes were drawn in a campaign; ``record`` has the snapshot's revision."""
    pairs = snapshot.pairs.filter(pc.is_null(snapshot.pairs["gold"]))
    known = frozenset(items(pairs).drop_null().to_pylist())
    return Sampling(known, _flaw(record, snapshot), _drawn(record))


def _drawn(record: Record) -> Drawn:
    """How all batches drew pairs at random; no file if a batch did not."""
    asked = [batch.asked for batch in record.batches.values()]
    if any(each.pairs.policy != "random" and each.pairs.prompts is None for each in asked):
        return Drawn()
    files = frozenset(each.responses for each in asked)
    by_prompt = all(each.pairs.policy != "random" for each in asked)
    flaw = None
    if len(files) > 1 and any(each.pairs.prompts is not None for each in asked):
        flaw = "batches drew prompts from different files, some of which may be better represented than others"
    for name, batch in record.batches.items():
        left = [f"{DROPPED[reason]} ({batch.dropped[reason]:,})" for reason in UNFAIR if batch.dropped.get(reason)]
        if left:
            flaw = flaw or f"the batch {name} leaves out {', '.join(left)}"
    return Drawn(files, by_prompt, flaw)


def _flaw(record: Record, snapshot: Snapshot) -> str | None:
    state = dict(zip(snapshot.assignments["uid"].to_pylist(), snapshot.assignments["state"].to_pylist(), strict=True))
    reached: set[str] = set()
    batches: dict[str, bool] = {}
    waiting: dict[tuple[str, str], list[str]] = {}
    tasks = record.tasks.filter(pc.equal(record.tasks["round"], "vote"))
    columns = [tasks[name].to_pylist() for name in ("uid", "pair_id", "batch", "annotator")]
    early = 0
    for uid, pair, batch, annotator in zip(*columns, strict=True):
        held = state.get(uid, "withdrawn")
        if held == "withdrawn":
            continue
        batches[batch] = batches.get(batch, False) or held == "done"
        before = waiting.setdefault((batch, annotator), [])
        if held == "open":
            before.append(uid)
        else:
            early += bool(before)
            reached.add(pair)
    idle = sorted(name for name, begun in batches.items() if not begun)
    if idle:
        return f"the batch {idle[0]} has no votes, and batches are not drawn at random"
    if early:
        return f"{early:,} tasks were answered before others that came first in their random order"
    return _unvoted(reached, snapshot)


def _unvoted(reached: set[str], snapshot: Snapshot) -> str | None:
    gold = set(snapshot.pairs.filter(pc.is_valid(snapshot.pairs["gold"]))["pair_id"].to_pylist())
    left = reached - gold - set(snapshot.judgments["pair_id"].to_pylist())
    return f"{len(left):,} pairs were skipped, or their votes do not count" if left else None
