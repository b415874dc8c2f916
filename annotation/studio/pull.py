"""Brings annotations from Label Studio into the journal: those that changed, and news of those that went.

Everything is saved as it came, before it is understood. To read it again, or late, changes nothing.
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
"""How long a change may take to appear behind newer ones. A quick pull counts the changes of that time, and reads them
again only where it knows fewer or more; a sweep looks at everything."""

AUTHORS = ("completed_by", "updated_by")
"""Who made an annotation, and who changed it last."""


@dataclass
class Pulled:
    """What a pull added to the journal."""

    kept: int = 0
    """Annotations that are new or have changed."""
    deleted: int = 0
    gone: list[str] = field(default_factory=list)
    """Places whose project is no longer there; what is in the journal stays and counts."""
    revision: int = 0


def pull(journal: Journal, studio: Studio, *, sweep: bool = True, tell: Tell = ignore_progress) -> Pulled:
    """Every project of the campaign.

    A quick pull (``sweep`` false) asks for tasks changed since the last one; a sweep compares all of them, which also
    finds deleted annotations and tasks. Raises RunError when Label Studio fails; what came before it is in the journal.
    """
    if not journal.projects():
        raise UserError(f"{journal.path.parent} has no project in Label Studio: run gristmill campaign push")
    pulled, people, looks = Pulled(), _People(studio), []
    for place, project in _projects(journal, studio, pulled):
        cached, live = journal.tasks(project), journal.live_annotations(project)
        try:
            states = studio.task_states(project) if sweep else _recent(studio, project, cached)
        except MissingError:
            pulled.gone.append(place)
            continue
        present = {state.task for state in states}
        gone = [task for task in cached.keys() | live.keys() if task not in present] if sweep else []
        changed = _find_changed(states, cached, live)
        with journal.writing():
            skip = set(changed)
            untouched = (state for state in states if state.task not in skip and state.task in cached)
            journal.remember_tasks(
                project, ((each.task, cached[each.task][0], each.updated, each.annotations) for each in untouched)
            )
        looks.append((project, changed, gone))
    total, done = sum(len(changed) for _, changed, _ in looks), 0
    for project, changed, gone in looks:
        for start in range(0, len(changed), EXPORTED):
            numbers = changed[start : start + EXPORTED]
            _take(journal, studio, project, numbers, people, pulled)
            done += len(numbers)
            tell(done, total)
        pulled.deleted += _forget(journal, project, gone)
    pulled.revision = journal.revision
    return pulled


def _projects(journal: Journal, studio: Studio, pulled: Pulled) -> list[tuple[str, int]]:
    """(place, project) of those that are the campaign's by their marker: on another server, or on one that was made
    anew, their numbers are somebody else's. A place may have two, where a push was repeated on its way."""
    found: dict[str, list[int]] = {}
    for project in studio.projects():
        found.setdefault(project.marker, []).append(project.project)
    campaign, out = journal.campaign_id, []
    for place in journal.projects():
        numbers = found.get(marker(campaign, place), [])
        out += [(place, number) for number in numbers]
        if not numbers:
            pulled.gone.append(place)
    return out


class _People:
    """User number to email address; asked again when somebody appears who was not there."""

    def __init__(self, studio: Studio):
        self._studio, self._emails, self._unknown = studio, studio.people(), set[int]()

    def meet(self, numbers: Iterable[int | None]) -> None:
        strangers = {number for number in numbers if number is not None} - self._emails.keys() - self._unknown
        if strangers:
            self._emails |= self._studio.people()
            self._unknown |= strangers - self._emails.keys()

    def email(self, number: int | None) -> str | None:
        return None if number is None else self._emails.get(number)


def _recent(studio: Studio, project: int, cached: dict[int, Seen]) -> list[TaskState]:
    """The tasks that changed since the newest change that is known, and those that changed late."""
    newest = max((updated for _, updated, _ in cached.values()), default="")
    if not newest:
        return studio.task_states(project)
    states = studio.task_states(project, newest)
    late = (datetime.fromisoformat(newest) - LATE).isoformat(timespec="microseconds").replace("+00:00", "Z")
    moved = {state.task for state in states}
    known = sum(late <= updated < newest and task not in moved for task, (_, updated, _) in cached.items())
    return states if studio.count_changed(project, late, newest) == known else studio.task_states(project, late)


def _find_changed(states: list[TaskState], cached: dict[int, Seen], live: dict[int, list[str]]) -> list[int]:
    """Tasks that changed since they were last read; a task that nobody has annotated yet is not among them."""
    out = []
    for state in states:
        known = cached.get(state.task)
        if known is not None and known[1:] == (state.updated, state.annotations):
            continue
        if state.annotations or state.task in live or (known is not None and known[2]):
            out.append(state.task)
    return out


def _take(journal: Journal, studio: Studio, project: int, numbers: list[int], people: _People, pulled: Pulled) -> None:
    tasks, unreadable = _read(studio, project, numbers)
    people.meet(_number(each[name]) for task in tasks for each in task["annotations"] for name in AUTHORS)
    behind = [task["id"] for task in tasks if _is_behind(journal, task)]
    again = {task["id"]: task for task in _read(studio, project, behind)[0]}
    with journal.writing():
        live = journal.live_annotations(project)
        for task in tasks:
            seen = set()
            for key, annotation, body in _bodies(again.get(task["id"], task), people):
                seen.add(key)
                updated, skipped = annotation["updated_at"], annotation["was_cancelled"]
                if annotation["completed_by"] is None and sortable_time(updated) == journal.last_update(key):
                    continue  # the account was deleted, and nothing else: it is known whose vote it is
                pulled.kept += journal.keep_annotation(
                    key, project, task["id"], updated, body, skipped=skipped, confirmed=task["id"] in again
                )
            missing = [key for key in live.get(task["id"], []) if key not in seen]
            journal.delete_annotations(missing)
            pulled.deleted += len(missing)
        journal.remember_tasks(project, (_summarise(again.get(task["id"], task)) for task in tasks))
        pulled.kept += sum(_keep_unreadable(journal, project, number) for number in unreadable)


def _keep_unreadable(journal: Journal, project: int, task: int) -> bool:
    """A row that says so in place of the task's annotations; as the task is not remembered, it is asked for again."""
    uid = journal.tasks(project).get(task, (None, "", 0))[0]
    annotation = {"id": f"task {task}", "was_cancelled": False}
    row = AnnotationRow(uid, "", None, None, project, task, annotation)
    key = f"{uid or ''}/{annotation['id']}"
    return journal.keep_annotation(key, project, task, "", write_annotation(row), skipped=True)


def _read(studio: Studio, project: int, numbers: list[int]) -> tuple[list[dict[str, Any]], list[int]]:
    """Tasks with their annotations, and the numbers of those that Label Studio cannot give out.

    It stores answers that it cannot put into words again (half a character, an infinite number), and then fails for
    every task of the same request.
    """
    if not numbers:
        return [], []
    try:
        return list(studio.tasks(project, numbers, attempts=2 if len(numbers) > 1 else ATTEMPTS)), []
    except FailedError:
        if len(numbers) == 1:
            studio.people()  # raises where nothing else can be had, either
            return [], numbers
    half = len(numbers) // 2
    first, second = _read(studio, project, numbers[:half]), _read(studio, project, numbers[half:])
    return first[0] + second[0], first[1] + second[1]


def _is_behind(journal: Journal, task: dict[str, Any]) -> bool:
    """Whether an annotation is older than it was before: the answer is a late one, or the server's clock was set back.
    Who asks again is told the truth."""
    keys = (f"{_uid(task) or ''}/{each['id']}" for each in task["annotations"])
    pairs = zip(keys, task["annotations"], strict=True)
    return any(sortable_time(each["updated_at"]) < journal.last_update(key) for key, each in pairs)


def _bodies(task: dict[str, Any], people: _People) -> list[tuple[str, dict[str, Any], bytes]]:
    """(key, annotation, body) of each annotation of an exported task."""
    uid, out = _uid(task), []
    for annotation in task["annotations"]:
        author, editor = (people.email(_number(annotation[name])) for name in AUTHORS)
        shown = shown_digest(_data(task)).hex()
        row = AnnotationRow(uid, shown, author, editor, task["project"], task["id"], annotation)
        out.append((f"{uid or ''}/{annotation['id']}", annotation, _write_row(row)))
    return out


def _write_row(row: AnnotationRow) -> bytes:
    """The body of a row; a result that nests too deeply to be one of our pages' as a text, which is no result."""
    try:
        return write_annotation(row)
    except orjson.JSONEncodeError:
        plain = {name: value for name, value in row.annotation.items() if not isinstance(value, list | dict)}
        users = {name: _number(row.annotation[name]) for name in AUTHORS}
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


def _forget(journal: Journal, project: int, gone: list[int]) -> int:
    """Annotations of tasks that are no longer there count as deleted."""
    if not gone:
        return 0
    with journal.writing():
        live = journal.live_annotations(project)
        keys = [key for task in gone for key in live.get(task, [])]
        journal.delete_annotations(keys)
        journal.forget_tasks(project, gone)
    return len(keys)


def _number(value: Any) -> int | None:
    """A user's number; exports give it bare or in an object, or null where the account was deleted."""
    number = value.get("id") if isinstance(value, dict) else value
    return None if number is None else int(number)
