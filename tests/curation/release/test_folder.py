"""The output folder: whole files only, one run only."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.release.folder import WORK, Folder
from curation.release.shards import ROW_GROUP_BYTES, ShardWriter, read_rows, read_shard, row_groups
from schemas import JUDGED
from schemas.checksums import Digest
from schemas.records import Example


def documents(count: int, size: int) -> pa.RecordBatch:
    return JUDGED.batch(
        {
            "doc_id": [str(n) for n in range(count)],
            "text": ["x" * size] * count,
            "source": ["web"] * count,
            "file": ["f"] * count,
            "offset": list(range(count)),
            "metadata": ["{}"] * count,
        }
    )


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    with folder.writing("a/b.bin") as stream:
        digest = Digest(stream)
        digest.write(b"half")
        assert not folder.exists("a/b.bin")
    assert (tmp_path / "a" / "b.bin").read_bytes() == b"half"
    assert digest.sha256 == hashlib.sha256(b"half").hexdigest()


def test_a_report_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, synced = Folder(str(tmp_path)), []
    fsync = os.fsync

    def watched(file: int) -> None:
        synced.append((os.fstat(file).st_size, folder.exists("a.json")))
        fsync(file)

    monkeypatch.setattr(os, "fsync", watched)
    folder.write_json("a.json", {"x": 1})
    assert synced == [((tmp_path / "a.json").stat().st_size, False)]
    Folder("memory://reports").write_json("a.json", {"x": 1})


def test_an_error_leaves_no_file_behind(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    with pytest.raises(ZeroDivisionError), ShardWriter(folder, "documents/0.parquet", JUDGED.schema) as shard:
        shard.write(documents(3, 10))
        raise ZeroDivisionError
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_two_who_write_the_same_file_leave_it_whole(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    with folder.writing("a/b.bin") as lost:
        lost.write(b"the same ")
        with folder.writing("a/b.bin") as again:
            again.write(b"the same bytes")
        assert (tmp_path / "a" / "b.bin").read_bytes() == b"the same bytes"
        lost.write(b"bytes")
    assert (tmp_path / "a" / "b.bin").read_bytes() == b"the same bytes"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.bin"]


def test_what_a_killed_writer_left_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    folder.write_json("documents/.hidden", {})
    with pytest.raises(FileNotFoundError), folder.writing("documents/0.parquet") as half:
        half.write(b"half")
        assert len(list((tmp_path / "documents").iterdir())) == 2
        folder.sweep()
    assert [path.name for path in (tmp_path / "documents").iterdir()] == [".hidden"]
    folder.sweep()
    folder.remove("documents/.hidden")
    folder.remove("documents/.hidden")
    assert list((tmp_path / "documents").iterdir()) == []


def test_a_shard_has_bounded_row_groups_and_reads_back(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    batch = documents(16, 1 << 20)
    with ShardWriter(folder, "documents/0.parquet", JUDGED.schema) as shard:
        for _ in range(6):
            shard.write(batch)
    file = pq.ParquetFile(tmp_path / "documents" / "0.parquet")
    assert file.metadata.num_rows == shard.rows == 96
    assert file.num_row_groups == 3
    assert all(file.metadata.row_group(g).total_byte_size <= ROW_GROUP_BYTES * 2 for g in range(3))
    assert file.schema_arrow.field("text").type == pa.large_string()
    assert file.metadata.row_group(0).column(1).compression == "ZSTD"
    assert (
        read_shard(folder, "documents/0.parquet", ["doc_id"])["doc_id"].to_pylist() == batch["doc_id"].to_pylist() * 6
    )
    assert shard.entry().sha256 == hashlib.sha256((tmp_path / "documents" / "0.parquet").read_bytes()).hexdigest()


def test_only_row_groups_with_wanted_rows_are_read(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    with ShardWriter(folder, "0.parquet", JUDGED.schema) as shard:
        for _ in range(6):
            shard.write(documents(16, 1 << 20))
    whole = read_shard(folder, "0.parquet", ["doc_id", "offset"])
    for rows in ([], [0], [31, 32], [5, 40, 41, 95], [64], list(range(96))):
        wanted = np.array(rows, np.int64)
        assert read_rows(folder, "0.parquet", ["doc_id", "offset"], wanted).equals(whole.take(pa.array(wanted)))
        starts = [start for start, _ in row_groups(folder, "0.parquet", ["offset"], wanted)]
        assert starts == sorted({row // 32 * 32 for row in rows})


def test_any_file_system_will_do() -> None:
    folder = Folder("memory://corpus")
    folder.write_json(f"{WORK}/x.json", {})
    folder.write_json("a/b.json", Example("rye", (1, 2)))
    assert folder.read_json("a/b.json", Example) == Example("rye", (1, 2))
    folder.write_json("a/b/c.json", {})
    assert folder.names("a/*.json") == ["a/b.json"]
    assert folder.names("*/*/*.json") == ["a/b/c.json"]
    assert folder.names("**/*.json") == [".work/x.json", "a/b.json", "a/b/c.json"]
    assert folder.names("nowhere/*.json") == []
    folder.release()
    assert not folder.exists(WORK)
