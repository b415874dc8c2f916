"""Checksums that are wrong: a record in a member of its own is quarantined, other documents are told to be in doubt."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import orjson
import pyarrow as pa
import pytest

from tests.curation.sources.made import arc, gz, http, lines, page, read_bytes, response, warc, zst

ROWS = [{"text": f"Stone {n} of the mill."} for n in range(40)]


def _spoilt(data: bytes, place: int) -> bytes:
    """The data with one bit of the byte at ``place`` changed."""
    spoilt = bytearray(data)
    spoilt[place] ^= 1
    return bytes(spoilt)


def _csv(rows: list[dict[str, str]]) -> bytes:
    return b"text\n" + b"".join(row["text"].encode() + b"\n" for row in rows)


def _arrow(rows: list[dict[str, str]]) -> bytes:
    sink = io.BytesIO()
    table = pa.Table.from_pylist(rows)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=9)
    return sink.getvalue()


def _warc(rows: list[dict[str, str]]) -> bytes:
    return b"".join(warc("conversion", row["text"].encode(), "http://a/", Content_Type="text/plain") for row in rows)


def _tar(rows: list[dict[str, str]]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as packed:
        for n in range(0, len(rows), 7):
            data = lines(*rows[n : n + 7])
            info = tarfile.TarInfo(f"{n}.jsonl")
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    return sink.getvalue()


FORMATS: dict[str, Callable[[list[dict[str, str]]], bytes]] = {
    "a.jsonl.gz": lambda rows: lines(*rows),
    "a.json.gz": lambda rows: orjson.dumps(rows, option=orjson.OPT_INDENT_2),
    "a.csv.gz": _csv,
    "a.arrows.gz": _arrow,
    "a.warc.gz": _warc,
    "a.tar.gz": _tar,
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("place", [-7, -3], ids=["checksum", "length"])
def test_documents_of_a_member_with_a_wrong_checksum_are_counted(name: str, place: int, tmp_path: Path) -> None:
    good = gz(FORMATS[name](ROWS))
    assert read_bytes(good, tmp_path, name=name).reports[0].lost is None
    read = read_bytes(_spoilt(good, place), tmp_path, name=name)
    assert read.texts == [row["text"] for row in ROWS]
    [row] = read.quarantine
    assert row["error"] == "bad_checksum"
    assert row["message"].endswith("; 40 documents read before may be damaged")
    lost = read.reports[0].lost
    assert lost is not None
    assert (lost.doubtful_documents, lost.whole) == (40, False)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.warc.gz"])
@pytest.mark.parametrize("bad", [0, 4, 6, 9])
@pytest.mark.parametrize("size", [4, 600])
def test_documents_of_other_members_are_in_no_doubt(name: str, bad: int, size: int, tmp_path: Path) -> None:
    rows = [{"text": f"Stone {n} of the mill."} for n in range(10 * size)]
    members = [gz(FORMATS[name](rows[n : n + size])) for n in range(0, len(rows), size)]
    members[bad] = _spoilt(members[bad], -7)
    read = read_bytes(b"".join(members), tmp_path, name=name)
    assert read.texts == [row["text"] for row in rows]
    [row] = read.quarantine
    assert f"; {size} documents read before may be damaged" in row["message"]


@pytest.mark.parametrize(
    ("name", "pack", "place"),
    [
        ("a.jsonl.bz2", lambda data: bz2.compress(data, 1), -5),
        pytest.param("a.jsonl.xz", lzma.compress, -37, marks=pytest.mark.soak),  # compresses for a minute
        ("a.jsonl.zst", zst, -2),
        ("a.jsonl.lz4", lambda data: lz4.frame.compress(data, content_checksum=True), -2),
    ],
)
def test_every_container_counts_what_it_gave_before(
    name: str, pack: Callable[[bytes], bytes], place: int, tmp_path: Path
) -> None:
    """Some find the damage before they give anything of the last block."""
    rows = [{"text": f"Stone {n} of the mill. " + hex(n**90)} for n in range(40_000)]
    read = read_bytes(_spoilt(pack(lines(*rows)), place), tmp_path, name=name)
    assert 100 < len(read.documents) <= len(rows)
    [row] = read.quarantine
    assert row["error"] in ("bad_checksum", "corrupt")
    assert f"{len(read.documents):,} documents read before may be damaged" in row["message"]


@pytest.mark.parametrize("left", [None, -40], ids=["whole", "without a directory"])
def test_a_member_of_a_zip_file_with_a_wrong_checksum_counts_its_own_documents(
    left: int | None, tmp_path: Path
) -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        for n in range(4):
            packed.writestr(f"{n}.jsonl", lines(*ROWS[10 * n : 10 * n + 10]))
    data = sink.getvalue().replace(b"Stone 15", b"Stone 95")[:left]
    read = read_bytes(data, tmp_path, name="a.zip")
    assert len(read.documents) == 40
    row = read.quarantine[-1]
    assert (row["file"], row["error"]) == ("a.zip/1.jsonl", "bad_checksum")
    assert row["message"].endswith("; 10 documents read before may be damaged")


def test_a_broken_member_in_an_archive_counts_what_was_read_of_it(tmp_path: Path) -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        packed.writestr("0.jsonl", lines(*ROWS[:5]))
        packed.writestr("1.jsonl.gz", gz(lines(*ROWS[5:20])))
        packed.writestr("2.jsonl.gz", _spoilt(gz(lines(*ROWS[20:])), -7))
    read = read_bytes(sink.getvalue(), tmp_path, name="a.zip")
    [row] = read.quarantine
    assert row["message"].endswith("; 20 documents read before may be damaged")


def test_a_file_that_is_cut_short_casts_no_doubt(tmp_path: Path) -> None:
    read = read_bytes(gz(lines(*ROWS))[:-7], tmp_path, name="a.jsonl.gz")
    assert read.errors == ["truncated"]
    assert "may be damaged" not in read.quarantine[0]["message"]


def _numbered(count: int) -> list[bytes]:
    return [response(f"Page {n} of the mill.", f"http://mill.example/{n}") for n in range(count)]


@pytest.mark.parametrize("pack", [gz, zst])
@pytest.mark.parametrize("place", [-7, -3], ids=["checksum", "length"])
@pytest.mark.parametrize("bad", [0, 2, 4])
def test_a_record_in_a_member_with_a_wrong_checksum_is_quarantined(
    pack: Callable[[bytes], bytes], place: int, bad: int, tmp_path: Path
) -> None:
    members = list(map(pack, _numbered(5)))
    members[bad] = _spoilt(members[bad], place if pack is gz else -2)
    read = read_bytes(b"".join(members), tmp_path)
    assert [row["url"][-1] for row in read.documents] == [str(n) for n in range(5) if n != bad]
    [row] = read.quarantine
    assert row["error"] == "bad_checksum"
    assert row["offset"] == sum(map(len, members[:bad]))
    assert "may be damaged" not in row["message"]
    assert read.reports[0].lost is not None
    assert read.reports[0].lost.bytes == len(members[bad])
    if pack is gz:
        assert row["record"] == _numbered(5)[bad].removesuffix(b"\r\n\r\n")


def test_an_arc_record_in_a_member_with_a_wrong_checksum_is_quarantined(tmp_path: Path) -> None:
    made = arc([(f"http://mill.example/{n}", http(page(f"Page {n} of the mill."))) for n in range(3)])
    members = list(map(gz, made))
    members[2] = _spoilt(members[2], -7)
    read = read_bytes(b"".join(members), tmp_path)
    assert [row["url"][-1] for row in read.documents] == ["0", "2"]
    assert read.errors == ["bad_checksum"]


def test_a_record_that_runs_into_a_broken_member_is_in_doubt(tmp_path: Path) -> None:
    data = b"".join(_numbered(6))
    size = len(data) // 6
    members = [gz(data[: size + 9]), gz(data[size + 9 : 4 * size + 9]), gz(data[4 * size + 9 :])]
    members[1] = _spoilt(members[1], -7)
    read = read_bytes(b"".join(members), tmp_path)
    assert {row["url"][-1] for row in read.documents} >= {"0", "1", "2", "3"}
    assert "; 3 documents read before may be damaged" in read.quarantine[0]["message"]


def test_gzip_of_a_damaged_record_still_decompresses() -> None:
    """What the tests above change is the checksum alone."""
    with pytest.raises(gzip.BadGzipFile, match="CRC"):
        gzip.decompress(_spoilt(gz(b"mill"), -7))
