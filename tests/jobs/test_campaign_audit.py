"""``gristmill campaign audit`` and ``erase``, as a data lead and a third party meet them."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from annotation.journal.signing import key_file, sign
from tests.annotation.campaigns import PEOPLE, desk
from tests.jobs.calling import call

Gristmill = Callable[..., str]


@pytest.fixture
def gristmill(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Gristmill:
    """Runs a command beside a campaign with votes, one of them edited by somebody else."""
    monkeypatch.chdir(tmp_path)
    Path("mill").mkdir()
    with desk(Path("mill")) as made:
        for second, task in enumerate(made.tasks()):
            made.answer(task, second=second)
        made.answer(made.tasks()[0], "a_slightly_better", second=60, editor="eve@mill.example")
        sign(made.journal, key_file())

    def run(*words: str, code: int = 0) -> str:
        ended = call("campaign", *words, monkeypatch=monkeypatch)
        printed = capsys.readouterr()
        assert ended == code, printed.err
        return printed.out + printed.err

    return run


def test_a_third_party_checks_an_audit(gristmill: Gristmill) -> None:
    printed = gristmill("audit", "mill", "--output", "audit.jsonl")
    assert re.search(r"mill: 21 rows, all as they were written; signed up to row 21", printed)
    assert "12 tasks asked, 12 votes counted, 1 in quarantine" in printed
    assert "edited_by_other: somebody other than its author changed the annotation" in printed
    key = Path("mill/campaign.pub").rename("elsewhere.pub")
    assert "all as they were written" in gristmill("audit", "--check", "audit.jsonl", "--public-key", str(key))
    assert "checked with" not in gristmill("audit", "mill", "--public-key", str(key))
    changed = Path("audit.jsonl").read_text().replace("a_better", "b_better", 1)
    Path("changed.jsonl").write_text(changed)
    assert "was changed" in gristmill("audit", "--check", "changed.jsonl", "--public-key", str(key), code=1)
    assert "exists already" in gristmill("audit", "mill", "--public-key", str(key), "--output", "audit.jsonl", code=2)
    assert "--check needs --public-key" in gristmill("audit", "--check", "audit.jsonl", code=2)
    assert "name a campaign's folder" in gristmill("audit", code=2)


def test_the_first_bad_row_is_named(gristmill: Gristmill) -> None:
    with closing(sqlite3.connect("mill/campaign.db")) as db, db:
        db.execute("DROP TRIGGER journal_is_never_changed")
        db.execute("UPDATE journal SET key = 'forged/1' WHERE revision = 12")
    assert "row 12 (annotation forged/1) was changed, moved or removed" in gristmill("audit", "mill", code=1)


def test_an_address_is_erased(gristmill: Gristmill) -> None:
    settings = """name = "mill"
protocol = "preference"
batch = "b1"
responses = "b1.jsonl"
annotators = ["bob@mill.example", "cy@mill.example"]
"""
    Path("mill/campaign.toml").write_text(settings.replace('["bob', '["ann@mill.example", "bob'))
    assert "campaign.toml names ann@mill.example" in gristmill("erase", "mill", PEOPLE[0], code=2)
    Path("mill/campaign.toml").write_text(settings)
    printed = gristmill("erase", "mill", PEOPLE[0])
    assert "erased ann@mill.example; the votes stay" in printed
    assert "Earlier reports, audits and tables with names" in printed
    assert "open task" not in printed
    assert "ann@mill.example is not in the journal of mill: check the spelling" in gristmill(
        "erase", "mill", PEOPLE[0], code=2
    )
    assert "12 votes counted" in gristmill("audit", "mill", "--names", "--output", "named.jsonl")
    assert PEOPLE[0] not in Path("named.jsonl").read_text()
    assert PEOPLE[1] in Path("named.jsonl").read_text()
