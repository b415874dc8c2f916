"""Raw annotations into judgments: who prefers what, or why a vote does not count."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa

from annotation.journal import Journal
from annotation.protocols import PROTOCOLS, Category, Unreadable
from annotation.record import Record
from schemas import ASSIGNMENTS, JUDGMENTS, REFUSED

REASONS = {
    "unknown_task": "the task is none of this campaign's",
    "changed_task": "the task does not show what was pushed: somebody changed its data in Label Studio",
    "unknown_annotator": "nobody of this campaign has the account that it comes from",
    "not_assigned": "the task was given to somebody else",
    "edited_by_other": "somebody other than its author changed it",
    "reassigned": "the task had been given to somebody else: the vote would be one too many",
    "repeated": "the same annotator voted again on the same task: the newest vote counts",
    "withdrawn": "all votes of this annotator were withdrawn",
}
"""Why a vote is refused, beside what the protocol cannot read."""


@dataclass
class Votes:
    """The three tables that annotations become, as columns."""

    judgments: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in JUDGMENTS.columns.names})
    refused: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in REFUSED.columns.names})
    states: dict[str, str] = field(default_factory=dict)
    """uid to done, skipped, refused or withdrawn; a task without an annotation is open."""

    def refuse(self, key: str, body: bytes, raw: Mapping[str, Any], annotator: str | None, problem: Unreadable) -> None:
        row = (key, raw["uid"], annotator, problem.reason, problem.message, body)
        for column, value in zip(self.refused.values(), row, strict=True):
            column.append(value)


@dataclass(frozen=True)
class _Task:
    pair_id: str
    batch: str
    annotator: str
    round: str
    swapped: bool
    shown: bytes


def judge(journal: Journal, record: Record) -> tuple[pa.Table, pa.Table, pa.Table]:
    """ASSIGNMENTS, JUDGMENTS and REFUSED of the journal up to the record's revision, each in a fixed order."""
    columns = ("pair_id", "batch", "annotator", "round", "swapped", "shown")
    rows = zip(*(record.tasks[name].to_pylist() for name in columns), strict=True)
    tasks = {uid: _Task(*row) for uid, row in zip(record.tasks["uid"].to_pylist(), rows, strict=True)}
    protocols = dict(zip(record.pairs["pair_id"].to_pylist(), record.pairs["protocol"].to_pylist(), strict=True))
    categories = {name: _categories(batch) for name, batch in record.batches.items()}
    votes = Votes()
    by_task: dict[str, list[tuple[str, bytes, dict[str, Any]]]] = {}
    for key, body in _current(journal, record.revision).items():
        raw = orjson.loads(body)
        task = tasks.get(raw["uid"])
        problem = _misplaced(raw, task, record)
        if task is None or problem:
            votes.refuse(key, body, raw, record.annotators.get(raw["author"]), Unreadable(problem, REASONS[problem]))
            votes.states.setdefault(raw["uid"], "refused")
        else:
            by_task.setdefault(raw["uid"], []).append((key, body, raw))
    for uid, found in by_task.items():
        task = tasks[uid]
        _vote(uid, task, found, protocols[task.pair_id], categories[task.batch], record, votes)
    return _assignments(record, votes), _judgments(votes), _refused(votes)


def _categories(batch: Mapping[str, Any]) -> tuple[Category, ...]:
    return tuple(Category(name=name, title=title) for name, title in batch["categories"].items())


def _current(journal: Journal, revision: int) -> dict[str, bytes]:
    """The annotations that were there at a revision: key to body."""
    found: dict[str, bytes] = {}
    for kind, key, body in journal.rows("annotation", "deleted", as_of=revision):
        if kind == "annotation":
            found[key] = body
        else:
            found.pop(key, None)
    return found


def _misplaced(raw: Mapping[str, Any], task: _Task | None, record: Record) -> str:
    """Why an annotation cannot be its annotator's vote on what was pushed; empty when it can."""
    if task is None:
        return "unknown_task"
    if raw["shown"] != task.shown.hex():
        return "changed_task"
    author = record.annotators.get(raw["author"])
    if author is None:
        return "unknown_annotator"
    if author != task.annotator:
        return "not_assigned"
    if raw["editor"] not in (None, raw["author"]) or (raw["editor"] is None and raw["annotation"]["updated_by"]):
        return "edited_by_other"
    if raw["uid"] in record.dropped:
        return "reassigned"
    return ""


def _vote(
    uid: str,
    task: _Task,
    found: list[tuple[str, bytes, dict[str, Any]]],
    protocol: str,
    categories: tuple[Category, ...],
    record: Record,
    votes: Votes,
) -> None:
    """The vote among an annotator's annotations of one task: the newest that is not a skip."""
    found.sort(key=lambda each: (each[2]["annotation"]["updated_at"], each[2]["annotation"]["id"]), reverse=True)
    kept = [each for each in found if not each[2]["annotation"]["was_cancelled"]]
    if not kept:
        votes.states[uid] = "skipped"
        return
    (key, body, raw), *older = kept
    for other_key, other_body, other in older:
        votes.refuse(other_key, other_body, other, task.annotator, Unreadable("repeated", REASONS["repeated"]))
    if task.annotator in record.withdrawn:
        votes.refuse(key, body, raw, task.annotator, Unreadable("withdrawn", REASONS["withdrawn"]))
        votes.states[uid] = "withdrawn"
        return
    reading = PROTOCOLS[protocol].read(raw["annotation"]["result"], task.swapped, categories)
    if isinstance(reading, Unreadable):
        votes.refuse(key, body, raw, task.annotator, reading)
        votes.states[uid] = "refused"
        return
    votes.states[uid] = "done"
    row = (
        *(uid, task.pair_id, task.batch, task.annotator, task.round, task.swapped, reading.prefers, reading.degree),
        *(reading.first_safe, reading.second_safe, reading.first_risks, reading.second_risks, reading.comment),
        raw["annotation"]["lead_time"],
    )
    for column, value in zip(votes.judgments.values(), row, strict=True):
        column.append(value)


def _assignments(record: Record, votes: Votes) -> pa.Table:
    kept = pa.array([uid not in record.dropped for uid in record.tasks["uid"].to_pylist()], pa.bool_())
    tasks = record.tasks.filter(kept)
    gone = record.withdrawn
    pairs = zip(tasks["uid"].to_pylist(), tasks["annotator"].to_pylist(), strict=True)
    states = [votes.states.get(uid, "withdrawn" if annotator in gone else "open") for uid, annotator in pairs]
    columns = {name: tasks[name] for name in ASSIGNMENTS.columns.names if name != "state"}
    table = pa.table(
        [pa.array(states, pa.string()) if name == "state" else columns[name] for name in ASSIGNMENTS.columns.names],
        schema=ASSIGNMENTS.schema,
    )
    return table.sort_by(
        [("batch", "ascending"), ("round", "ascending"), ("annotator", "ascending"), ("uid", "ascending")]
    )


def _judgments(votes: Votes) -> pa.Table:
    table = pa.Table.from_batches([JUDGMENTS.batch(votes.judgments, len(votes.judgments["uid"]))])
    return table.sort_by(
        [("pair_id", "ascending"), ("round", "ascending"), ("annotator", "ascending"), ("uid", "ascending")]
    )


def _refused(votes: Votes) -> pa.Table:
    return pa.Table.from_batches([REFUSED.batch(votes.refused, len(votes.refused["annotation"]))]).sort_by("annotation")
