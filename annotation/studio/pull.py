"""Copies new and changed annotations from Label Studio into the journal, and records deleted ones.

Annotations are stored as received, before they are interpreted. Reading an annotation again, or late, changes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from annotation.campaign.tasks import shown_digest
from annotation.journal.bodies import AnnotationRow, write_annotation
from annotation.journal.journal import Journal, Seen, sortable_time
from annotation.studio.client import ATTEMPTS, EXPORTED, FailedError, MissingError, Studio, TaskState
from annotation.studio.push import marker
from schemas.errors import UserError
from schemas.progress import Tell, ignore_progress

LATE = timedelta(minutes=5)
"""How late a change may appear after newer changes. A quick pull counts the changes of this time, and lists them again
only if the cache has more or fewer; a sweep lists all tasks."""

AUTHORS = ("completed_by", "updated_by")
"""The fields that name the author of an annotation and its last editor."""


@dataclass
class Pulled:
    """What a pull added to the journal."""

    kept: int = 0
    """New or changed annotations."""
    deleted: int = 0
    gone: list[str] = field(default_factory=list)
    """Places whose project is no longer in Label Studio. Their annotations in the journal still count."""
    revision: int = 0


def pull(journal: Journal, studio: Studio, *, sweep: bool = True, tell: Tell = ignore_progress) -> Pulled:
    """Copies the annotations of all projects of the campaign.

    A quick pull (``sweep`` false) asks only for tasks changed since the last pull; a sweep compares all tasks, which
    also finds deleted annotations and tasks. Raises UserError if nothing was pushed, RunError if Label Studio fails;
    the journal keeps what was copied before the failure.
    """
    if not journal.projects():
        raise UserError(f"{journal.path.parent} has no project in Label Studio: run gristmill campaign push")
    pulled, people, listed = Pulled(), _People(studio), []
    for place, project in _find_projects(journal, studio, pulled):
        cached, live = journal.tasks(project), journal.live_annotations(project)
        try:
            states = studio.task_states(project) if sweep else _list_recent(studio, project, cached)
        except MissingError:
            pulled.gone.append(place)
            continue
        present = {state.task for state in states}
        gone = [task for task in cached.keys() | live.keys() if task not in present] if sweep else []
        changed = _find_changed(states, cached, live)
        with journal.writing():
            unchanged = cached.keys() - set(changed)
            rows = ((s.task, cached[s.task][0], s.updated, s.annotations) for s in states if s.task in unchanged)
            journal.remember_tasks(project, rows)
        listed.append((project, changed, gone))
    total, done = sum(len(changed) for _, changed, _ in listed), 0
    for project, changed, gone in listed:
        for start in range(0, len(changed), EXPORTED):
            numbers = changed[start : start + EXPORTED]
            _copy(journal, studio, project, numbers, people, pulled)
            done += len(numbers)
            tell(done, total)
        pulled.deleted += _delete_tasks(journal, project, gone)
    pulled.revision = journal.revision
    return pulled


def _find_projects(journal: Journal, studio: Studio, pulled: Pulled) -> list[tuple[str, int]]:
    """(place, project) of the projects with the campaign's markers: on another or a newly created server, the numbers
    in the journal belong to other projects. A place has two projects if the network repeated a push's request."""
    found: dict[str, list[int]] = {}
    for project in studio.projects():
        found.setdefault(project.marker, []).append(project.project)
    campaign, projects = journal.campaign_id, []
    for place in journal.projects():
        numbers = found.get(marker(campaign, place), [])
        projects += [(place, number) for number in numbers]
        if not numbers:
            pulled.gone.append(place)
    return projects


class _People:
    """The email address of each user, by number; read again when an unknown number appears."""

    def __init__(self, studio: Studio):
        self._studio, self._emails, self._unknown = studio, studio.people(), set[int]()

    def find(self, numbers: Iterable[int | None]) -> None:
        """Reads the email addresses of users that are not known yet."""
        strangers = {number for number in numbers if number is not None} - self._emails.keys() - self._unknown
        if strangers:
            self._emails |= self._studio.people()
            self._unknown |= strangers - self._emails.keys()

    def email(self, number: int | None) -> str | None:
        return None if number is None else self._emails.get(number)


def _list_recent(studio: Studio, project: int, cached: dict[int, Seen]) -> list[TaskState]:
    """The tasks that changed since the newest known change, and the tasks whose change appeared late."""
    newest = max((updated for _, updated, _ in cached.values()), default="")
    if not newest:
        return studio.task_states(project)
    states = studio.task_states(project, newest)
    late = (datetime.fromisoformat(newest) - LATE).isoformat(timespec="microseconds").replace("+00:00", "Z")
    listed = {state.task for state in states}
    known = sum(late <= updated < newest and task not in listed for task, (_, updated, _) in cached.items())
    return states if studio.count_changed(project, late, newest) == known else studio.task_states(project, late)


def _find_changed(states: list[TaskState], cached: dict[int, Seen], live: dict[int, list[str]]) -> list[int]:
    """The tasks that changed since they were last read, except tasks that never had an annotation."""
    changed = []
    for state in states:
        known = cached.get(state.task)
        if known is not None and known[1:] == (state.updated, state.annotations):
            continue
        if state.annotations or state.task in live or (known is not None and known[2]):
            changed.append(state.task)
    return changed


def _copy(journal: Journal, studio: Studio, project: int, numbers: list[int], people: _People, pulled: Pulled) -> None:
    tasks, unreadable = _read(studio, project, numbers)
    people.find(_user_number(row[name]) for task in tasks for row in task["annotations"] for name in AUTHORS)
    outdated = [task["id"] for task in tasks if _is_outdated(journal, task)]
    again = {task["id"]: task for task in _read(studio, project, outdated)[0]}
    with journal.writing():
        live = journal.live_annotations(project)
        for task in tasks:
            seen = set()
            for key, annotation, body in _bodies(again.get(task["id"], task), people):
                seen.add(key)
                updated, skipped = annotation["updated_at"], annotation["was_cancelled"]
                if annotation["completed_by"] is None and sortable_time(updated) == journal.last_update(key):
                    continue  # only the account was deleted: the journal knows whose vote this is
                pulled.kept += journal.keep_annotation(
                    key, project, task["id"], updated, body, skipped=skipped, confirmed=task["id"] in again
                )
            missing = [key for key in live.get(task["id"], []) if key not in seen]
            journal.delete_annotations(missing)
            pulled.deleted += len(missing)
        journal.remember_tasks(project, (_summarise(again.get(task["id"], task)) for task in tasks))
        pulled.kept += sum(_keep_unreadable(journal, project, number) for number in unreadable)


def _keep_unreadable(journal: Journal, project: int, task: int) -> bool:
    """Records that a task is unreadable, in place of its annotations. The next pull tries the task again."""
    uid = journal.tasks(project).get(task, (None, "", 0))[0]
    annotation = {"id": f"task {task}", "was_cancelled": False}
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
    keys = (f"{_uid(task) or ''}/{row['id']}" for row in task["annotations"])
    pairs = zip(keys, task["annotations"], strict=True)
    return any(sortable_time(row["updated_at"]) < journal.last_update(key) for key, row in pairs)


def _bodies(task: dict[str, Any], people: _People) -> list[tuple[str, dict[str, Any], bytes]]:
    """(key, annotation, body) of each annotation of an exported task."""
    uid, bodies = _uid(task), []
    for annotation in task["annotations"]:
        author, editor = (people.email(_user_number(annotation[name])) for name in AUTHORS)
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
        users = {name: _user_number(row.annotation[name]) for name in AUTHORS}
        annotation = {**plain, **users, "result": "nested too deeply to be kept"}
        return write_annotation(replace(row, annotation=annotation))


def _data(task: dict[str, Any]) -> dict[str, Any]:
    return task["data"] if isinstance(task["data"], dict) else {}


def _uid(task: dict[str, Any]) -> str | None:
    uid = _data(task).get("uid")
    return uid if isinstance(uid, str) else None


def _summarise(task: dict[str, Any]) -> tuple[int, str | None, str, int]:
    count = int(task["total_annotations"]) + int(task["cancelled_annotations"])
    return task["id"], _uid(task), task["updated_at"], count


def _delete_tasks(journal: Journal, project: int, gone: list[int]) -> int:
    """Deletes the annotations of deleted tasks from the current state; returns their number."""
    if not gone:
        return 0
    with journal.writing():
        live = journal.live_annotations(project)
        keys = [key for task in gone for key in live.get(task, [])]
        journal.delete_annotations(keys)
        journal.forget_tasks(project, gone)
    return len(keys)


def _user_number(value: Any) -> int | None:
    """A user's number, which exports give bare or in an object; None if the account was deleted."""
    number = value.get("id") if isinstance(value, dict) else value
    return None if number is None else int(number)
