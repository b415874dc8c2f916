"""Stores a campaign in SQLite: an append-only journal, and a cache of Label Studio's state that can be rebuilt."""

import fcntl
import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from schemas.errors import RunError, UserError

STORE = "campaign.db"
"""The name of the journal's file in a campaign's folder."""
FORMAT = 1
"""The version of the file's layout, stored as SQLite's user_version."""

_SCHEMA = """
CREATE TABLE journal (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX journal_kind ON journal (kind, key);
CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
    BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_is_never_cut BEFORE DELETE ON journal
    BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;
CREATE TABLE project (place TEXT PRIMARY KEY, project INTEGER NOT NULL) STRICT;
CREATE TABLE task (
    project INTEGER NOT NULL,
    task INTEGER NOT NULL,
    uid TEXT,
    updated TEXT NOT NULL,
    annotations INTEGER NOT NULL,
    PRIMARY KEY (project, task)
) STRICT, WITHOUT ROWID;
CREATE TABLE live (
    key TEXT PRIMARY KEY,
    project INTEGER NOT NULL,
    task INTEGER NOT NULL,
    updated TEXT NOT NULL,
    digest BLOB NOT NULL,
    skipped INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX live_task ON live (project, task);
"""

KINDS = (
    "campaign",  # key: id; body: the campaign's secret id; always the first row
    "settings",  # body: Settings of `bodies`; a row for each change
    "annotator",  # key: email; body: the pseudonym
    "batch",  # key: name; body: Batch of `bodies`
    "pairs",  # key: batch; body: PAIRS rows as an Arrow stream
    "tasks",  # key: batch; body: TASKS rows as an Arrow stream
    "dropped",  # key: uid of a task that was taken from its annotator
    "withdrawn",  # key: pseudonym; body: true if the votes of this person do not count, false to undo this
    "annotation",  # key: uid/annotation id; body: AnnotationRow of `bodies`
    "deleted",  # key: uid/annotation id of an annotation that was deleted in Label Studio
)
"""The kinds of rows."""

Seen = tuple[str | None, str, int]
"""A task when it was last pulled: its uid, the time of its last change (empty if unknown), and its number of
annotations."""


class Journal:
    """An open ``campaign.db``. Rows are never changed; a revision is the number of the last row that it includes.

    Raises UserError if the file is missing (unless ``create``), cannot be written, or has a newer format; RunError if
    SQLite fails.
    """

    def __init__(self, path: Path, *, create: bool = False):
        if not path.exists():
            if not create:
                raise UserError(f"{path.parent} has no {path.name} yet: run gristmill campaign push first")
            try:
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            except OSError as error:
                raise UserError(
                    f"{path} cannot be created ({error.strerror}): choose a folder that you can write to"
                ) from error
        self.path = path
        try:
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None)
        except sqlite3.Error as error:
            raise _failure(path, error) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._db.close()
            raise _failure(path, error) from error
        except UserError:
            self._db.close()
            raise

    def _prepare(self) -> None:
        self._db.execute("PRAGMA synchronous = NORMAL")
        if self._mode() != "wal":
            with self.lock():  # if two processes change the mode at once, SQLite fails in one of them
                if self._mode() != "wal":
                    self._db.execute("PRAGMA journal_mode = WAL")
        if self._format() != FORMAT:
            with self.writing():  # the first of several processes creates the tables; the others wait
                if self._format() == 0:
                    for statement in _statements(_SCHEMA):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version = {FORMAT}")
                    self.append("campaign", "id", orjson.dumps(secrets.token_hex(16)))

    def _mode(self) -> str:
        [mode] = self._db.execute("PRAGMA journal_mode").fetchone()
        return str(mode)

    def _format(self) -> int:
        [version] = self._db.execute("PRAGMA user_version").fetchone()
        if version > FORMAT:
            raise UserError(
                f"{self.path} was written by a newer version of Gristmill (format {version}): upgrade Gristmill"
            )
        return int(version)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: object, error: object, *_: object) -> None:
        self.close()
        if isinstance(error, sqlite3.Error):
            raise _failure(self.path, error) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Runs the block in one process at a time; other processes wait. A process that is killed loses the lock."""
        try:
            handle = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unwritable_error(self.path) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Runs the block as a transaction, which is rolled back if the block raises; other writers wait."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # The journal

    @property
    def revision(self) -> int:
        return int(self._db.execute("SELECT coalesce(max(revision), 0) FROM journal").fetchone()[0])

    @property
    def campaign_id(self) -> str:
        [body] = self._db.execute("SELECT body FROM journal WHERE revision = 1").fetchone()
        return str(orjson.loads(body))

    def append(self, kind: str, key: str, body: bytes) -> None:
        assert kind in KINDS, kind
        self._db.execute("INSERT INTO journal (kind, key, body) VALUES (?, ?, ?)", (kind, key, body))

    def extend(self, kind: str, rows: Iterable[tuple[str, bytes]]) -> None:
        assert kind in KINDS, kind
        statement = "INSERT INTO journal (kind, key, body) VALUES (?, ?, ?)"
        self._db.executemany(statement, ((kind, key, body) for key, body in rows))

    def rows(self, *kinds: str, as_of: int | None = None) -> Iterator[tuple[str, str, bytes]]:
        """Yields (kind, key, body) of the rows of these kinds up to revision ``as_of`` (None: all), in order."""
        marks = ", ".join("?" * len(kinds))
        limit = (1 << 62) if as_of is None else as_of
        kind = (
            "+kind" if "annotation" in kinds else "kind"
        )  # "+" disables the index: most rows are annotations, and a scan reads them faster
        statement = f"SELECT kind, key, body FROM journal WHERE {kind} IN ({marks}) AND revision <= ? ORDER BY revision"
        return iter(self._db.execute(statement, (*kinds, limit)))

    def newest_body(self, kind: str, key: str) -> bytes | None:
        statement = "SELECT body FROM journal WHERE kind = ? AND key = ? ORDER BY revision DESC LIMIT 1"
        row = self._db.execute(statement, (kind, key)).fetchone()
        return row[0] if row else None

    # Annotations: rows of the journal, and the table ``live``, an index of the annotations that exist now

    def keep_annotation(
        self,
        key: str,
        project: int,
        task: int,
        updated: str,
        body: bytes,
        *,
        skipped: bool = False,
        confirmed: bool = False,
    ) -> bool:
        """Appends an annotation and returns True, unless the journal has the same or a newer state of the annotation.

        ``confirmed``: Label Studio returned this state twice. The state is then appended even if the journal has a
        later one, because the server's clock was set back.
        """
        updated, digest = sortable_time(updated), hashlib.blake2b(body, digest_size=16).digest()
        known = self._db.execute("SELECT updated, digest FROM live WHERE key = ?", (key,)).fetchone()
        if known and ((updated < known[0] and not confirmed) or digest == known[1]):
            self._db.execute("UPDATE live SET project = ?, task = ? WHERE key = ?", (project, task, key))
            return False
        self.append("annotation", key, body)
        row = (key, project, task, updated, digest, skipped)
        self._db.execute("INSERT OR REPLACE INTO live VALUES (?, ?, ?, ?, ?, ?)", row)
        return True

    def last_update(self, key: str) -> str:
        """The time of the annotation's last known change; empty if the annotation does not exist."""
        row = self._db.execute("SELECT updated FROM live WHERE key = ?", (key,)).fetchone()
        return row[0] if row else ""

    def delete_annotations(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.append("deleted", key, b"null")
            self._db.execute("DELETE FROM live WHERE key = ?", (key,))

    def live_annotations(self, project: int) -> dict[int, list[str]]:
        """The keys of the existing annotations of each task in a project, by task number."""
        out: dict[int, list[str]] = {}
        for task, key in self._db.execute("SELECT task, key FROM live WHERE project = ? ORDER BY key", (project,)):
            out.setdefault(task, []).append(key)
        return out

    def detach(self, project: int) -> None:
        """Forgets the number of a deleted project, which Label Studio may reuse. Pulled annotations stay."""
        with self.writing():
            self._db.execute("UPDATE live SET project = 0, task = 0 WHERE project = ?", (project,))
            self._db.execute("DELETE FROM task WHERE project = ?", (project,))

    def voted_uids(self) -> set[str]:
        """The uids of tasks that have an annotation other than a skip."""
        return {key.partition("/")[0] for (key,) in self._db.execute("SELECT key FROM live WHERE skipped = 0")}

    # A cache of Label Studio's state at the last push or pull, which can be out of date

    def project(self, place: str) -> int | None:
        row = self._db.execute("SELECT project FROM project WHERE place = ?", (place,)).fetchone()
        return row[0] if row else None

    def projects(self) -> dict[str, int]:
        """The project number of each place, which is batch/round/annotator."""
        return dict(self._db.execute("SELECT place, project FROM project ORDER BY place"))

    def remember_project(self, place: str, project: int | None) -> None:
        """Stores the project number of a place, and forgets the tasks of its former project. None removes the place."""
        with self.writing():
            former = self.project(place)
            if former is not None and former != project:
                self._db.execute("DELETE FROM task WHERE project = ?", (former,))
            if project is None:
                self._db.execute("DELETE FROM project WHERE place = ?", (place,))
            else:
                self._db.execute("INSERT OR REPLACE INTO project (place, project) VALUES (?, ?)", (place, project))

    def tasks(self, project: int) -> dict[int, Seen]:
        """The cached tasks of a project, by number."""
        found = self._db.execute("SELECT task, uid, updated, annotations FROM task WHERE project = ?", (project,))
        return {task: (uid, updated, annotations) for task, uid, updated, annotations in found}

    def remember_tasks(self, project: int, rows: Iterable[tuple[int, str | None, str, int]]) -> None:
        """Stores rows of (task, uid, updated, annotations) in the cache."""
        statement = "INSERT OR REPLACE INTO task (project, task, uid, updated, annotations) VALUES (?, ?, ?, ?, ?)"
        self._db.executemany(statement, ((project, *row) for row in rows))

    def forget_tasks(self, project: int, tasks: Iterable[int]) -> None:
        self._db.executemany("DELETE FROM task WHERE project = ? AND task = ?", ((project, task) for task in tasks))


def _unwritable_error(path: Path) -> UserError:
    return UserError(f"the journal {path} cannot be written: let this user write to its folder and files")


def _failure(path: Path, error: sqlite3.Error) -> Exception:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return _unwritable_error(path)
    return RunError(
        f"the journal {path} fails ({error}): let other commands finish, check for free disk space, and retry"
    )


def sortable_time(moment: str) -> str:
    """Converts a time of Label Studio (ISO 8601, UTC) to a form in which times sort as text.

    Label Studio leaves out the fraction of a second if it is zero.

    >>> sortable_time("2026-01-02T03:04:05Z")
    '2026-01-02T03:04:05.000000Z'
    """
    return moment if "." in moment else moment.removesuffix("Z") + ".000000Z"


def _statements(script: str) -> Iterator[str]:
    collected = ""
    for line in script.splitlines(keepends=True):
        collected += line
        if sqlite3.complete_statement(collected):
            yield collected
            collected = ""
