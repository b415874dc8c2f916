"""The book of a judge: every answer that arrived, by the content of its request (SQLite).

An answer is stored as soon as it arrives, and never changes; failures are not stored. A later answer to the same
request takes its place, and the earlier one is kept for its cost. A request in flight is noted until its answer or
failure is known, so that after a kill the book says which requests may have been paid for without an answer.
"""

import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from annotation.evaluation.replies import Reply
from schemas.errors import CHANGED, DamagedError, RunError, UserError
from schemas.folders import lock
from schemas.records import from_json, to_json

FORMAT = 2
"""The version of the file's layout, stored as SQLite's user_version. Version 1 lost answers that were asked again."""
BOOK = "judge.db"
"""The usual name of a book."""
_APPLICATION = 0x6A756467
"""SQLite's application_id of a book."""

_SCHEMA = (
    "CREATE TABLE answer (request BLOB PRIMARY KEY, body BLOB NOT NULL, reply BLOB NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE flight (request BLOB PRIMARY KEY) STRICT, WITHOUT ROWID",
    f"PRAGMA application_id = {_APPLICATION}",
)
_SINCE_2 = (
    "CREATE TABLE replaced (request BLOB NOT NULL, reply BLOB NOT NULL) STRICT",
    "CREATE INDEX replaced_request ON replaced (request)",
    f"PRAGMA user_version = {FORMAT}",
)
_FIRST = {"answer": 1, "replaced": 2}
"""The first version whose books have the table."""
_AT_ONCE = 500
"""Answers that are looked up in one statement."""


@dataclass(frozen=True)
class Request:
    """A request: the JSON body that is sent to the endpoint, and its key, the SHA-256 of all that went into it."""

    key: bytes
    body: Mapping[str, Any]


def request_of(template: str, body: Mapping[str, Any]) -> Request:
    """The request of a body that was made with the template of that digest."""
    content = orjson.dumps({"template": template, "body": body}, option=orjson.OPT_SORT_KEYS)
    return Request(hashlib.sha256(content).digest(), body)


class Book:
    """An open book: in one process at a time, or in any number if ``read_only``, which changes no file.

    Raises UserError if the file cannot be opened or is not a book, or if another process writes it; DamagedError if it
    is damaged, RunError if SQLite fails, such as on a full disk.
    """

    def __init__(self, path: Path, *, read_only: bool = False):
        self.path = path
        self._lock: int | None = None
        flags, done = (os.O_RDONLY, "read") if read_only else (os.O_CREAT | os.O_RDWR, "written")
        try:
            if not read_only:
                self._lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            os.close(os.open(path, flags, 0o600))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UserError(f"the book {path} cannot be {done} ({reason}): name another file with --book") from error
        if self._lock is not None and not lock(self._lock):
            os.close(self._lock)
            raise UserError(f"the book {path} is in use by another run: wait until it ends, or name another --book")
        self._db = sqlite3.connect(_uri(path, read_only), isolation_level=None, uri=True)
        try:
            self._prepare(read_only)
        except BaseException:
            self.close()
            raise

    def _prepare(self, read_only: bool) -> None:
        with self._failures():
            [version], [application] = (
                self._db.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "application_id")
            )
            tables = self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            if (application != _APPLICATION and tables) or version > FORMAT:
                wrong = "was written by a newer Gristmill" if application == _APPLICATION else "is not a judge's book"
                raise UserError(f"{self.path} {wrong}: name another file with --book")
            self._version = version if read_only else FORMAT
            if read_only:
                return
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")  # an answer was paid for: it outlives a power cut
            if version < FORMAT:
                self._db.execute("BEGIN IMMEDIATE")
                for statement in (*(_SCHEMA if version == 0 else ()), *_SINCE_2):
                    self._db.execute(statement)
                self._db.execute("COMMIT")

    def answers(self, keys: Iterable[bytes]) -> dict[bytes, Reply]:
        """The stored answers to these requests, by key."""
        return dict(self._replies("answer", keys))

    def replaced(self, keys: Iterable[bytes]) -> list[tuple[bytes, Reply]]:
        """The answers to these requests, with the request's key, that a later answer replaced. They were paid for."""
        return sorted(self._replies("replaced", keys), key=lambda each: each[0])

    def _replies(self, table: str, keys: Iterable[bytes]) -> Iterator[tuple[bytes, Reply]]:
        wanted = list(dict.fromkeys(keys)) if self._version >= _FIRST[table] else []
        with self._failures():
            for start in range(0, len(wanted), _AT_ONCE):
                part = wanted[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                rows = self._db.execute(f"SELECT request, reply FROM {table} WHERE request IN ({marks})", part)
                yield from ((key, self._reply(reply)) for key, reply in rows)

    def _reply(self, stored: bytes) -> Reply:
        try:
            return from_json(Reply, orjson.loads(stored), str(self.path))
        except orjson.JSONDecodeError as error:
            raise DamagedError(f"{self.path} holds an answer that is not JSON ({error}): {CHANGED}") from error

    def in_flight(self) -> set[bytes]:
        """The keys of requests that were sent and of which neither an answer nor a failure is known."""
        with self._failures():
            return {key for (key,) in self._db.execute("SELECT request FROM flight")}

    def send(self, request: Request) -> None:
        """Notes that the request is about to be sent."""
        with self._failures():
            self._db.execute("INSERT OR IGNORE INTO flight VALUES (?)", (request.key,))

    def keep(self, request: Request, reply: Reply) -> None:
        """Stores the answer to a request. An earlier answer is kept apart, as it was paid for."""
        row = request.key, orjson.dumps(request.body, option=orjson.OPT_SORT_KEYS), orjson.dumps(to_json(reply))
        with self._failures():
            self._db.execute("BEGIN IMMEDIATE")
            earlier = "SELECT request, reply FROM answer WHERE request = ?"
            self._db.execute(f"INSERT INTO replaced {earlier}", (request.key,))
            self._db.execute("INSERT OR REPLACE INTO answer VALUES (?, ?, ?)", row)
            self._db.execute("DELETE FROM flight WHERE request = ?", (request.key,))
            self._db.execute("COMMIT")

    def forget(self, request: Request) -> None:
        """Notes that the request failed."""
        with self._failures():
            self._db.execute("DELETE FROM flight WHERE request = ?", (request.key,))

    def close(self) -> None:
        self._db.close()
        if self._lock is not None:
            os.close(self._lock)

    def __enter__(self) -> "Book":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code == sqlite3.SQLITE_NOTADB:
                raise UserError(f"{self.path} is not a judge's book: name another file with --book") from error
            if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
                raise UserError(
                    f"the book {self.path} cannot be written ({error}): make its folder writable, or name another file "
                    "with --book"
                ) from error
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):  # an error in SQL: the tables are not a book's
                raise DamagedError(f"the book {self.path} is damaged ({error}): {CHANGED}") from error
            raise RunError(f"the book {self.path} fails ({error}): check for free disk space, and retry") from error


def _uri(path: Path, read_only: bool) -> str:
    """The address of a database. SQLite makes files beside a database that it reads, unless this is called immutable;
    but only the file beside it has the newest answers of a run that was killed or goes on."""
    if not read_only:
        return path.absolute().as_uri()
    newest = path.with_name(f"{path.name}-wal")
    return f"{path.absolute().as_uri()}?{'mode=ro' if newest.exists() else 'immutable=1'}"
