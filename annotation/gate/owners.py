"""Looks up the owner of a project, task, annotation or draft.

Caches of a fixed size keep facts that cannot change. The list of projects, with their owners, is read again every half
minute.
"""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from annotation.gate.inner import Inner
from annotation.server.ownership import read_description, user_number

FRESH = 30.0
"""Seconds after which the list of projects is read again."""
SOON = 1.0
"""Seconds between refreshes for an unknown project, so that a new batch appears at once."""
CACHED = 50_000
"""The most tasks, the most annotations and the most drafts in the caches: 5 MB each."""
LISTED = 1000
FIELDS = "id,title,description,task_number,num_tasks_with_annotations,skipped_annotations_number"

Value = TypeVar("Value")


@dataclass(frozen=True)
class Project:
    """A project of Label Studio with its owner and progress."""

    number: int
    title: str
    owner: str
    """The email address of the annotator, in lower case; empty if the project is no annotator's."""
    tasks: int
    done: int
    """Tasks that were answered or skipped."""


@dataclass(frozen=True)
class Progress:
    """The tasks of a project that are done, all its tasks, and its owner's other projects with open tasks."""

    done: int
    tasks: int
    batches: int


@dataclass(frozen=True)
class Author:
    """The task and the account of an annotation or a draft."""

    task: int
    user: int | None
    """The number of the account; None if it was deleted."""


class Cache(Generic[Value]):
    """The values of the keys that were used last, at most ``size``."""

    def __init__(self, size: int):
        self._size, self._values = size, OrderedDict[int, Value]()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: int) -> Value | None:
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return self._values[key]

    def put(self, key: int, value: Value) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._size:
            self._values.popitem(last=False)

    def drop(self, key: int) -> None:
        self._values.pop(key, None)


class Owners:
    """The owners in one Label Studio. Methods raise DownError if Label Studio fails."""

    def __init__(self, inner: Inner, size: int = CACHED, clock: Callable[[], float] = time.monotonic):
        self._inner, self._clock = inner, clock
        self._projects: dict[int, Project] = {}
        self._read_at = -FRESH
        self._reading = asyncio.Lock()
        self.tasks, self.annotations, self.drafts = Cache[int](size), Cache[Author](size), Cache[Author](size)
        self._finished = Cache[Project](size)

    async def projects(self, email: str) -> list[Project]:
        """The projects of an account, the newest first."""
        await self._refresh(SOON)
        return sorted((each for each in self._projects.values() if each.owner == email), key=lambda each: -each.number)

    async def open_projects(self, email: str) -> list[Project]:
        """The projects of an account with open tasks, the oldest first."""
        return [each for each in reversed(await self.projects(email)) if self.is_open(each)]

    async def progress(self, email: str, project: int) -> Progress | None:
        """How far an account is in one of its projects, by Label Studio's present counts; the counts of other projects
        are from the last list. None if the project was deleted."""
        found = await self._inner.ask_as_admin(f"/api/projects/{project}/", {"include": FIELDS})
        if found is None:
            return None
        own = self._projects[project] = _project(found)
        others = [each for each in self._projects.values() if each.owner == email and each.number != project]
        return Progress(own.done, own.tasks, sum(map(self.is_open, others)))

    def is_open(self, project: Project) -> bool:
        """Whether the project has open tasks, as far as known."""
        return project.done < project.tasks and self._finished.get(project.number) != project

    def finish(self, project: int) -> None:
        """Notes that a project has no open task, whatever its counts say, until the counts change."""
        if project in self._projects:
            self._finished.put(project, self._projects[project])

    async def first_open_task(self, project: int) -> int | None:
        """The smallest number of a task that nobody answered or skipped; None without such a task."""
        fields = ("total_annotations", "cancelled_annotations")
        nothing = {"operator": "equal", "type": "Number", "value": 0}
        items = [{"filter": f"filter:tasks:{field}", **nothing} for field in fields]
        query = {"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]}
        parameters = {"project": str(project), "page_size": "1", "include": "id", "query": json.dumps(query)}
        found = await self._inner.ask_as_admin("/api/tasks/", parameters)
        return int(found["tasks"][0]["id"]) if found and found["tasks"] else None

    async def owns_all(self, email: str, user: int, numbers: Mapping[str, int]) -> bool:
        """Whether the project, task, annotation and draft that are named are the account's own and belong together."""
        project, task = numbers.get("project"), numbers.get("task")
        works = {"annotation": (self.annotations, "completed_by"), "draft": (self.drafts, "created_username")}
        for kind, (known, person) in works.items():
            if kind in numbers:
                author = await self._author(kind, numbers[kind], known, person)
                if author is None or author.user != user or task not in (None, author.task):
                    return False
                task = author.task
        if task is not None:
            found = await self._task(task)
            if found is None or project not in (None, found):
                return False
            project = found
        return project is None or await self._owner(project) == email

    async def _owner(self, project: int) -> str | None:
        await self._refresh(FRESH if project in self._projects else SOON)
        known = self._projects.get(project)
        return known.owner if known else None

    async def _refresh(self, age: float) -> None:
        if self._clock() - self._read_at < age:
            return
        async with self._reading:
            if self._clock() - self._read_at < age:  # another request has just read the list
                return
            began, page = self._clock(), 1
            found: dict[int, Project] = {}
            while True:
                parameters = {"include": FIELDS, "page_size": str(LISTED), "page": str(page)}
                listing = await self._inner.ask_as_admin("/api/projects/", parameters) or {"results": [], "next": None}
                found |= {each["id"]: _project(each) for each in listing["results"]}
                if not listing["next"]:
                    break
                page += 1
            self._projects, self._read_at = found, began

    async def _task(self, task: int) -> int | None:
        """The project of a task."""
        known = self.tasks.get(task)
        if known is None and (found := await self._inner.ask_as_admin(f"/api/tasks/{task}/")) is not None:
            known = int(found["project"])
            self.tasks.put(task, known)
        return known

    async def _author(self, kind: str, number: int, known: Cache[Author], person: str) -> Author | None:
        """The author of an annotation or a draft; the field ``person`` of such a record names the user."""
        author = known.get(number)
        if author is None and (found := await self._inner.ask_as_admin(f"/api/{kind}s/{number}/")) is not None:
            author = Author(int(found["task"]), user_number(found[person]))
            known.put(number, author)
        return author


def _project(found: Mapping[str, Any]) -> Project:
    _, owner = read_description(found["description"] or "")
    tasks, answered = found["task_number"] or 0, found["num_tasks_with_annotations"] or 0
    done = min(tasks, answered + (found["skipped_annotations_number"] or 0))
    return Project(found["id"], found["title"] or "", owner, tasks, done)
