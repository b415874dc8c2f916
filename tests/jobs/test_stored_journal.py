"""A campaign whose journal has format 2 (tests/stored/write_journal.py) is read as when it was written."""

import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.tree import ROOT
from tests.jobs.test_stored import Gristmill, built_again, gristmill, ledger

__all__ = ["gristmill"]

ADDRESSES = ("ann@mill.example", "cy@mill.example", "dee@mill.example")


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The campaign's folder ``mill`` and what was made from it, in the current folder."""
    with tarfile.open(ROOT / "tests/stored/journal_2.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(folder: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "mill/campaign.db")) as journal:
        return journal.execute(statement).fetchall()


def includes(now: Any, before: Any) -> bool:
    """Whether a JSON value has everything that it had before; objects may have further names."""
    if isinstance(before, dict):
        return all(name in now and includes(now[name], value) for name, value in before.items())
    if isinstance(before, list):
        return len(now) == len(before) and all(map(includes, now, before))
    return bool(now == (pytest.approx(before) if isinstance(before, float) else before))


def test_the_status_is_as_it_was(stored: Path, gristmill: Gristmill) -> None:
    before = json.loads((stored / "status.json").read_text())
    assert includes(json.loads(gristmill("campaign", "status", "mill", "--json")), before)
    assert {row["email"] for row in before["annotators"]} == {*ADDRESSES}
    assert [(each["batch"], len(each["sha256"])) for each in before["guidelines"]] == [("b1", 2)]
    assert {each["reason"] for each in before["quarantine"]} >= {"edited_by_other", "reassigned"}
    assert {each["kind"] for each in before["attention"]} >= {"deleted_by_other", "changed_settings"}
    assert {each["reason"] for each in before["reports"]} == {"harmful", "both_bad"}
    assert "tasks done" in gristmill("campaign", "status", "mill")


def test_the_audit_holds(stored: Path, gristmill: Gristmill) -> None:
    written = "all as they were written; signed up to row"
    told = gristmill("campaign", "audit", "mill")
    assert written in told
    assert "batches undone before anybody had begun: b2" in told
    assert written in gristmill("campaign", "audit", "--check", "audit.jsonl", "--public-key", "mill/campaign.pub")
    gristmill("campaign", "audit", "mill", "--output", "again.jsonl")
    assert Path("again.jsonl").read_bytes() == Path("audit.jsonl").read_bytes()


def test_a_report_shows_both_guidelines(stored: Path, gristmill: Gristmill) -> None:
    gristmill("campaign", "report", "mill", "--names")
    page = Path("mill/report.html").read_text(encoding="utf-8")
    assert "wording 1 of 2, earlier" in page
    assert "wording 2 of 2, in force" in page
    assert all(address in page for address in ADDRESSES)
    assert "bob@mill.example" not in page, "the address was erased"


def test_each_revision_comes_to_the_same(stored: Path, gristmill: Gristmill) -> None:
    revisions = built_again(stored, gristmill)
    assert len(revisions) == 3
    assert len({json.dumps(ledger(each)) for each in revisions}) == 3


def test_the_campaign_goes_on_and_the_old_key_still_proves_its_past(stored: Path, gristmill: Gristmill) -> None:
    (stored / "kept.pub").write_bytes((stored / "mill/campaign.pub").read_bytes())
    [[newest]] = rows(stored, "SELECT max(revision) FROM journal")
    gristmill("campaign", "withdraw", "mill", "ann@mill.example")
    assert rows(stored, "SELECT max(revision) FROM journal") == [(newest + 1,)]
    assert f"signed up to row {newest}" in gristmill("campaign", "audit", "mill", "--public-key", "kept.pub")
    assert f"signed up to row {newest + 1}" in gristmill("campaign", "audit", "mill")
