"""A dry run of a push says what the push would do, and leaves everything as it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from annotation.journal.journal import Journal
from tests.annotation.ports import free_port
from tests.jobs.calling import call

NOBODY = "Label Studio was not compared"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command in an empty folder, where no Label Studio answers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("annotation.studio.client.PAUSE", 0.001)
    monkeypatch.setenv("GRISTMILL_STUDIO_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("GRISTMILL_STUDIO_TOKEN", "a.b.c")

    def run(*words: str, code: int = 0) -> str:
        ended = call(*words, monkeypatch=monkeypatch)
        printed = capsys.readouterr()
        assert ended == code, printed.err
        return printed.out + printed.err

    run("campaign", "new", "mill")
    return run


def test_a_dry_run_makes_nothing_but_a_preview(run: Callable[..., str]) -> None:
    Path("mill/gold.jsonl").write_text("", encoding="utf-8")
    before = sorted(path.name for path in Path("mill").iterdir())
    printed = run("campaign", "push", "mill", "--dry-run")
    assert "batch b1 would be made: 6 pairs, 3 votes each, 18 tasks" in printed
    assert "ann@mill.example: 6 tasks" in printed
    assert "tasks with gold pairs that gold.share asks for, beyond the usable gold pairs: 6" in printed
    assert NOBODY in printed
    assert sorted({path.name for path in Path("mill").iterdir()} - {*before}) == ["preview.html"]
    assert run("campaign", "push", "mill", "--dry-run", "--preview", "other.html").count("other.html") == 1
    assert Path("other.html").read_bytes() == Path("mill/preview.html").read_bytes()
    Path("notes.html").write_text("mine", encoding="utf-8")
    assert "notes.html exists and is not a preview" in run(
        "campaign", "push", "mill", "--dry-run", "--preview", "notes.html", code=2
    )
    assert Path("notes.html").read_text(encoding="utf-8") == "mine"
    assert "--preview needs --dry-run" in run("campaign", "push", "mill", "--preview", "x.html", code=2)


def test_a_dry_run_on_a_damaged_journal_names_the_journal(run: Callable[..., str]) -> None:
    with Journal(Path("mill/campaign.db"), create=True) as journal:
        journal.append("project", "nowhere", b"{}")
    printed = run("campaign", "push", "mill", "--dry-run", code=2)
    assert "damaged after Gristmill wrote it: restore the original file" in printed
    assert "Nothing was made" not in printed
    with Journal(Path("mill/campaign.db")) as journal:
        journal.append("settings", "settings", b"{")
    assert "gristmill: mill/campaign.db: the row settings" in run("campaign", "push", "mill", "--dry-run", code=2)
