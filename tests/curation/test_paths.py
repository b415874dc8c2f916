"""Paths as people have them, through the command: one sentence, or the right rows."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest

from tests.jobs.calling import call

TEXT = '{"text": "A text of the mill."}\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def curate(glob: str | Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    asked = ["curate", "--input", str(glob), "--output", "out", "--recipe", "none", "--workers", "0"]
    return call(*asked, "--progress", "none", *more, monkeypatch=monkeypatch)


def inputs() -> list[str]:
    return [entry["file"] for entry in json.loads(Path("out/manifest.json").read_text())["inputs"]]


def rows() -> list[dict[str, Any]]:
    return ds.dataset("out/documents").to_table().to_pylist()  # type: ignore[no-any-return]


def test_a_loop_of_links_is_read_once(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "loop" / "sub").mkdir(parents=True)
    (here / "loop" / "sub" / "up").symlink_to("..")
    (here / "loop" / "a.jsonl").write_text(TEXT)
    assert curate("loop/**/*.jsonl", monkeypatch) == 0
    assert inputs() == ["a.jsonl"]


def test_a_hive_folder_is_a_path(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "year=2024").mkdir()
    (here / "year=2024" / "b.jsonl").write_text(TEXT)
    assert curate("year=2024/*.jsonl", monkeypatch) == 0
    assert [row["source"] for row in rows()] == ["default"]


@pytest.mark.parametrize("glob", ["bad*.jsonl", os.fsdecode(b"bad\xff.jsonl")])
def test_a_name_that_is_not_utf8_is_written_with_escapes(
    glob: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / os.fsdecode(b"bad\xff.jsonl")).write_text(TEXT)
    assert curate(glob, monkeypatch) == 0
    assert inputs() == [r"bad\xff.jsonl"]
    assert [row["file"] for row in rows()] == [r"bad\xff.jsonl"]
    assert curate(glob, monkeypatch) == 0, "the same job is known again"


def test_a_fifo_is_skipped_and_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (here / "in").mkdir()
    (here / "in" / "a.jsonl").write_text(TEXT)
    os.mkfifo(here / "in" / "pipe")
    assert curate("in", monkeypatch) == 0
    assert inputs() == ["a.jsonl"]
    assert f"skipped in the input, 1 in all: {here}/in/pipe (a FIFO)" in caplog.text


@pytest.mark.parametrize(("path", "what"), [("pipe", "a FIFO"), ("/dev/zero", "a device")])
def test_what_is_no_file_is_refused_by_name(
    path: str, what: str, here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(here / "pipe")
    assert curate(path, monkeypatch) == 2
    said = capsys.readouterr().err
    assert f"{path}' is {what}: copy its content into a regular file first" in said
    assert said.count("\n") == 1
    assert not (here / "out").exists()


def test_links_out_of_the_input_are_read_when_asked(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("blobs", "snapshot"):
        (here / name).mkdir()
    (here / "blobs" / "1").write_text(TEXT)
    (here / "snapshot" / "a.jsonl").symlink_to("../blobs/1")
    assert curate("snapshot", monkeypatch) == 2
    assert "--follow-links follows links out of the input's folder" in capsys.readouterr().err
    assert curate("snapshot", monkeypatch, "--follow-links") == 0
    assert inputs() == ["a.jsonl"]
    assert json.loads((here / "out" / "manifest.json").read_text())["job"]["follow_links"] is True


def test_a_wildcard_in_braces_that_matches_nothing_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (here / "a.jsonl").write_text(TEXT)
    assert curate("{a,b*}.jsonl", monkeypatch) == 0
    assert "no file matches these patterns from the input's braces: b*.jsonl" in caplog.text
