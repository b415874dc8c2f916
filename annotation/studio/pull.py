"""Copies new and changed annotations from Label Studio into the journal, and records deleted ones.

Annotations are stored as received, before they are interpreted. Reading an annotation again, or late, changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from annotation.campaign.tasks import shown_digest
from annotation.journal.bodies import AnnotationRow, Lost, Seen, write, write_annotation
from annotation.journal.cache import CachedTask
from annotation.journal.fold import Record, fold
from annotation.journal.journal import Journal, sortable_time
from annotation.journal.made import Made, lost_annotations, made
from annotation.journal.places import Place, task_places
from annotation.protocols import digest
from annotation.server.ownership import user_number
from annotation.studio.client import ATTEMPTS, EXPORTED, FailedError, MissingError, Project, Studio, TaskState, uid_of
from annotation.studio.missing import (
    Answer,
    Suspect,
    author_of,
    is_earlier_state,
    looks_restored,
    question,
    settle,
)
from annotation.studio.provenance import changed_parts, check_server, is_noted, note_accounts, note_seen, note_tasks
from annotation.studio.push import find_projects, marker
from schemas.errors import UserError
from schemas.progress import Tell, ignore_progress

LATE = timedelta(minutes=5)
"""How late a change may appear after newer changes. A quick pull counts the changes of this time, and lists them again
only if the cache has more or fewer; a sweep lists all tasks."""

UNREADABLE = "task "
"""Prefix of the id of the placeholder for an unreadable task."""

AUTHORS = ("completed_by", "updated_by")
"""The fields that name the author of an annotation and its last editor."""


@dataclass
class Pulled:
    """What a pull added to the journal."""

    kept: int = 0
    """New or changed annotations."""
    deleted: int = 0
    gone: list[Place] = field(default_factory=list)
    """Places whose project is no longer in Label Studio. Their annotations in the journal still count."""
    waiting: list[Place] = field(default_factory=list)
    """Places that were not read, since their project did not get new guidelines yet."""
    revision: int = 0
    unsettled: list[tuple[int, tuple[int, str | None, str, int]]] = field(default_factory=list)
    """(project, (task, uid, updated, annotations)) of tasks whose annotations await an answer."""


def pull(
    journal: Journal, studio: Studio, *, sweep: bool = True, missing: Answer = "ask", tell: Tell = ignore_progress
) -> Pulled:
    """Copies the annotations of all projects of the campaign.

    A quick pull (``sweep`` false) asks only for tasks changed since the last pull; a sweep compares all tasks, which
    also finds deleted annotations and tasks. ``missing`` decides whether votes that are missing or older in Label
    Studio still count, unless their author deleted them. Raises UserError if nothing was pushed, if the server is not
    the campaign's, or if it looks like an older backup and ``missing`` is ``ask``; RunError if Label Studio fails; the
    journal keeps what was copied before the failure.
    """
    if not journal.cache.projects():
        raise UserError(f"{journal.path.parent} has no project in Label Studio: run gristmill campaign push")
    check_server(journal, studio, made(journal))
    projects = studio.projects()
    state, record = made(journal), fold(journal)  # after the projects: a push notes new guidelines before it gives them
    note_accounts(journal, studio, state, record.annotators)
    pulled, people, listed = Pulled(), _People(journal, studio, state.erased), []
    lost, uids = lost_annotations(journal), _uids_by_place(record)
    for place, project in _find_projects(journal, projects, record, state, people, pulled):
        cached, live = journal.cache.tasks(project), journal.live_annotations(project)
        try:
            states = studio.task_states(project) if sweep else _list_recent(studio, project, cached)
        except MissingError:
            pulled.gone.append(place)
            continue
        present = {state.task for state in states}
        gone = [task for task in cached.keys() | live.keys() if task not in present] if sweep else []
        changed = _find_changed(states, cached, live)
        with journal.writing():
            note_tasks(journal, state, place, project, states, uids[place] if sweep else None)
            unchanged = cached.keys() - set(changed)
            rows = ((s.task, cached[s.task][0], s.updated, s.annotations) for s in states if s.task in unchanged)
            journal.cache.remember_tasks(project, rows)
        listed.append((project, changed, gone))
    total, done = sum(len(changed) for _, changed, _ in listed), 0
    suspects: list[Suspect] = []
    for project, changed, gone in listed:
        for start in range(0, len(changed), EXPORTED):
            numbers = changed[start : start + EXPORTED]
            suspects += _copy(journal, studio, project, numbers, people, pulled, lost)
            done += len(numbers)
            tell(done, total)
        suspects += _find_gone(journal, project, gone)
    if missing == "ask" and looks_restored(suspects):
        raise question(journal, suspects, studio.url)
    pulled.deleted += settle(journal, suspects, accept=missing == "accept")
    with journal.writing():
        for project, _, gone in listed:
            journal.cache.forget_tasks(project, gone)
        for project, row in pulled.unsettled:
            journal.cache.remember_tasks(project, [row])
    pulled.revision = journal.revision
    return pulled


def _uids_by_place(record: Record) -> dict[Place, list[str]]:
    """The uids of the tasks of each place, except tasks that were taken from their annotators."""
    uids: dict[Place, list[str]] = defaultdict(list)
    for uid, place in zip(record.tasks["uid"].to_pylist(), task_places(record.tasks), strict=True):
        if uid not in record.dropped:
            uids[place].append(uid)
    return uids


def _find_projects(
    journal: Journal, listed: Sequence[Project], record: Record, state: Made, people: "_People", pulled: Pulled
) -> list[tuple[Place, int]]:
    """(place, project) of the noted projects, and of all that have the marker of a place. Notes how they differ from
    what was pushed, before any of their annotations is read. A project that still awaits new guidelines is skipped."""
    projects = []
    emails = record.emails
    for place in journal.cache.projects():
        noted, found = state.projects.get(place), find_projects(listed, journal.campaign_id, place, state)
        if noted and noted.page != digest(record.batches[place.batch].page):
            pulled.waiting.append(place)
            continue
        projects += [(place, each.project) for each in found]
        if not found:
            pulled.gone.append(place)
        if noted:
            own = next((each for each in found if is_noted(each, noted)), None)
            email = emails.get(place.annotator)
            number = None if email is None else state.accounts.get(email)
            seen = replace(
                state.seen.get(place, Seen()),
                changed=changed_parts(own, noted, marker(journal.campaign_id, place), email) if own else (),
                others=tuple(each.project for each in found if each is not own),
                gone=own is None,
                account=number is not None and people.email(number) != email,
            )
            note_seen(journal, state, place, seen)
    return projects


class _People:
    """The email address of each user in lower case, by number; read again when an unknown number appears.

    The token of a person who was erased stands for the address, here and in what the journal writes: the account may
    still be there, and vote.
    """

    def __init__(self, journal: Journal, studio: Studio, erased: Mapping[int, str]):
        self._journal, self._studio, self._erased = journal, studio, erased
        self._emails, self._unknown = dict[int, str](), set[int]()
        self._read()

    def _read(self) -> None:
        emails = {number: email.lower() for number, email in self._studio.people().items()}
        gone = {number: token for number, token in self._erased.items() if number in emails}
        self._journal.keep_erased({emails[number]: token for number, token in gone.items()})
        self._emails |= emails | gone

    def find(self, numbers: Iterable[int | None]) -> None:
        """Reads the email addresses of users that are not known yet."""
        strangers = {number for number in numbers if number is not None} - self._emails.keys() - self._unknown
        if strangers:
            self._read()
            self._unknown |= strangers - self._emails.keys()

    def email(self, number: int | None) -> str | None:
        return None if number is None else self._emails.get(number)


def _list_recent(studio: Studio, project: int, cached: dict[int, CachedTask]) -> list[TaskState]:
    """The tasks that changed since the newest known change, and the tasks whose change appeared late."""
    newest = max((updated for _, updated, _ in cached.values()), default="")
    if not newest:
        return studio.task_states(project)
    states = studio.task_states(project, newest)
    late = (datetime.fromisoformat(newest) - LATE).isoformat(timespec="microseconds").replace("+00:00", "Z")
    listed = {state.task for state in states}
    known = sum(late <= updated < newest and task not in listed for task, (_, updated, _) in cached.items())
    return states if studio.count_changed(project, late, newest) == known else studio.task_states(project, late)


def _find_changed(states: list[TaskState], cached: dict[int, CachedTask], live: dict[int, list[str]]) -> list[int]:
    """The tasks that changed since they were last read, except tasks that never had an annotation."""
    changed = []
    for state in states:
        known = cached.get(state.task)
        if known is not None and known[1:] == (state.updated, state.annotations):
            continue
        if state.annotations or state.task in live or (known is not None and known[2]):
            changed.append(state.task)
    return changed


def _copy(
    journal: Journal,
    studio: Studio,
    project: int,
    numbers: list[int],
    people: _People,
    pulled: Pulled,
    lost: dict[str, Lost],
) -> list[Suspect]:
    """Copies the annotations of tasks; returns the changes that the journal follows only if the user accepts them."""
    tasks, unreadable = _read(studio, project, numbers)
    people.find(user_number(row[name]) for task in tasks for row in task["annotations"] for name in AUTHORS)
    outdated = [task["id"] for task in tasks if _is_outdated(journal, task)]
    again = {task["id"]: task for task in _read(studio, project, outdated)[0]}
    suspects: list[Suspect] = []
    with journal.writing():
        live, cached = journal.live_annotations(project), journal.cache.tasks(project)
        for task in tasks:
            seen = set()
            for key, annotation, body in _bodies(again.get(task["id"], task), people):
                seen.add(key)
                updated, skipped = annotation["updated_at"], annotation["was_cancelled"]
                why = _is_of_the_past(journal, key, sortable_time(updated), body)
                if why:
                    suspects.append(Suspect(key, why, None, project, task["id"], body, updated, skipped))
                    continue
                if journal.is_detached(key) and key in lost:
                    journal.append("lost", key, write(replace(lost[key], why="found")))
                if annotation["completed_by"] is None and sortable_time(updated) == journal.last_update(key):
                    continue  # only the account was deleted: the journal knows whose vote this is
                pulled.kept += journal.keep_annotation(
                    key, project, task["id"], updated, body, skipped=skipped, confirmed=task["id"] in again
                )
            missing = [key for key in live.get(task["id"], []) if key not in seen]
            state, before = again.get(task["id"], task), cached.get(task["id"], (None, "", 0))[1]
            by, found = people.email(user_number(state["updated_by"])), _find_suspects(state, missing, before)
            deleted = [
                key
                for key, why in found.items()
                if _is_note(key) or (why == "deleted_by_other" and by == author_of(journal, key))
            ]
            suspects += (Suspect(key, why, by, project, task["id"]) for key, why in found.items() if key not in deleted)
            journal.delete_annotations(deleted)
            pulled.deleted += len(deleted)
        settled = {task["id"] for task in tasks} - {each.task for each in suspects}
        rows = [_summarise(again.get(task["id"], task)) for task in tasks]
        journal.cache.remember_tasks(project, (row for row in rows if row[0] in settled))
        pulled.unsettled += ((project, row) for row in rows if row[0] not in settled)
        pulled.kept += sum(_keep_unreadable(journal, project, number) for number in unreadable)
    return suspects


def _find_suspects(task: dict[str, Any], missing: list[str], before: str) -> dict[str, str]:
    """Why each annotation of ``missing`` is not at its task: a key of WORDS. ``deleted_by_other`` may be the author.

    ``before`` is the time of the task's last change that the journal knows.
    """
    ids = {str(each["id"]) for each in task["annotations"]}
    is_moved = task["total_annotations"] + task["cancelled_annotations"] > len(ids)  # a deletion counts down
    why = "forgotten" if task["updated_at"] <= before else "moved" if is_moved else "deleted_by_other"
    return {key: "moved" if key.rpartition("/")[2] in ids else why for key in missing}


def _is_of_the_past(journal: Journal, key: str, updated: str, body: bytes) -> str:
    """``older`` if an annotation has a state that the journal had before its newest; ``returned`` if the annotation was
    deleted in this state; else empty."""
    last = journal.last_update(key)
    if last and updated >= last:
        return ""
    if not is_earlier_state(journal, key, body):
        return ""
    return "older" if last else "returned"


def _is_note(key: str) -> bool:
    """Whether a key is of the placeholder for an unreadable task, rather than of an annotation."""
    return key.rpartition("/")[2].startswith(UNREADABLE)


def _keep_unreadable(journal: Journal, project: int, task: int) -> bool:
    """Records that a task is unreadable, in place of its annotations. The next pull tries the task again."""
    uid = journal.cache.tasks(project).get(task, (None, "", 0))[0]
    annotation = {"id": f"{UNREADABLE}{task}", "was_cancelled": False}
    row = AnnotationRow(uid, "", None, None, project, task, annotation)
    key = f"{uid or ''}/{annotation['id']}"
    return journal.keep_annotation(key, project, task, "", write_annotation(row), skipped=True)


def _read(studio: Studio, project: int, numbers: list[int]) -> tuple[list[dict[str, Any]], list[int]]:
    """Tasks with their annotations, and the numbers of tasks that Label Studio cannot export.

    Label Studio stores some answers that it cannot write as JSON (half a character, an infinite number), and then fails
    for all tasks of the request. A failed request is divided until the failing tasks are found.
    """
    if not numbers:
        return [], []
    try:
        return list(studio.tasks(project, numbers, attempts=2 if len(numbers) > 1 else ATTEMPTS)), []
    except FailedError:
        if len(numbers) == 1:
            studio.people()  # raises if the server also fails at other requests
            return [], numbers
    half = len(numbers) // 2
    first, second = _read(studio, project, numbers[:half]), _read(studio, project, numbers[half:])
    return first[0] + second[0], first[1] + second[1]


def _is_outdated(journal: Journal, task: dict[str, Any]) -> bool:
    """Whether an annotation is older than in the journal: the answer is delayed, or the server's clock was set back.
    Reading the task again gives the current state."""
    keys = (f"{uid_of(task) or ''}/{row['id']}" for row in task["annotations"])
    pairs = zip(keys, task["annotations"], strict=True)
    return any(sortable_time(row["updated_at"]) < journal.last_update(key) for key, row in pairs)


def _bodies(task: dict[str, Any], people: _People) -> list[tuple[str, dict[str, Any], bytes]]:
    """(key, annotation, body) of each annotation of an exported task."""
    uid, bodies = uid_of(task), []
    for annotation in task["annotations"]:
        author, editor = (people.email(user_number(annotation[name])) for name in AUTHORS)
        shown = shown_digest(_data(task)).hex()
        row = AnnotationRow(uid, shown, author, editor, task["project"], task["id"], annotation)
        bodies.append((f"{uid or ''}/{annotation['id']}", annotation, _write_row(row)))
    return bodies


def _write_row(row: AnnotationRow) -> bytes:
    """The body of a row. A text replaces a result that nests too deeply: such a result is not from our pages."""
    try:
        return write_annotation(row)
    except orjson.JSONEncodeError:
        plain = {name: value for name, value in row.annotation.items() if not isinstance(value, list | dict)}
        users = {name: user_number(row.annotation[name]) for name in AUTHORS}
        annotation = {**plain, **users, "result": "nested too deeply to be kept"}
        return write_annotation(replace(row, annotation=annotation))


def _data(task: dict[str, Any]) -> dict[str, Any]:
    return task["data"] if isinstance(task["data"], dict) else {}


def _summarise(task: dict[str, Any]) -> tuple[int, str | None, str, int]:
    count = int(task["total_annotations"]) + int(task["cancelled_annotations"])
    return task["id"], uid_of(task), task["updated_at"], count


def _find_gone(journal: Journal, project: int, gone: list[int]) -> list[Suspect]:
    """The annotations of deleted tasks. Deletes the placeholders of deleted tasks."""
    live = journal.live_annotations(project) if gone else {}
    keys = [(task, key) for task in gone for key in live.get(task, [])]
    journal.delete_annotations(key for _, key in keys if _is_note(key))
    return [Suspect(key, "task_gone", None, project, task) for task, key in keys if not _is_note(key)]
