"""Stores the sessions of people who are signed in, in SQLite. A sign-out ends a session for good.

A browser holds a random name of its session. Label Studio's own cookie, which nothing can end, stays in this store.
"""

import hashlib
import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

AGE = 14 * 24 * 3600
"""Seconds from a sign-in to the end of its session: what Label Studio's cookie lasts."""
IDLE = 3 * 24 * 3600
"""Seconds without a request after which a session ends."""
NOTED = 600
"""Seconds between two notes of a session's last request."""
PER_ACCOUNT, IN_ALL = 10, 20_000
"""The most sessions of an account, and of all accounts; a further session ends the oldest."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    name BLOB PRIMARY KEY,
    email TEXT NOT NULL,
    user INTEGER NOT NULL,
    cookie TEXT NOT NULL,
    token TEXT NOT NULL,
    began REAL NOT NULL,
    seen REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_of_an_account ON sessions (email, began);
"""


@dataclass(frozen=True)
class Session:
    """An account that is signed in."""

    email: str
    user: int
    """The account's number in Label Studio."""
    cookie: str = field(repr=False)
    """Label Studio's session cookie."""
    token: str = field(repr=False)
    """The CSRF token of the session."""


class Sessions:
    """The store. Names are kept as digests, so that a copy of the file opens no session at the gate."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(SCHEMA)
        self._clock = clock

    def close(self) -> None:
        self._db.close()

    def begin(self, email: str, user: int, cookie: str) -> tuple[str, Session]:
        """A new session, and its name for the browser. The store keeps only a digest of the name."""
        name, now = secrets.token_urlsafe(32), self._clock()
        session = Session(email, user, cookie, secrets.token_urlsafe(24))
        self._db.execute("DELETE FROM sessions WHERE began < ? OR seen < ?", (now - AGE, now - IDLE))
        self._db.execute(
            "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)",
            (_digest(name), email, user, cookie, session.token, now, now),
        )
        oldest = (
            "DELETE FROM sessions WHERE name IN (SELECT name FROM sessions %s ORDER BY began DESC LIMIT -1 OFFSET ?)"
        )
        self._db.execute(oldest % "WHERE email = ?", (email, PER_ACCOUNT))
        self._db.execute(oldest % "", (IN_ALL,))
        return name, session

    def find(self, name: str) -> Session | None:
        """The session of that name; None if it ended or never began."""
        digest, now = _digest(name), self._clock()
        row = self._db.execute(
            "SELECT email, user, cookie, token, seen FROM sessions WHERE name = ? AND began >= ? AND seen >= ?",
            (digest, now - AGE, now - IDLE),
        ).fetchone()
        if row is None:
            return None
        *found, seen = row
        if now - seen > NOTED:
            self._db.execute("UPDATE sessions SET seen = ? WHERE name = ?", (now, digest))
        return Session(*found)

    def end(self, name: str) -> None:
        """Ends a session: its name, and every copy of the name, is invalid from now on."""
        self._db.execute("DELETE FROM sessions WHERE name = ?", (_digest(name),))


def _digest(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()
