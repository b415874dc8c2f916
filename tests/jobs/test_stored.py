"""Folders that earlier versions wrote (tests/stored) are read as before, by every command that takes such a folder."""

import json
import tarfile
from pathlib import Path

import pytest

from schemas import open_packed
from tests.architecture.tree import ROOT
from tests.curation.test_laws import rows
from tests.jobs.calling import call

STORED = sorted(path.name for path in (ROOT / "tests/stored").glob("*.tar.xz"))


@pytest.fixture(params=STORED)
def stored(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What one version wrote, in the current folder."""
    with tarfile.open(ROOT / "tests/stored" / request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("stored")
def test_each_folder_is_whole(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("corpus", "later", "takedown", "packed", "comparisons", "mixture", "export"):
        assert call("verify", name, monkeypatch=monkeypatch) == 0, name
        assert "all as they were written" in capsys.readouterr().out


def test_a_corpus_can_be_looked_into_taken_from_and_held_against(
    stored: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ("--workers", "0", "--progress", "none")
    assert call("explain", "corpus", "near", monkeypatch=monkeypatch) == 0
    assert "was removed by near" in capsys.readouterr().out
    assert call("takedown", "corpus", "--doc-id", "ids.txt", "--output", "less", *own, monkeypatch=monkeypatch) == 0
    kept = [{row["doc_id"] for row in rows(stored / each, "documents")} for each in ("takedown", "less")]
    assert kept[0] - kept[1] == {"copy"}, "a copy of what was taken down had come back"
    again = ("curate", "--input", "in/second.jsonl", "--output", "again", "--against", "corpus")
    assert call(*again, *own, monkeypatch=monkeypatch) == 0
    assert rows(stored / "again", "documents") == rows(stored / "later", "documents")
    against = ("curate", "--input", "in/first.jsonl", "--output", "against", "--against", "takedown")
    assert call(*against, *own, monkeypatch=monkeypatch) == 0
    assert [row["doc_id"] for row in rows(stored / "against", "documents")] == ["page-3"], "it keeps no hashes"
    against = ("curate", "--input", "in/first.jsonl", "--output", "none", "--against", "less")
    assert call(*against, *own, monkeypatch=monkeypatch) == 0
    assert not rows(stored / "none", "documents")
    renewed = ("takedown", "later", "--against", "takedown", "--output", "renewed")
    assert call(*renewed, *own, monkeypatch=monkeypatch) == 0
    assert json.loads((stored / "renewed/manifest.json").read_text())["takedown"][-1]["taken_down"] == 0


@pytest.mark.usefixtures("stored")
def test_a_corpus_can_be_packed_and_a_packed_folder_read(monkeypatch: pytest.MonkeyPatch) -> None:
    before = open_packed("packed", verify=True)
    assert (len(before), before.length) == (69, 16)
    assert call("pack-export", "packed", "--format", "megatron", "--output", "tokens", monkeypatch=monkeypatch) == 0
    pack = ("pack", "corpus", "--tokenizer", "tokenizer.json", "--length", "16", "--output", "anew")
    assert call(*pack, monkeypatch=monkeypatch) == 0
    assert len(open_packed("anew", verify=True)) == 69


@pytest.mark.usefixtures("stored")
def test_datasets_can_be_exported_and_mixed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("comparisons", "mixture"):
        export = ("dataset", "export", name, "--format", "trl-dpo", "--output", f"{name}-dpo")
        assert call(*export, monkeypatch=monkeypatch) == 0
    assert call("dataset", "mix", "mix.toml", "--output", "mixed", monkeypatch=monkeypatch) == 0
    assert call("dataset", "upgrade", "comparisons", "--output", "newer", monkeypatch=monkeypatch) == 0
