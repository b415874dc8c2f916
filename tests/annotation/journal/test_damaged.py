"""A journal that was damaged outside of Gristmill is named with its row, and nothing in it is passed over."""

import shutil
import sqlite3
import tarfile
from pathlib import Path

import pytest

from annotation.journal.journal import Journal
from annotation.judgments.snapshot import load
from schemas.errors import DamagedError, UserError
from tests.annotation.journal.test_bodies import STORED


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored")
    with tarfile.open(STORED) as archive:
        archive.extractall(folder, filter="data")
    return folder / "mill"


@pytest.fixture
def mill(stored: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(stored, tmp_path / "mill"))


ONE = "WHERE revision = (SELECT min(revision) FROM journal WHERE kind = '{kind}')"
DAMAGE = {
    "annotation empty": ("annotation", "body = x''", "the row annotation .* is not JSON"),
    "annotation cut": ("annotation", "body = substr(body, 1, 40)", "the row annotation .* is not JSON"),
    "annotation without author": (
        "annotation",
        "body = CAST(json_remove(CAST(body AS TEXT), '$.author') AS BLOB)",
        "lacks author",
    ),
    "annotation without its answer": (
        "annotation",
        "body = CAST(json_remove(CAST(body AS TEXT), '$.annotation.was_cancelled') AS BLOB)",
        "the row annotation .*: the annotation lacks was_cancelled",
    ),
    "annotation without its time": (
        "annotation",
        "body = CAST(json_remove(CAST(body AS TEXT), '$.annotation.updated_at') AS BLOB)",
        "the row annotation .*: the annotation lacks updated_at",
    ),
    "pairs cut": ("pairs", "body = substr(body, 1, length(body) / 2)", "the row pairs .* holds no table"),
    "pairs empty": ("pairs", "body = x''", "the row pairs .* holds no table"),
    "tasks of another kind": (
        "tasks",
        "body = (SELECT body FROM journal WHERE kind = 'pairs')",
        "the row tasks .* has other columns",
    ),
    "a kind that nobody knows": ("annotation", "kind = 'annotatiom'", "unknown kind 'annotatiom'"),
}


@pytest.mark.parametrize(("kind", "change", "message"), DAMAGE.values(), ids=list(DAMAGE))
def test_a_damaged_row_is_named(mill: Path, kind: str, change: str, message: str) -> None:
    with sqlite3.connect(mill / "campaign.db") as journal:
        journal.execute("DROP TRIGGER IF EXISTS journal_is_never_changed")
        journal.execute(f"UPDATE journal SET {change} {ONE.format(kind=kind)}")
    journal.close()
    with pytest.raises(DamagedError, match=message):
        load(mill)


TABLES = {
    "pairs twice": ("INSERT INTO journal (kind, key, body) SELECT kind, key, body {}", "pairs", "pairs or tasks twice"),
    "tasks twice": ("INSERT INTO journal (kind, key, body) SELECT kind, key, body {}", "tasks", "pairs or tasks twice"),
    "pairs gone": ("DELETE {}", "pairs", "lacks the row of a pair that a task asks"),
}


@pytest.mark.parametrize(("change", "kind", "message"), TABLES.values(), ids=list(TABLES))
def test_tables_that_do_not_fit_are_named(mill: Path, change: str, kind: str, message: str) -> None:
    with sqlite3.connect(mill / "campaign.db") as journal:
        journal.execute("DROP TRIGGER IF EXISTS journal_is_never_cut")
        journal.execute(change.format(f"FROM journal {ONE.format(kind=kind)}"))
    journal.close()
    with pytest.raises(DamagedError, match=message):
        load(mill)


def test_a_journal_without_its_secret_or_its_hashes_is_damaged(tmp_path: Path) -> None:
    for number, change in enumerate(("DELETE FROM chain", "DELETE FROM journal", "UPDATE journal SET body = x'22'")):
        path = tmp_path / f"{number}.db"
        Journal(path, create=True).close()
        with sqlite3.connect(path) as db:
            for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                db.execute(f"DROP TRIGGER {row[0]}")
            db.execute(change)
        db.close()
        with Journal(path) as journal, pytest.raises(DamagedError, match=r"has no hashes of its rows|campaign's id"):
            assert journal.head()
            assert journal.campaign_id


def test_an_empty_journal_is_not_taken_for_a_new_campaign(mill: Path) -> None:
    (mill / "campaign.db").write_bytes(b"")
    with pytest.raises(UserError, match="is empty: restore it from a copy"):
        load(mill)
    assert (mill / "campaign.db").stat().st_size == 0


def test_a_file_that_is_not_a_database_is_reported_as_damaged(mill: Path) -> None:
    (mill / "campaign.db").write_bytes(b"not a database " * 1000)
    with pytest.raises(DamagedError, match=r"is not a sound SQLite database .*: restore|restore the original file"):
        load(mill)
