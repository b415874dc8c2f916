"""Brings annotations from Label Studio into the journal: those that changed, and news of those that went.

Everything is saved as it came, before it is understood. To read it again, or late, changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from annotation.errors import UserError
from annotation.journal import Journal, Seen
from annotation.studio import EXPORTED, MissingError, Studio, TaskState
from annotation.tasks import shown_digest

LATE = timedelta(minutes=5)
"""How long a change may take to appear behind newer ones. A quick pull counts the changes of that time, and reads them
again only where it knows fewer or more; a sweep looks at everything."""

Tell = Callable[[int, int], None]


@dataclass
class Pulled:
    """What a pull added to the journal."""

    kept: int = 0
    """Annotations that are new or have changed."""
    deleted: int = 0
    gone: list[str] = field(default_factory=list)
    """Places whose project is no longer there; what is in the journal stays and counts."""
    revision: int = 0

    def merge(self, other: "Pulled") -> None:
        self.kept += other.kept
        self.deleted += other.deleted
        self.gone = other.gone
        self.revision = other.revision


def pull(journal: Journal, studio: Studio, *, sweep: bool = True, tell: Tell = lambda done, total: None) -> Pulled:
    """Every project of the campaign.

    A quick pull (``sweep`` false) asks for tasks changed since the last one; a sweep compares all of them, which also
    finds deleted annotations and tasks. Raises RunError when Label Studio fails; what came before it is in the journal.
    """
    projects = journal.projects()
    if not projects:
        raise UserError(f"{journal.path.parent} has no project in Label Studio yet: run gristmill campaign push")
    people, pulled = studio.people(), Pulled()
    looks = []
    for place, project in projects.items():
        cached, live = journal.tasks(project), journal.live(project)
        try:
            states = studio.task_states(project) if sweep else _recent(studio, project, cached)
        except MissingError:
            pulled.gone.append(place)
            continue
        present = {state.task for state in states}
        gone = [task for task in cached.keys() | live.keys() if task not in present] if sweep else []
        changed = _changed(states, cached, live)
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
            pulled.merge(_take(journal, studio, project, numbers, people, pulled.gone))
            done += len(numbers)
            tell(done, total)
        pulled.deleted += _forget(journal, project, gone)
    pulled.revision = journal.revision
    return pulled


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


def _changed(states: list[TaskState], cached: dict[int, Seen], live: dict[int, list[str]]) -> list[int]:
    """Tasks that are not as they were when they were read last; those that nobody has touched are none of them."""
    out = []
    for state in states:
        known = cached.get(state.task)
        if known is not None and known[1:] == (state.updated, state.annotations):
            continue
        if state.annotations or state.task in live or (known is not None and known[2]):
            out.append(state.task)
    return out


def _take(
    journal: Journal, studio: Studio, project: int, numbers: list[int], people: dict[int, str], gone: list[str]
) -> Pulled:
    tasks = list(studio.tasks(project, numbers))
    taken = Pulled(gone=gone)
    with journal.writing():
        live = journal.live(project)
        for task in tasks:
            seen = set()
            for key, annotation, body in _bodies(task, people):
                seen.add(key)
                updated, skipped = annotation["updated_at"], annotation["was_cancelled"]
                taken.kept += journal.keep_annotation(key, project, task["id"], updated, body, skipped=skipped)
            missing = [key for key in live.get(task["id"], []) if key not in seen]
            journal.delete_annotations(missing)
            taken.deleted += len(missing)
        journal.remember_tasks(project, (_seen(task) for task in tasks))
    return taken


def _bodies(task: dict[str, Any], people: dict[int, str]) -> list[tuple[str, dict[str, Any], bytes]]:
    """(key, annotation, body) of each annotation of an exported task."""
    data = task["data"] if isinstance(task["data"], dict) else {}
    uid = _text(data.get("uid"))
    out = []
    for annotation in task["annotations"]:
        body = {
            "uid": uid,
            "shown": shown_digest(data).hex(),
            "author": people.get(_number(annotation["completed_by"])),
            "editor": people.get(_number(annotation["updated_by"])) if annotation["updated_by"] else None,
            "project": task["project"],
            "task": task["id"],
            "annotation": annotation,
        }
        key = f"{uid or ''}/{annotation['id']}"
        out.append((key, annotation, orjson.dumps(body, option=orjson.OPT_SORT_KEYS)))
    return out


def _seen(task: dict[str, Any]) -> tuple[int, str | None, str, int]:
    data = task["data"] if isinstance(task["data"], dict) else {}
    count = int(task["total_annotations"]) + int(task["cancelled_annotations"])
    return task["id"], _text(data.get("uid")), task["updated_at"], count


def _forget(journal: Journal, project: int, gone: list[int]) -> int:
    """Annotations of tasks that are no longer there count as deleted."""
    if not gone:
        return 0
    with journal.writing():
        live = journal.live(project)
        keys = [key for task in gone for key in live.get(task, [])]
        journal.delete_annotations(keys)
        journal.forget_tasks(project, gone)
    return len(keys)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Any) -> int:
    """A user's number; exports give it bare or in an object."""
    return int(value["id"] if isinstance(value, dict) else value)
