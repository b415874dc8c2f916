"""What cannot be read counts by its share of the input, and no file is lost in silence."""

import gzip
import json
import os
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.engine.unreadable import check_readable
from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.release.manifest import InputReport, read_manifest
from curation.sources.chunks import Lost
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from schemas.errors import RunError
from schemas.records import to_json
from tests.jobs.calling import call

ROWS = 400


def write_shards(folder: Path, files: int) -> list[Path]:
    folder.mkdir()
    paths = [folder / f"{n:02}.parquet" for n in range(files)]
    for n, path in enumerate(paths):
        texts = [f"Text {k} of file {n} tells of stone {n * k}." for k in range(ROWS)]
        pq.write_table(pa.table({"text": texts}), path, row_group_size=ROWS // 4, use_dictionary=False)
    return paths


def curate(folder: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    asked = ["curate", "--input", folder / "in", "--output", folder / "out", "--recipe", "none", "--workers", "0"]
    return call(*asked, "--progress", "none", *more, monkeypatch=monkeypatch)


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(data)


def test_files_of_which_nothing_can_be_read_fail_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in write_shards(tmp_path / "in", 5)[:4]:
        os.truncate(path, path.stat().st_size - 50)
    assert curate(tmp_path, monkeypatch) == 1
    said = capsys.readouterr().err
    assert said.startswith("gristmill: nothing could be read from 4 of 5 input files: ")
    assert "00.parquet, 01.parquet, 02.parquet and 1 more (bad_parquet: the footer cannot be read" in said
    assert said.endswith("or continue without them: --allow-unreadable --set max_quarantined=0.79\n")
    assert curate(tmp_path, monkeypatch, "--allow-unreadable") == 1
    assert ", above max_quarantined = 0.01: " in capsys.readouterr().err
    assert curate(tmp_path, monkeypatch, "--allow-unreadable", "--set", "max_quarantined=0.79") == 0
    told = capsys.readouterr().out
    size = (tmp_path / "in" / "00.parquet").stat().st_size
    assert f"lost from 00.parquet: {size:,} of {size:,} stored bytes (100.0%): bad_parquet" in told
    assert told.count("lost from") == 4


def test_row_groups_that_cannot_be_read_count_by_their_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [path] = write_shards(tmp_path / "in", 1)
    with pq.ParquetFile(path) as file:
        groups = [file.metadata.row_group(n).column(0) for n in range(4)]
    for group in groups[1:]:
        flip(path, group.dictionary_page_offset or group.data_page_offset)
    assert curate(tmp_path, monkeypatch) == 1
    lost, size = sum(group.total_compressed_size for group in groups[1:]), path.stat().st_size
    assert f"{lost:,} of {size:,} stored bytes could not be read" in capsys.readouterr().err
    assert curate(tmp_path, monkeypatch, "--set", "max_quarantined=1") == 0
    [entry] = json.loads((tmp_path / "out" / "manifest.json").read_text())["inputs"]
    assert (entry["lost"]["bytes"], entry["lost"]["error"], entry["lost"]["whole"]) == (lost, "bad_row_group", False)


def test_a_few_lost_records_of_a_small_input_are_tolerated_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    lines = [json.dumps({"text": f"Stone {n} of the mill."}).encode() + b"\n" for n in range(20)]
    data = b"".join(map(gzip.compress, lines))
    (tmp_path / "in" / "a.jsonl.gz").write_bytes(data)
    flip(tmp_path / "in" / "a.jsonl.gz", 5 * len(data) // 20 + 15)
    assert curate(tmp_path, monkeypatch) == 0
    assert "lost from a.jsonl.gz: " in capsys.readouterr().out


def test_a_compressed_file_that_is_cut_short_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    lines = "".join(json.dumps({"text": f"Stone {n} of the mill."}) + "\n" for n in range(200))
    (tmp_path / "in" / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode())[:-200])
    assert curate(tmp_path, monkeypatch) == 0
    assert " stored bytes: truncated" in capsys.readouterr().out


def test_documents_that_may_be_damaged_are_counted_in_the_summary_and_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    lines = "".join(json.dumps({"text": f"Stone {n} of the mill."}) + "\n" for n in range(22))
    (tmp_path / "in" / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    flip(tmp_path / "in" / "a.jsonl.gz", -7)
    with zipfile.ZipFile(tmp_path / "in" / "b.zip", "w") as packed:
        packed.writestr("b.jsonl", '{"text": "Stone 22."}\n')
    (tmp_path / "in" / "b.zip").write_bytes((tmp_path / "in" / "b.zip").read_bytes().replace(b"Stone 22", b"Stone 92"))
    assert curate(tmp_path, monkeypatch) == 0
    said = capsys.readouterr().out
    assert "lost from a.jsonl.gz: " in said
    assert "bad_checksum; 22 documents read before may be damaged\n" in said
    assert "b.zip: bad_checksum; 1 document read before may be damaged\n" in said
    inputs = json.loads((tmp_path / "out" / "manifest.json").read_text())["inputs"]
    assert [entry["lost"]["doubtful_documents"] for entry in inputs] == [22, 1]
    assert "22 documents read before may be damaged" in inputs[0]["lost"]["message"]
    finished = read_manifest(Folder(str(tmp_path / "out")))
    assert finished is not None
    assert to_json(finished.inputs) == inputs


def test_an_undamaged_input_leaves_no_trace_of_this(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shards(tmp_path / "in", 2)
    assert curate(tmp_path, monkeypatch, "--allow-unreadable") == 0
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert all(set(entry) == {"file", "size", "sha256"} for entry in manifest["inputs"])
    assert "allow_unreadable" not in manifest["job"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.jsonl", '{"id": 1, "body": "x"}\n' * 90, "(no_text: there is no field 'text'; the record's fields: "),
        ("a.jsonl", "{broken\n" * 3, "(bad_json: "),
        ("a.csv", "id,body\n1,x\n2,y\n", "(no_text: "),
    ],
)
def test_a_file_of_nothing_but_bad_records_fails_the_run(
    name: str,
    content: str,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_text(content)
    (tmp_path / "in" / "good.jsonl").write_text('{"text": "The mill turns."}\n' * 2)
    assert curate(tmp_path, monkeypatch) == 1
    said = capsys.readouterr().err
    assert f"nothing could be read from 1 of 2 input files: {name} {told}" in said
    remedy = "Name the field of the text: --set reading.fields.text=NAME" if "no_text" in told else "Repair it"
    assert f"{remedy}, leave it out, or continue without it: --allow-unreadable\n" in said
    assert curate(tmp_path, monkeypatch, "--allow-unreadable") == 0
    size = (tmp_path / "in" / name).stat().st_size
    assert f"nothing could be read from {name} ({size:,} stored bytes): " in capsys.readouterr().out


def test_a_part_of_nothing_but_bad_records_is_no_damage_to_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    good = "".join(json.dumps({"text": f"Stone {n} of the mill."}) + "\n" for n in range(400))
    (tmp_path / "in" / "a.jsonl").write_text(good + "{broken\n" * 90)
    assert curate(tmp_path, monkeypatch, "--set", "unit_bytes=500") == 0
    told = capsys.readouterr().out
    assert "quarantined: 90 bad_json" in told
    assert "lost from" not in told
    assert "nothing could be read" not in told


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(("lost", "bad"), [(963, 200), (1000, 150), (290, 101), (5, 120)])
def test_the_share_that_is_advised_lets_the_same_run_pass(lost: int, bad: int, whole: bool) -> None:
    """The share of the records that could not be read may be larger than that of the stored bytes."""
    job = make_job([Input("a.parquet")], "none", ())
    fault = Lost(bytes=lost, error="expands_too_far", message="row group 0", whole=whole)
    entries = [InputReport(file="a.parquet", size=1000, sha256="", lost=fault)]
    ledger = Ledger(read={"a": (200 - bad, 0, 0)}, quarantined={"expands_too_far": (bad, 0, 0)})
    with pytest.raises(RunError) as refused:
        check_readable(job, ledger, entries, Folder("out"))
    advised = re.search(r"(--allow-unreadable)?(?: ?--set max_quarantined=([0-9.]+))?$", str(refused.value))
    assert advised is not None
    share = float(advised[2]) if advised[2] else job.max_quarantined
    again = replace(job, allow_unreadable=bool(advised[1]), max_quarantined=share)
    check_readable(again, ledger, entries, Folder("out"))


def test_too_many_bad_records_are_reported_with_a_share_that_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    lines = [json.dumps({"text": f"Stone {n} of the mill."}) if n % 2 else "{" for n in range(400)]
    (tmp_path / "in" / "a.jsonl").write_text("\n".join(lines))
    assert curate(tmp_path, monkeypatch) == 1
    said = capsys.readouterr().err
    assert said.endswith("or raise the limit: --set max_quarantined=0.51\n")
    assert curate(tmp_path, monkeypatch, "--set", "max_quarantined=0.51") == 0
