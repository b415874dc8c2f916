"""An audit proves what a journal holds: with the public key alone, without names, and after an erasure."""

import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from annotation.journal.journal import Journal
from annotation.journal.signing import PUBLIC_KEY, read_public_key, sign
from annotation.judgments.audit import check_audit, verify_journal, write_audit
from annotation.judgments.snapshot import Snapshot, load
from schemas.errors import RunError, UserError
from tests.annotation.campaigns import PEOPLE, Desk, desk
from tests.architecture.tree import ROOT

STORED = ROOT / "tests/stored/version_0.1.0.tar.xz"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "config" / "key.pem"


@pytest.fixture
def mill(tmp_path: Path, key: Path) -> Iterator[Desk]:
    """A campaign with votes, one of them in quarantine, and a signed journal."""
    (tmp_path / "mill").mkdir()
    with desk(tmp_path / "mill") as made:
        for second, task in enumerate(made.tasks()):
            made.answer(task, second=second)
        made.answer(made.tasks()[0], "a_slightly_better", second=60, editor="eve@mill.example")
        sign(made.journal, key)
        yield made


def public_key(mill: Desk) -> bytes:
    return read_public_key(mill.folder.path / PUBLIC_KEY)


def change(path: Path, *statements: str) -> None:
    """Changes a journal as somebody may who can write its file."""
    with closing(sqlite3.connect(path)) as db, db:
        for table in ("journal", "chain", "signature"):
            db.execute(f"DROP TRIGGER {table}_is_never_changed")
            db.execute(f"DROP TRIGGER {table}_is_never_cut")
        for statement in statements:
            db.execute(statement)


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        (
            ["UPDATE journal SET body = CAST(replace(body, 'a_better', 'b_better') AS BLOB) WHERE revision = 9"],
            "row 9 ",
        ),
        (["UPDATE journal SET kind = 'deleted' WHERE revision = 10"], "row 10 "),
        (["UPDATE journal SET key = 't/1' WHERE revision = 10"], "row 10 "),
        (["DELETE FROM journal WHERE revision = 10"], "row 10 is missing"),
        (
            ["DELETE FROM journal WHERE revision > 12", "DELETE FROM chain WHERE revision > 12"],
            "row 13 is missing, but row",
        ),
        (["UPDATE signature SET signature = zeroblob(64)"], "signature of the checkpoint at row"),
        (["UPDATE signature SET head = zeroblob(32)"], "signature of the checkpoint at row"),
        (["DELETE FROM signature"], "has no checkpoint"),
        (["UPDATE chain SET hash = zeroblob(32) WHERE revision = 11"], "row 11 "),
    ],
)
def test_the_first_changed_row_is_named(statements: list[str], named: str, mill: Desk) -> None:
    public = public_key(mill)
    assert verify_journal(mill.journal, public).rows == mill.journal.revision
    change(mill.folder.store, *statements)
    with pytest.raises(RunError, match=named):
        verify_journal(mill.journal, public)


def test_a_chain_that_somebody_computed_anew_lacks_the_signature(mill: Desk, tmp_path: Path) -> None:
    public = public_key(mill)
    forged = tmp_path / "forged" / "campaign.db"
    forged.parent.mkdir()
    with Journal(forged, create=True) as other:
        rows = [
            (kind, key, body.replace(b"a_better", b"b_better")) for _, kind, key, body, _ in mill.journal.stored_rows()
        ]
        other.load_stored(rows[1:], [])
        for signature in mill.journal.signatures():
            other.add_signature(signature)
        with pytest.raises(RunError, match="after it was signed"):
            verify_journal(other, public)
        sign(other, tmp_path / "evil" / "key.pem")
        with pytest.raises(RunError, match="after it was signed"):
            verify_journal(other, public)


def written(mill: Desk, path: Path, *, names: bool = False) -> Path:
    path.write_bytes(b"".join(line + b"\n" for line in write_audit(mill.journal, names=names)))
    return path


def test_an_audit_is_checked_by_others_and_names_nobody(mill: Desk, tmp_path: Path) -> None:
    public = public_key(mill)
    plain, named = written(mill, tmp_path / "plain.jsonl"), written(mill, tmp_path / "named.jsonl", names=True)
    assert plain.read_bytes() == written(mill, tmp_path / "again.jsonl").read_bytes()
    assert check_audit(plain, public) == check_audit(named, public) == verify_journal(mill.journal, public)
    people = [*PEOPLE, "eve@mill.example"]
    assert not [person for person in people if person.encode() in plain.read_bytes()]
    assert not [person for person in people if person.encode() not in named.read_bytes()]
    assert mill.journal.campaign_id.encode() not in named.read_bytes()
    lines = plain.read_bytes().splitlines()
    assert sum(b'"statement":"asked"' in line for line in lines) == 12
    assert sum(b'"statement":"answered"' in line for line in lines) == 13
    assert [line for line in lines if b'"set_apart"' in line and b"edited_by_other" in line]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a_better", b"b_better"),
        (b'"statement":"counted"', b'"statement":"guessed"'),
        (b'"reason":"edited_by_other"', b'"reason":"repeated"'),
        (b'{"statement":"asked"', b'{"statement":"asked","statement":"asked"'),
        (b'"checkpoint":', b'"checkpoint":1'),
        (b"\n", b"\n\n"),
        (b"gristmill", b"grist"),
    ],
)
def test_an_audit_that_was_changed_does_not_hold(old: bytes, new: bytes, mill: Desk, tmp_path: Path) -> None:
    plain = written(mill, tmp_path / "plain.jsonl")
    assert old in plain.read_bytes()
    plain.write_bytes(plain.read_bytes().replace(old, new, 1))
    with pytest.raises(RunError):
        check_audit(plain, public_key(mill))


def equal(one: Snapshot, other: Snapshot) -> bool:
    tables = ("pairs", "assignments", "judgments")
    return all(getattr(one, name).equals(getattr(other, name)) for name in tables)


def test_an_address_is_erased_and_the_record_still_holds(mill: Desk, tmp_path: Path) -> None:
    public, before = public_key(mill), mill.load()
    statements = [
        line for line in written(mill, tmp_path / "before.jsonl").read_bytes().splitlines() if b"statem" in line
    ]
    assert mill.journal.erase(PEOPLE[0].upper()) == 1
    assert mill.journal.erase(PEOPLE[0]) == 0
    assert verify_journal(mill.journal, public).rows == before.revision + 1
    after = mill.load()
    assert equal(before, after)
    again = [line for line in written(mill, tmp_path / "after.jsonl").read_bytes().splitlines() if b"statem" in line]
    assert again == statements
    mill.journal.close()
    assert not [path for path in mill.folder.path.glob("campaign.db*") if PEOPLE[0].encode() in path.read_bytes()]


def stored(folder: Path) -> Path:
    with tarfile.open(STORED) as archive:
        archive.extractall(folder, filter="data")
    return folder / "mill"


def user_version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_an_old_journal_is_read_as_it_is_and_upgraded_before_the_first_write(tmp_path: Path, key: Path) -> None:
    folder = stored(tmp_path)
    store = folder / "campaign.db"
    before = [load(folder, revision) for revision in range(load(folder).revision, load(folder).revision - 9, -4)]
    with Journal(store) as journal:
        rows = list(journal.rows(*{kind for _, kind, *_ in journal.stored_rows()}))
        assert user_version(store) == 1
        with pytest.raises(UserError, match="earlier version"):
            verify_journal(journal, bytes(32))
        sign(journal, key)
        assert user_version(store) == 2
        assert list(journal.rows(*{kind for kind, _, _ in rows})) == rows, "no row reads otherwise than before"
        assert not [body for _, kind, _, body, _ in journal.stored_rows() if b"@mill.example" in body]
        assert verify_journal(journal, read_public_key(folder / PUBLIC_KEY)).rows == len(rows)
    for one in before:
        other = load(folder, one.revision)
        assert equal(one, other)
        assert one.refused.equals(other.refused)


def test_the_key_lies_outside_the_folder_and_is_a_key(mill: Desk, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lies in the folder"):
        sign(mill.journal, mill.folder.path / "key.pem")
    (tmp_path / "letter").write_text("Dear miller")
    with pytest.raises(UserError, match="is not a private key"):
        sign(mill.journal, tmp_path / "letter")
    with pytest.raises(UserError, match="is not a public key"):
        read_public_key(tmp_path / "letter")
