"""Label Studio's projects and tasks as of the last push or pull: a cache, which can be out of date, and be rebuilt."""

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from annotation.journal.places import Place

CachedTask = tuple[str | None, str, int]
"""A task when it was last pulled: its uid, the time of its last change (empty if unknown), and its number of
annotations."""


class Cache:
    """The tables ``project`` and ``task`` of a journal's file. ``writing`` runs a block as a transaction."""

    def __init__(self, db: sqlite3.Connection, writing: Callable[[], AbstractContextManager[None]]):
        self._db, self._writing = db, writing

    def project(self, place: Place) -> int | None:
        row = self._db.execute("SELECT project FROM project WHERE place = ?", (str(place),)).fetchone()
        return row[0] if row else None

    def projects(self) -> dict[Place, int]:
        """The project number of each place."""
        found = self._db.execute("SELECT place, project FROM project ORDER BY place")
        return {Place.parse(place): project for place, project in found}

    def remember_project(self, place: Place, project: int | None) -> None:
        """Stores the project number of a place, and forgets the tasks of its former project. None removes the place."""
        with self._writing():
            former = self.project(place)
            if former is not None and former != project:
                self.forget_all_tasks(former)
            if project is None:
                self._db.execute("DELETE FROM project WHERE place = ?", (str(place),))
            else:
                self._db.execute("INSERT OR REPLACE INTO project (place, project) VALUES (?, ?)", (str(place), project))

    def tasks(self, project: int) -> dict[int, CachedTask]:
        """The cached tasks of a project, by number."""
        found = self._db.execute("SELECT task, uid, updated, annotations FROM task WHERE project = ?", (project,))
        return {task: (uid, updated, annotations) for task, uid, updated, annotations in found}

    def remember_tasks(self, project: int, rows: Iterable[tuple[int, str | None, str, int]]) -> None:
        """Stores rows of (task, uid, updated, annotations)."""
        statement = "INSERT OR REPLACE INTO task (project, task, uid, updated, annotations) VALUES (?, ?, ?, ?, ?)"
        self._db.executemany(statement, ((project, *row) for row in rows))

    def forget_tasks(self, project: int, tasks: Iterable[int]) -> None:
        self._db.executemany("DELETE FROM task WHERE project = ? AND task = ?", ((project, task) for task in tasks))

    def forget_all_tasks(self, project: int) -> None:
        self._db.execute("DELETE FROM task WHERE project = ?", (project,))

    def clear(self) -> None:
        self._db.execute("DELETE FROM task")
        self._db.execute("DELETE FROM project")
