"""The campaign's memory: an append-only journal in SQLite, and beside it a cache that can be rebuilt."""

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
"""The file of a campaign's folder that holds its journal."""
FORMAT = 1

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
    "campaign",  # the campaign's own secret id; the first row
    "settings",  # body: Settings of `bodies`, whenever they changed
    "annotator",  # key: email; body: the pseudonym
    "batch",  # key: name; body: Batch of `bodies`
    "pairs",  # key: batch; body: PAIRS rows as an Arrow stream
    "tasks",  # key: batch; body: TASKS rows as an Arrow stream
    "dropped",  # key: uid; the task was taken from its annotator
    "withdrawn",  # key: pseudonym; no vote counts; body false undoes this
    "annotation",  # key: uid/annotation id; body: AnnotationRow of `bodies`
    "deleted",  # key: uid/annotation id; the annotation no longer exists
)
"""What rows of the journal say."""

Seen = tuple[str | None, str, int]
"""A task as it was seen last: its uid, the time of its last change (empty: not known) and its annotations."""


class Journal:
    """``campaign.db``. Rows of the journal are never changed; a revision is the number of its last row."""

    def __init__(self, path: Path, *, create: bool = False):
        if not path.exists():
            if not create:
                raise UserError(
                    f"{path.parent} has no {path.name} yet: nothing was pushed; run gristmill campaign push"
                )
            try:
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            except OSError as error:
                raise UserError(f"{path} cannot be made ({error.strerror}): choose a folder to write in") from error
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
            with self.lock():  # SQLite does not wait where two processes change the mode at once: one of them fails
                if self._mode() != "wal":
                    self._db.execute("PRAGMA journal_mode = WAL")
        if self._format() != FORMAT:
            with self.writing():  # one of several processes makes the tables; the others wait
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
            raise UserError(f"{self.path} was written by a newer Gristmill (format {version}): upgrade this one")
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
        """Lets a single process at a time run the block; others wait. A killed process loses the lock."""
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
        """A transaction: all writes of the block are kept, or none; other processes wait."""
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
        """(kind, key, body) of the rows of these kinds in the order of their revisions, up to ``as_of``."""
        marks = ", ".join("?" * len(kinds))
        limit = (1 << 62) if as_of is None else as_of
        kind = "+kind" if "annotation" in kinds else "kind"  # most rows: read them in order rather than by the index
        statement = f"SELECT kind, key, body FROM journal WHERE {kind} IN ({marks}) AND revision <= ? ORDER BY revision"
        return iter(self._db.execute(statement, (*kinds, limit)))

    def newest_body(self, kind: str, key: str) -> bytes | None:
        statement = "SELECT body FROM journal WHERE kind = ? AND key = ? ORDER BY revision DESC LIMIT 1"
        row = self._db.execute(statement, (kind, key)).fetchone()
        return row[0] if row else None

    # Annotations: the journal's, with an index of those that are there now

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
        """Appends an annotation unless the journal has this or a newer state of it; returns whether it did.

        ``confirmed``: a newer state that is known does not matter, the server's clock was set back.
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
        """Task number to the keys of its annotations."""
        out: dict[int, list[str]] = {}
        for task, key in self._db.execute("SELECT task, key FROM live WHERE project = ? ORDER BY key", (project,)):
            out.setdefault(task, []).append(key)
        return out

    def detach(self, project: int) -> None:
        """Forgets the number of a deleted project, which another may get; annotations pulled from it stay."""
        with self.writing():
            self._db.execute("UPDATE live SET project = 0, task = 0 WHERE project = ?", (project,))
            self._db.execute("DELETE FROM task WHERE project = ?", (project,))

    def voted_uids(self) -> set[str]:
        """The uids of tasks with an annotation that is not a skip."""
        return {key.partition("/")[0] for (key,) in self._db.execute("SELECT key FROM live WHERE skipped = 0")}

    # What Label Studio held when it was last looked at: a cache, never the truth

    def project(self, place: str) -> int | None:
        row = self._db.execute("SELECT project FROM project WHERE place = ?", (place,)).fetchone()
        return row[0] if row else None

    def projects(self) -> dict[str, int]:
        """Place (see push) to the number of its project."""
        return dict(self._db.execute("SELECT place, project FROM project ORDER BY place"))

    def remember_project(self, place: str, project: int | None) -> None:
        """Another number for a place forgets the tasks of the former; None forgets the place."""
        with self.writing():
            former = self.project(place)
            if former is not None and former != project:
                self._db.execute("DELETE FROM task WHERE project = ?", (former,))
            if project is None:
                self._db.execute("DELETE FROM project WHERE place = ?", (place,))
            else:
                self._db.execute("INSERT OR REPLACE INTO project (place, project) VALUES (?, ?)", (place, project))

    def tasks(self, project: int) -> dict[int, Seen]:
        """The tasks of a project by number."""
        found = self._db.execute("SELECT task, uid, updated, annotations FROM task WHERE project = ?", (project,))
        return {task: (uid, updated, annotations) for task, uid, updated, annotations in found}

    def remember_tasks(self, project: int, rows: Iterable[tuple[int, str | None, str, int]]) -> None:
        """Rows of (task, uid, updated, annotations)."""
        statement = "INSERT OR REPLACE INTO task (project, task, uid, updated, annotations) VALUES (?, ?, ?, ?, ?)"
        self._db.executemany(statement, ((project, *row) for row in rows))

    def forget_tasks(self, project: int, tasks: Iterable[int]) -> None:
        self._db.executemany("DELETE FROM task WHERE project = ? AND task = ?", ((project, task) for task in tasks))


def _unwritable_error(path: Path) -> UserError:
    return UserError(f"the campaign's store {path} cannot be written: give its folder and files to whoever runs this")


def _failure(path: Path, error: sqlite3.Error) -> Exception:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return _unwritable_error(path)
    return RunError(f"the campaign's store {path} fails ({error}): wait for other commands, look for room on the disk")


def sortable_time(moment: str) -> str:
    """A time of Label Studio's (ISO 8601, UTC) so that it sorts as a text: a fraction of zero is left out there.

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
