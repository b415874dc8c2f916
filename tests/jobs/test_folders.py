"""Folders on the command line: those that can hold a run or its release, and what is said of others."""

from pathlib import Path

import pytest

from tests.jobs.calling import call


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """Folders and files that are no place for a run."""
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / ".work").write_text("mine")
    for name, manifest in (
        ("empty", "{}"),
        ("whole", '{"format": "gristmill.packed"}'),
        ("packed", '{"format": 1, "tokens": 3}'),
        ("broken", '{"job": '),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text(manifest)
    return tmp_path


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("/proc/x", "cannot be created or written to (No such file or directory)"),
        ("notes.txt/out", "cannot be created or written to (Not a directory)"),
        ("n" * 300, "cannot be created or written to (File name too long)"),
        ("foo://bar", "no file system opens the folder 'foo://bar'"),
        ("gs://bar/x", "needs a package that is not installed"),
        ("odd", "is not empty (1 entries)"),
        ("empty", "was not written by gristmill curate"),
        ("packed", "was not written by gristmill curate"),
        ("broken", "manifest.json is not JSON"),
        ("whole/sub/deep", "/whole, which holds a finished output of gristmill"),
    ],
)
def test_a_folder_that_cannot_hold_a_run_is_one_sentence(
    output: str,
    sentence: str,
    places: Path,
    corpus: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(places)
    assert call("curate", "--input", corpus, "--output", output, monkeypatch=monkeypatch) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_a_folder_of_one_process_is_written_by_one(
    corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["--output", "memory://of-one-process", "--workers", "2"]
    assert call("curate", "--input", corpus, *asked, monkeypatch=monkeypatch) == 0
    assert "1 of 4 documents kept" in capsys.readouterr().out


BROKEN, OF_ANOTHER = "manifest.json is not JSON", "manifest.json was not written by gristmill curate"


@pytest.mark.parametrize(
    ("command", "manifest", "sentence"),
    [
        ("takedown", '{"format": 1', BROKEN),
        ("takedown to", '{"format": "gristmill.packed", "version": 1}', OF_ANOTHER),
        (
            "explain damaged",
            '{"format": 1, "job": {}, "ledger": {}, "inputs": []}',
            "manifest.json lacks gristmill: the file was",
        ),
        (
            "explain",
            '{"format": 2, "job": {}, "ledger": {}, "inputs": []}',
            "a newer version of gristmill: upgrade gristmill",
        ),
        ("explain", "[]", "manifest.json: the file is not a table: the file was changed"),
        ("against", '{"format": 1', BROKEN),
    ],
)
def test_an_invalid_manifest_is_one_sentence(
    command: str,
    manifest: str,
    sentence: str,
    curated: Path,
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    odd, listed = tmp_path / "odd", tmp_path / "listed.txt"
    odd.mkdir()
    (odd / "manifest.json").write_text(manifest)
    listed.write_text("good\n")
    arguments: list[str | Path] = {
        "takedown": ["takedown", odd, "--doc-id", listed, "--output", tmp_path / "new"],
        "takedown to": ["takedown", curated, "--doc-id", listed, "--output", odd],
        "explain": ["explain", odd, "good"],
        "explain damaged": ["explain", odd, "good"],
        "against": ["curate", "--input", corpus, "--output", tmp_path / "new", "--against", odd],
    }[command]
    assert call(*arguments, monkeypatch=monkeypatch) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_remote_folder_can_be_named(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, listed = f"memory://{tmp_path.name}", tmp_path / "listed.txt"
    listed.write_text("good\n")
    own = ("--workers", "0")
    command = ("curate", "--recipe", "none", "--input", corpus, "--output", f"{root}/first", *own)
    assert call(*command, monkeypatch=monkeypatch) == 0
    command = ("takedown", f"{root}/first", "--doc-id", listed, "--output", f"{root}/less", *own)
    assert call(*command, monkeypatch=monkeypatch) == 0
    capsys.readouterr()
    assert call("explain", f"{root}/less", "good", monkeypatch=monkeypatch) == 0
    assert "was taken down, by its doc_id" in capsys.readouterr().out
