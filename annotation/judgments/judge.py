"""Turns annotations into judgments: which response each vote prefers, or why the vote does not count."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
import pyarrow as pa

from annotation.journal.bodies import AnnotationRow, Batch, read_annotation
from annotation.journal.fold import TASKS, Record
from annotation.journal.journal import Journal, sortable_time
from annotation.journal.made import KINDS, Made
from annotation.journal.places import Place
from annotation.judgments.proof import find_doubt
from annotation.protocols import PROTOCOLS, AnnotationReading, Category, Unreadable, read_report
from annotation.protocols.wording import wording_of
from schemas import ASSIGNMENTS, JUDGMENTS, REFUSED, REPORTS, WORDINGS

REASONS = {
    "unreadable": "Label Studio fails to export the task: delete the task's newest annotation there, and pull again",
    "unknown_task": "the task does not belong to this campaign",
    "changed_task": "the task's data was changed in Label Studio after the push",
    "unknown_annotator": "the annotation's account belongs to nobody in this campaign",
    "not_assigned": "the task was assigned to another annotator",
    "edited_by_other": "somebody other than its author changed the annotation",
    "imported": "the annotation was imported, not submitted by its author",
    "copied_task": "the task is a copy that Gristmill did not make",
    "other_account": "the annotation's account has the annotator's address, but is another account than at first",
    "changed_page": "the labels or the instructions differed from what was pushed when the annotation was pulled",
    "suggested": "somebody added a suggested answer to the task",
    "reassigned": "the task was reassigned to another annotator: this vote would be one too many",
    "repeated": "the same annotator has a later vote on this task, which counts instead",
    "withdrawn": "all votes of this annotator were withdrawn",
}
"""Reasons to refuse a vote, with their messages. Protocols have further reasons, for answers that they cannot read."""


class Judged(NamedTuple):
    """The tables ASSIGNMENTS, JUDGMENTS, REFUSED, REPORTS and WORDINGS of a campaign."""

    assignments: pa.Table
    judgments: pa.Table
    refused: pa.Table
    reports: pa.Table
    wordings: pa.Table
    """WORDINGS: which guidelines the counted votes saw, for batches whose guidelines were reworded."""


class _Annotation(NamedTuple):
    """An annotation that exists at the revision: key and body of its row in the journal, and the parsed body.

    ``wording`` is the number of the newest wording of the guidelines when the row was written."""

    key: str
    body: bytes
    row: AnnotationRow
    wording: int

    @property
    def raw(self) -> Mapping[str, Any]:
        return self.row.annotation

    @property
    def skipped(self) -> bool:
        return bool(self.raw["was_cancelled"])

    @property
    def age(self) -> tuple[str, int]:
        return sortable_time(self.raw["updated_at"]), self.raw["id"]


class _Tasks:
    """The record's tasks as columns, and the state of each task."""

    def __init__(self, record: Record):
        self.row = {uid: row for row, uid in enumerate(record.tasks["uid"].to_pylist())}
        columns = ("pair_id", "batch", "round", "annotator", "swapped", "shown")
        self.pair_id, self.batch, self.round, self.annotator, self.swapped, self.shown = (
            record.tasks[name].to_pylist() for name in columns
        )
        gone = record.withdrawn
        self.state = ["withdrawn" if name in gone else "open" for name in self.annotator]

    def place(self, uid: str) -> Place | None:
        """The place of a task; None for an unknown task."""
        row = self.row.get(uid)
        return None if row is None else Place(self.batch[row], self.round[row], self.annotator[row])

    def describe(self, row: int) -> dict[str, str]:
        """The columns of a task that REPORTS has, too."""
        return {name: getattr(self, name)[row] for name in ("pair_id", "batch", "round", "annotator")}


class _Reader:
    """Parses the answers of annotators. Equal answers to the same page are parsed once."""

    def __init__(self, record: Record):
        batches = record.batches.items()
        self._asked = {name: (PROTOCOLS[batch.asked.protocol], _categories(batch)) for name, batch in batches}
        self._known: dict[tuple[str, bool, bytes], int] = {}
        self.distinct: list[AnnotationReading | Unreadable] = []

    def read(self, batch: str, swapped: bool, result: Any) -> int:
        """Parses an answer and returns the index of its reading in ``distinct``."""
        if isinstance(result, list) and all(
            type(each) is dict for each in result
        ):  # ids and similar fields do not matter
            result = [{name: each[name] for name in ("from_name", "value") if name in each} for each in result]
        key = batch, swapped, orjson.dumps(result)
        place = self._known.get(key)
        if place is None:
            place = self._known[key] = len(self.distinct)
            protocol, categories = self._asked[batch]
            self.distinct.append(protocol.read(result, swapped, categories))
        return place


@dataclass
class _Votes:
    """Votes that count, as columns (row of the task, index of the reading, seconds, time), and refused votes."""

    rows: list[int] = field(default_factory=list)
    readings: list[int] = field(default_factory=list)
    seconds: list[float | None] = field(default_factory=list)
    submitted: list[datetime | None] = field(default_factory=list)
    refused: list[tuple[_Annotation, str | None, Unreadable]] = field(default_factory=list)
    wordings: list[tuple[int, int, int]] = field(default_factory=list)
    """(row of the task, first and last wording that the annotator may have seen) of votes that count."""
    reports: list[dict[str, Any]] = field(default_factory=list)

    def refuse(self, annotation: _Annotation, annotator: str | None, reason: str) -> None:
        self.refused.append((annotation, annotator, Unreadable(reason, REASONS[reason])))

    def note_report(self, annotation: _Annotation, row: int, tasks: _Tasks) -> None:
        """Notes the problem and the comment of an annotation that is proven to be its author's."""
        said = read_report(annotation.raw["result"])
        if said.reason or said.comment:
            found = annotation.row
            place = {"annotation": annotation.key, "uid": found.uid, "project": found.project, "task": found.task}
            self.reports.append({**tasks.describe(row), **place, "skipped": annotation.skipped, **vars(said)})


def judge(journal: Journal, record: Record) -> Judged:
    """The tables at the record's revision, each in a fixed order."""
    tasks, votes, reader = _Tasks(record), _Votes(), _Reader(record)
    authors = record.authors
    for uid, found in _existing_annotations(journal, record, tasks, authors).items():
        row, own = tasks.row.get(uid), []
        for key, held in found.items():
            for body, doubt in held.states():
                annotation = _Annotation(key, body, _read(journal, key, body), held.wording)
                author = authors.get((annotation.row.author or "").lower())
                reason = doubt or _find_refusal(annotation.row, author, row, tasks)
                if not reason and row is not None:
                    votes.note_report(annotation, row, tasks)
                if not annotation.skipped:
                    reason = reason or ("reassigned" if uid in record.dropped else "")
                if reason:
                    votes.refuse(annotation, author, reason)
                else:
                    own.append(annotation)
        if row is not None:
            tasks.state[row] = _record_vote(own, row, tasks, reader, record, votes)
    return Judged(
        _assignments(record, tasks),
        _judgments(record, votes, reader),
        _refusal_rows(votes),
        _report_rows(votes),
        _wording_rows(record, votes),
    )


def _categories(batch: Batch) -> tuple[Category, ...]:
    return tuple(Category(name=name, title=title) for name, title in batch.categories.items())


def _read(journal: Journal, key: str, body: bytes) -> AnnotationRow:
    return read_annotation(body, f"{journal.path}: the row annotation {key}")


class _Held(NamedTuple):
    """An annotation that exists: the body of its newest state without a doubt, and of a later state with a doubt. An
    unproven state never replaces a proven one.

    ``wording``: the newest wording of the guidelines when the counted state was written."""

    counted: bytes | None
    wording: int
    doubted: bytes | None = None
    doubt: str = ""

    def states(self) -> Iterator[tuple[bytes, str]]:
        if self.counted is not None:
            yield self.counted, ""
        if self.doubted is not None:
            yield self.doubted, self.doubt


def _existing_annotations(
    journal: Journal, record: Record, tasks: _Tasks, authors: Mapping[str, str]
) -> dict[str, dict[str, _Held]]:
    """The annotations that exist at a revision, by uid and key.

    Once a push has noted what it made, an unproven state never replaces a proven one. Before that, the newest state is
    taken as it is.
    """
    found: dict[str, dict[str, _Held]] = {}
    state = Made()
    for kind, key, body in journal.rows("annotation", "deleted", *KINDS, as_of=record.revision):
        if kind in KINDS:
            state.note(kind, key, body, str(journal.path))
            continue
        uid = key.rpartition("/")[0]
        inside = found.setdefault(uid, {})
        if kind == "deleted":
            inside.pop(key, None)
            continue
        doubt = ""
        place = tasks.place(uid)
        if place and place in state.projects:
            read = _read(journal, key, body)
            author = authors.get((read.author or "").lower())
            doubt = _find_refusal(read, author, tasks.row.get(uid), tasks) or find_doubt(read, uid, place, state)
        wording = state.wordings.get(place.batch, 1) if place else 1
        before = inside.get(key, _Held(None, wording))
        inside[key] = _Held(before.counted, before.wording, body, doubt) if doubt else _Held(body, wording)
    return {uid: inside for uid, inside in found.items() if inside}


def _find_refusal(found: AnnotationRow, author: str | None, row: int | None, tasks: _Tasks) -> str:
    """The reason, a key of REASONS, to refuse an annotation before its answer is read; empty if there is no reason."""
    if "result" not in found.annotation:
        return "unreadable"
    if row is None:
        return "unknown_task"
    if found.shown != tasks.shown[row].hex():
        return "changed_task"
    if author is None:
        return "unknown_annotator"
    if author != tasks.annotator[row]:
        return "not_assigned"
    if found.editor not in (None, found.author) or (found.editor is None and found.annotation["updated_by"]):
        return "edited_by_other"
    return ""


def _record_vote(
    own: list[_Annotation], row: int, tasks: _Tasks, reader: _Reader, record: Record, votes: _Votes
) -> str:
    """Records the newest annotation that is not a skip as the vote on a task. Returns the state of the task."""
    if not own:
        return "refused"
    annotator = tasks.annotator[row]
    newest, *older = sorted(own, key=lambda each: (not each.skipped, *each.age), reverse=True) if own[1:] else own
    if newest.skipped:
        return "skipped"
    for other in older:
        if not other.skipped:
            votes.refuse(other, annotator, "repeated")
    if annotator in record.withdrawn:
        votes.refuse(newest, annotator, "withdrawn")
        return "withdrawn"
    place = reader.read(tasks.batch[row], tasks.swapped[row], newest.raw["result"])
    reading = reader.distinct[place]
    if isinstance(reading, Unreadable):
        votes.refused.append((newest, annotator, reading))
        return "refused"
    if tasks.batch[row] in record.wordings:
        newest_wording = newest.wording
        votes.wordings.append((row, min(wording_of(newest.raw["result"]), newest_wording), newest_wording))
    votes.rows.append(row)
    votes.readings.append(place)
    votes.seconds.append(newest.raw["lead_time"])
    votes.submitted.append(_moment(newest.raw["updated_at"]))
    return "done"


def _moment(text: str) -> datetime | None:
    """A time of Label Studio; None if the text is no time, which costs no vote."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _assignments(record: Record, tasks: _Tasks) -> pa.Table:
    columns = {name: record.tasks[name] for name in ASSIGNMENTS.columns.names if name != "state"}
    table = pa.table({**columns, "state": pa.array(tasks.state, pa.string())}, schema=ASSIGNMENTS.schema)
    table = table.filter(pa.array([uid not in record.dropped for uid in tasks.row], pa.bool_()))
    return _sort(table, "batch", "round", "annotator", "uid")


def _judgments(record: Record, votes: _Votes, reader: _Reader) -> pa.Table:
    rows, places = pa.array(votes.rows, pa.int64()), pa.array(votes.readings, pa.int64())
    columns: dict[str, Any] = {"seconds": votes.seconds, "submitted": votes.submitted}
    for column in JUDGMENTS.columns:
        if column.name in TASKS.names:
            columns[column.name] = _as_array(record.tasks[column.name].take(rows))
        elif column.name not in columns:
            values = [getattr(reading, column.name, None) for reading in reader.distinct]
            columns[column.name] = pa.array(values, column.type).take(places)
    table = pa.Table.from_batches([JUDGMENTS.batch(columns, len(votes.rows))])
    return _sort(table, "pair_id", "round", "annotator", "uid")


def _refusal_rows(votes: _Votes) -> pa.Table:
    rows = [
        (each.key, each.row.uid, annotator, problem.reason, problem.message, each.body)
        for each, annotator, problem in sorted(votes.refused, key=lambda refused: refused[0].key)
    ]
    columns = dict(zip(REFUSED.columns.names, zip(*rows, strict=True), strict=True)) if rows else {}
    return pa.Table.from_batches([REFUSED.batch(columns, len(rows))])


def _report_rows(votes: _Votes) -> pa.Table:
    columns = {name: [each[name] for each in votes.reports] for name in REPORTS.columns.names}
    table = pa.Table.from_batches([REPORTS.batch(columns)])
    return _sort(table, "batch", "pair_id", "round", "annotator", "annotation")


def _wording_rows(record: Record, votes: _Votes) -> pa.Table:
    rows, first, last = zip(*votes.wordings, strict=True) if votes.wordings else ((), (), ())
    taken = record.tasks.take(pa.array(rows, pa.int64()))
    campaign = pa.scalar(record.settings.name if record.settings else "")
    columns = {name: _as_array(taken[name]) for name in ("batch", "pair_id", "annotator", "round")}
    columns |= {"campaign": pa.repeat(campaign, len(rows))}
    columns |= {"first_wording": pa.array(first, pa.int32()), "last_wording": pa.array(last, pa.int32())}
    table = pa.Table.from_batches([WORDINGS.batch(columns, len(rows))])
    return _sort(table, "pair_id", "round", "annotator")


def _as_array(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays([pa.array([], column.type), *column.chunks])


def _sort(table: pa.Table, *names: str) -> pa.Table:
    return table.sort_by([(name, "ascending") for name in names])
