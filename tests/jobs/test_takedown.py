"""``gristmill takedown`` as its user meets it: copies go too, near-duplicates are named, later crawls take none in."""

from pathlib import Path

import pytest

from tests.jobs.calling import call


def test_copies_go_and_near_duplicates_are_named(
    corpus: Path, curated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ids.txt").write_text("good\n")
    less, none, later = (tmp_path / name for name in ("less", "none", "later"))
    command = ("takedown", curated, "--doc-id", tmp_path / "ids.txt", "--output")
    assert call(*command, less, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "2 taken down, 1 brought back, 0 removed as duplicates of documents brought back\n" in said
    assert "taken down because another document taken down has the same text: 1\n" in said
    assert "near-duplicates of the documents taken down: 1 (--near takes them down, too), see near.jsonl\n" in said
    assert "  close (kept) is " in said
    assert call(*command, none, "--near", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "taken down because another document taken down is nearly the same: 1\n" in said
    assert "near.jsonl" not in said
    assert call("explain", none, "close", monkeypatch=monkeypatch) == 0
    assert "was taken down, because it is a near-duplicate of a document that was taken down" in capsys.readouterr().out
    assert call("curate", "--input", corpus, "--output", later, "--against", none, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "  takedown: same_text " in said
    assert f"{later}: 0 of 4 documents kept" in said
    for folder in (less, none, later):
        assert call("verify", folder, monkeypatch=monkeypatch) == 0
    renewed = tmp_path / "renewed"
    (tmp_path / "more.txt").write_text("short\n")
    command = ("takedown", later, "--doc-id", tmp_path / "more.txt", "--against", none, "--output", renewed)
    assert call(*command, monkeypatch=monkeypatch) == 0
    release = "from a release that this corpus is deduplicated against;"
    same = "because its text is that of a document that was taken down"
    for folder, said in (
        (less, f"was taken down, {same};"),
        (later, f"was kept out, {same} {release}"),
        (
            renewed,
            f"was taken down or kept out, {same} here or {release}",
        ),
    ):
        capsys.readouterr()
        assert call("explain", folder, "copy", monkeypatch=monkeypatch) == 0
        assert said in capsys.readouterr().out


def test_near_alone_takes_nothing(
    curated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("takedown", curated, "--near", "--output", tmp_path / "new", monkeypatch=monkeypatch) == 2
    assert "say what to take down: --doc-id FILE, --host FILE or --url FILE" in capsys.readouterr().err
