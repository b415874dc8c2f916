"""The tables of a journal's file, and the upgrade of a file of format 1."""

import sqlite3
from collections.abc import Callable, Iterator

from annotation.journal import chain

FORMAT = 2
"""The version of the file's layout, stored as SQLite's user_version. Format 1 had no chain, and addresses in its rows;
such a file is read as it is, and upgraded before the first write."""

_SCHEMA = """
CREATE TABLE journal (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX journal_kind ON journal (kind, key);
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

_CHAIN = """
CREATE TABLE chain (revision INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;
CREATE TABLE signature (
    revision INTEGER NOT NULL,
    head BLOB NOT NULL,
    key BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (revision, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE personal (token TEXT PRIMARY KEY, salt BLOB NOT NULL, value TEXT NOT NULL UNIQUE) STRICT, WITHOUT ROWID;
"""

_TRIGGERS = "".join(
    f"""
CREATE TRIGGER {table}_is_never_changed BEFORE UPDATE ON {table}
    BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER {table}_is_never_cut BEFORE DELETE ON {table}
    BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;
"""
    for table in ("journal", "chain", "signature")
)


KINDS = (
    "campaign",  # key: id; body: the campaign's secret id; always the first row
    "settings",  # body: Settings of `bodies`; a row for each change
    "annotator",  # key: email; body: the pseudonym
    "batch",  # key: name; body: Batch of `bodies`
    "guidelines",  # key: batch; body: Guidelines of `bodies`: annotators see another wording from the next push on
    "pairs",  # key: batch; body: PAIRS rows as an Arrow stream
    "tasks",  # key: batch; body: TASKS rows as an Arrow stream
    "undone",  # key: batch; body: Undone of `bodies`: no row of the batch before this one counts
    "dropped",  # key: uid of a task that was taken from its annotator
    "withdrawn",  # key: pseudonym; body: true if the votes of this person do not count, false to undo this
    "annotation",  # key: uid/annotation id; body: AnnotationRow of `bodies`
    "deleted",  # key: uid/annotation id of an annotation that its author deleted in Label Studio
    "lost",  # key: uid/annotation id; body: Lost of `bodies`: Label Studio no longer has it, the journal keeps the vote
    "server",  # key: identity; body: ServerNoted of `bodies`: the Label Studio of all rows that follow
    "project",  # key: place; body: ProjectMade of `bodies`
    "numbers",  # key: place; body: Numbers of `bodies`: the tasks that a push added to the project
    "account",  # key: email; body: the number of this person's account
    "erased",  # key: the token of an email address that was erased
    "seen",  # key: place; body: Seen of `bodies`: how the project differs from what was pushed; a row for each change
)
"""The kinds of rows."""

ARROW = frozenset({"pairs", "tasks"})
"""Kinds whose bodies are Arrow streams, not JSON."""


def create(db: sqlite3.Connection) -> None:
    """Creates the tables, within the caller's transaction."""
    _run(db, _SCHEMA + _CHAIN + _TRIGGERS + f"PRAGMA user_version = {FORMAT};")


def upgrade(db: sqlite3.Connection, conceal: Callable[[str, str, bytes], tuple[str, bytes]]) -> None:
    """Upgrades a file of format 1, within the caller's transaction: gives each row a hash, and tokens for addresses.

    ``conceal`` gives key and body of a row as format 2 stores them, from kind, key and body.
    """
    _run(db, "DROP TRIGGER journal_is_never_changed;\nDROP TRIGGER journal_is_never_cut;\n" + _CHAIN)
    before = chain.START
    for (revision,) in db.execute("SELECT revision FROM journal ORDER BY revision").fetchall():
        statement = "SELECT kind, key, body FROM journal WHERE revision = ?"
        kind, key, body = db.execute(statement, (revision,)).fetchone()
        stored = conceal(kind, key, body)
        if stored != (key, body):
            db.execute("UPDATE journal SET key = ?, body = ? WHERE revision = ?", (*stored, revision))
        before = chain.row_hash(before, kind, *stored)
        db.execute("INSERT INTO chain VALUES (?, ?)", (revision, before))
    _run(db, _TRIGGERS + f"PRAGMA user_version = {FORMAT};")


def _run(db: sqlite3.Connection, script: str) -> None:
    for statement in _statements(script):
        db.execute(statement)


def _statements(script: str) -> Iterator[str]:
    collected = ""
    for line in script.splitlines(keepends=True):
        collected += line
        if sqlite3.complete_statement(collected):
            yield collected
            collected = ""
