"""Stores a campaign in SQLite: an append-only journal, beside a cache of Label Studio's state (`cache`).

Each row of the journal has a hash (`chain`). Email addresses are stored once, apart from the rows, which hold tokens in
their place; reading a row gives the addresses again, unless they were erased.
"""

import fcntl
import hashlib
import os
import re
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson

from annotation.journal import chain, layout
from annotation.journal.cache import Cache
from annotation.journal.layout import ARROW, FORMAT, KINDS
from schemas.errors import CHANGED, DamagedError, RunError, UserError
from schemas.visible import visible

STORE = "campaign.db"
"""The name of the journal's file in a campaign's folder."""
Signature = tuple[int, bytes, bytes, bytes]
"""A signed checkpoint: revision, hash of that row, public key, signature."""


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
        elif not create and not path.stat().st_size:
            raise UserError(
                f"{path} is empty: restore it from a copy; if nothing was pushed yet, run gristmill campaign push"
            )
        self.path = path
        self._erased: dict[str, str] = {}
        try:
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None)
        except sqlite3.Error as error:
            raise _failure(path, error) from error
        self.cache = Cache(self._db, self.writing)
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
        self._db.execute("PRAGMA secure_delete = ON")
        if self._mode() != "wal":
            with self.lock():  # if two processes change the mode at once, SQLite fails in one of them
                if self._mode() != "wal":
                    self._db.execute("PRAGMA journal_mode = WAL")
        self._upgraded = False  # known to have the newest format
        if self._format() == 0:
            with self.writing():  # the first of several processes creates the tables; the others wait
                pass

    def _upgrade(self) -> None:
        """Creates the tables, or upgrades those of format 1, within a transaction. Readers see the same rows."""
        version = self._format()
        if version == 0:
            layout.create(self._db)
            self._insert("campaign", "id", orjson.dumps(secrets.token_hex(16)))
        elif version < FORMAT:
            layout.upgrade(self._db, self._conceal)
        self._upgraded = True

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
            if not self._upgraded:
                self._upgrade()
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
        row = self._db.execute("SELECT body FROM journal WHERE revision = 1 AND kind = 'campaign'").fetchone()
        secret = re.fullmatch(b'"([0-9a-f]{32})"', row[0]) if row else None
        if secret is None:
            raise DamagedError(f"{self.path}: the first row does not hold the campaign's id: {CHANGED}")
        return secret[1].decode()

    def append(self, kind: str, key: str, body: bytes) -> None:
        with self.writing():
            self._insert(kind, key, body)

    def extend(self, kind: str, rows: Iterable[tuple[str, bytes]]) -> None:
        with self.writing():
            for key, body in rows:
                self._insert(kind, key, body)

    def load_stored(self, rows: Iterable[tuple[str, str, bytes]], people: Iterable[tuple[str, bytes, str]]) -> None:
        """Appends rows as `stored_rows` gives them, and the addresses of their tokens, as `personal` gives them."""
        with self.writing():
            self._db.executemany("INSERT INTO personal VALUES (?, ?, ?)", people)
            for kind, key, body in rows:
                self._insert_stored(kind, key, body)

    def _insert(self, kind: str, key: str, body: bytes) -> None:
        assert kind in KINDS, kind
        self._insert_stored(kind, *self._conceal(kind, key, body))

    def _insert_stored(self, kind: str, key: str, body: bytes) -> None:
        before = self._db.execute("SELECT hash FROM chain ORDER BY revision DESC LIMIT 1").fetchone()
        statement = "INSERT INTO journal (kind, key, body) VALUES (?, ?, ?)"
        revision = self._db.execute(statement, (kind, key, body)).lastrowid
        hashed = chain.row_hash(before[0] if before else chain.START, kind, key, body)
        self._db.execute("INSERT INTO chain VALUES (?, ?)", (revision, hashed))

    def _conceal(self, kind: str, key: str, body: bytes) -> tuple[str, bytes]:
        if kind in ARROW:
            return key, body
        return chain.conceal(key.encode(), self._token).decode(), chain.conceal(body, self._token)

    def _token(self, value: str) -> str:
        if value.lower() in self._erased:
            return self._erased[value.lower()]
        row = self._db.execute("SELECT token FROM personal WHERE value = ?", (value,)).fetchone()
        if row:
            return str(row[0])
        salt = chain.new_salt()
        made = chain.token(salt, value)
        self._db.execute("INSERT INTO personal VALUES (?, ?, ?)", (made, salt, value))
        return made

    def personal(self) -> list[tuple[str, bytes, str]]:
        """(token, salt, value) of each email address that was not erased, by token."""
        if self._format() < FORMAT:
            return []
        return list(self._db.execute("SELECT token, salt, value FROM personal ORDER BY token"))

    def erase(self, email: str) -> int:
        """Erases an email address from the file; returns the number of its spellings. The chain stays as it is: its
        rows hold the tokens."""
        with self.writing():
            whole = f"'{email.lower()}"  # a stored address begins after its last apostrophe
            spellings = [token for token, _, value in self.personal() if whole.endswith(f"'{value.lower()}")]
            for token in spellings:
                self._insert("erased", token, b"null")
                self._db.execute("DELETE FROM personal WHERE token = ?", (token,))
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(spellings)

    def keep_erased(self, tokens: Mapping[str, str]) -> None:
        """Writes the tokens of erased people for their email addresses, in lower case, until the journal is closed."""
        self._erased = dict(tokens)

    def stored_rows(self) -> Iterator[tuple[int, str, str, bytes, bytes | None]]:
        """(revision, kind, key, body, hash) of each row as it is stored, with tokens instead of email addresses. The
        hash is None in a file without a chain."""
        if self._format() < FORMAT:
            return iter(self._db.execute("SELECT revision, kind, key, body, NULL FROM journal ORDER BY revision"))
        join = "journal LEFT JOIN chain USING (revision)"
        return iter(self._db.execute(f"SELECT revision, kind, key, body, hash FROM {join} ORDER BY revision"))

    def head(self) -> tuple[int, bytes]:
        """The newest revision and its hash. Upgrades an old file."""
        with self.writing():
            row = self._db.execute("SELECT revision, hash FROM chain ORDER BY revision DESC LIMIT 1").fetchone()
        if row is None:
            raise DamagedError(f"{self.path} has no hashes of its rows: {CHANGED}")
        return row[0], row[1]

    def signatures(self) -> list[Signature]:
        """The signed checkpoints, oldest first."""
        if self._format() < FORMAT:
            return []
        return list(self._db.execute("SELECT revision, head, key, signature FROM signature ORDER BY revision, key"))

    def add_signature(self, signature: Signature) -> None:
        with self.writing():
            self._db.execute("INSERT OR IGNORE INTO signature VALUES (?, ?, ?, ?)", signature)

    def rows(self, *kinds: str, as_of: int | None = None) -> Iterator[tuple[str, str, bytes]]:
        """Yields (kind, key, body) of the rows of these kinds up to revision ``as_of`` (None: all), in order."""
        marks = ", ".join("?" * len(kinds))
        limit = (1 << 62) if as_of is None else as_of
        # "+" disables the index: most rows are annotations, and a scan reads them faster
        kind = "+kind" if "annotation" in kinds else "kind"
        statement = f"SELECT kind, key, body FROM journal WHERE {kind} IN ({marks}) AND revision <= ? ORDER BY revision"
        values = {token.encode(): value.encode() for token, _, value in self.personal()}
        for name, key, body in self._db.execute(statement, (*kinds, limit)):
            if name in ARROW or not values:
                yield name, key, body
            else:
                yield name, chain.reveal(key.encode(), values.get).decode(), chain.reveal(body, values.get)

    def check_kinds(self) -> None:
        """Raises DamagedError for a row of a kind that this version of Gristmill does not know."""
        for [kind] in self._db.execute("SELECT DISTINCT kind FROM journal"):
            if kind not in KINDS:
                raise DamagedError(
                    f"{self.path} has rows of the unknown kind '{visible(kind)}': upgrade Gristmill if a newer version "
                    "wrote the journal, otherwise restore the original file"
                )

    def newest_body(self, kind: str, key: str) -> bytes | None:
        statement = "SELECT body FROM journal WHERE kind = ? AND key = ? ORDER BY revision DESC LIMIT 1"
        row = self._db.execute(statement, (kind, self._known(key))).fetchone()
        return self._reveal(row[0]) if row else None

    def bodies(self, kind: str, key: str) -> list[bytes]:
        """The bodies of all rows of a kind with a key, oldest first."""
        statement = "SELECT body FROM journal WHERE kind = ? AND key = ? ORDER BY revision"
        return [self._reveal(body) for (body,) in self._db.execute(statement, (kind, self._known(key)))]

    def _known(self, key: str) -> str:
        """A key as it is stored."""
        return (self._other("token", "value", key) if "@" in key else None) or key

    def _reveal(self, body: bytes) -> bytes:
        return chain.reveal(body, lambda token: (self._other("value", "token", token.decode()) or "").encode())

    def _other(self, wanted: str, known: str, text: str) -> str | None:
        """The token of an email address, or the address of a token; None for an unknown or erased one."""
        if self._format() < FORMAT:
            return None
        row = self._db.execute(f"SELECT {wanted} FROM personal WHERE {known} = ?", (text,)).fetchone()
        return str(row[0]) if row else None

    def newest_kind(self, key: str, *kinds: str, as_of: int | None = None) -> str | None:
        """The kind of the newest row with a key, of some kinds, up to revision ``as_of`` (None: of all)."""
        wanted = f"kind IN ({', '.join('?' * len(kinds))}) AND key = ? AND revision <= ?"
        statement = f"SELECT kind FROM journal WHERE {wanted} ORDER BY revision DESC LIMIT 1"
        row = self._db.execute(statement, (*kinds, key, (1 << 62) if as_of is None else as_of)).fetchone()
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
            self.cache.forget_all_tasks(project)

    def detach_annotation(self, key: str) -> None:
        """Forgets the task of an annotation that Label Studio no longer has, and whose vote stays."""
        self._db.execute("UPDATE live SET project = 0, task = 0 WHERE key = ?", (key,))

    def is_detached(self, key: str) -> bool:
        row = self._db.execute("SELECT project FROM live WHERE key = ?", (key,)).fetchone()
        return row is not None and row[0] == 0

    def forget_server(self) -> None:
        """Forgets the numbers of projects and tasks, which belong to a server that the campaign has left. Pulled
        annotations stay."""
        with self.writing():
            self._db.execute("UPDATE live SET project = 0, task = 0")
            self.cache.clear()

    def voted_uids(self, *, skips: bool = False) -> set[str]:
        """The uids of tasks that have an annotation other than a skip; with ``skips``: any annotation."""
        found = self._db.execute("SELECT key FROM live WHERE skipped <= ?", (skips,))
        return {key.partition("/")[0] for (key,) in found}


def _unwritable_error(path: Path) -> UserError:
    return UserError(f"the journal {path} cannot be written: let this user write to its folder and files")


def _failure(path: Path, error: sqlite3.Error) -> Exception:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        return _unwritable_error(path)
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return DamagedError(f"the journal {path} is not a sound SQLite database ({error}): {CHANGED}")
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
