"""Files in files: each member of an archive is read by its own format, under its own name."""

import bz2
import io
import lzma
import stat
import tarfile
import zipfile
from pathlib import Path

import lz4.frame
import orjson
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import zstandard

from curation.sources.chunks import ChunkBuilder
from curation.sources.contents import MAX_DEPTH
from curation.sources.reading import ReadingSettings
from curation.sources.zipped import zip_members
from tests.curation.sources.made import gz, lines, page, read_bytes, warc, zst

TAR_FORMATS = pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])


def tarred(members: dict[str, bytes], kind: int = tarfile.GNU_FORMAT) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=kind) as packed:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    return sink.getvalue()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as packed:
        for name, data in members.items():
            packed.writestr(name, data)
    return sink.getvalue()


def _table() -> pa.Table:
    return pa.table({"text": ["in a table", "in a row"], "id": ["t1", "t2"]})


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(_table(), sink)
    return sink.getvalue()


def _feather() -> bytes:
    sink = io.BytesIO()
    pa.feather.write_feather(_table(), sink, compression="zstd")
    return sink.getvalue()


def _members() -> dict[str, bytes]:
    return {
        "a.jsonl": lines({"text": "one"}, {"text": "two"}),
        "b/a.jsonl.gz": gz(lines({"text": "three"})),
        "c.parquet": _parquet(),
        "d.feather": _feather(),
        "e.warc": warc("conversion", b"in an archive", "http://a/", Content_Type="text/plain"),
        "f.txt": b"a text",
        "g.csv": b"text\nin a row of its own\n",
        "h.json.lz4": lz4.frame.compress(orjson.dumps([{"text": "four"}])),
        "empty.jsonl": b"",
    }


EXPECTED = {
    "a.jsonl": ["one", "two"], "b/a.jsonl.gz": ["three"], "c.parquet": ["in a table", "in a row"],
    "d.feather": ["in a table", "in a row"], "e.warc": ["in an archive"], "f.txt": ["a text"],
    "g.csv": ["in a row of its own"], "h.json.lz4": ["four"],
}  # fmt: skip


@pytest.mark.parametrize("pack", [bytes, gz, zst, lzma.compress])
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_members_are_read_by_their_own_formats(kind: str, pack: type[bytes], tmp_path: Path) -> None:
    data = {"tar": tarred, "zip": zipped}[kind](_members())  # type: ignore[operator]
    read = read_bytes(pack(data), tmp_path, name=f"outer.{kind}")
    assert not read.quarantine
    found: dict[str, list[str]] = {}
    for row in read.documents:
        found.setdefault(row["file"], []).append(row["text"])
    assert found == {f"outer.{kind}/{name}": texts for name, texts in EXPECTED.items()}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zip_methods(method: int, tmp_path: Path) -> None:
    data = zipped({"a.jsonl": lines(*({"text": f"{n} words"} for n in range(500)))}, method)
    assert len(read_bytes(data, tmp_path, name="a.zip").documents) == 500


@TAR_FORMATS
def test_long_names_of_tar(kind: int, tmp_path: Path) -> None:
    name = "/".join(["folder"] * 20) + "/" + "n" * 90 + ".jsonl"
    if kind != tarfile.USTAR_FORMAT:
        name = name.replace("n" * 90, "ü" * 120)
    read = read_bytes(tarred({name: lines({"text": "a"})}, kind), tmp_path, name="a.tar")
    assert [row["file"] for row in read.documents] == [f"a.tar/{name}"]


def test_what_is_hidden_or_no_file_is_counted(tmp_path: Path) -> None:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as packed:
        for name, kind in (("d", tarfile.DIRTYPE), ("l", tarfile.SYMTYPE), ("p", tarfile.FIFOTYPE), (".h", b"0")):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd" if kind == tarfile.SYMTYPE else ""
            packed.addfile(info)
        info = tarfile.TarInfo("d/a.jsonl")
        info.size = 13
        packed.addfile(info, io.BytesIO(lines({"text": "a"})))
    read = read_bytes(sink.getvalue(), tmp_path, name="a.tar")
    assert read.texts == ["a"]
    assert read.skipped == {"irregular_member": 2, "hidden_member": 1}
    with zipfile.ZipFile(sink := io.BytesIO(), "w") as packed_zip:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed_zip.writestr(link, "/etc/passwd")
        packed_zip.writestr("__MACOSX/._a.jsonl", b"\0\5\x16\7")
        packed_zip.writestr("a.jsonl", lines({"text": "a"}))
    read = read_bytes(sink.getvalue(), tmp_path, name="a.zip")
    assert (read.texts, read.skipped) == (["a"], {"irregular_member": 1, "hidden_member": 1})


def test_members_of_the_same_name_stay_apart(tmp_path: Path) -> None:
    """tar appends a newer version of a file behind the older one."""
    data = tarred({"a.jsonl": lines({"text": "old"})})[:1024] + tarred({"a.jsonl": lines({"text": "new"})})
    read = read_bytes(data, tmp_path, name="a.tar")
    assert [(row["file"], row["text"]) for row in read.documents] == [
        ("a.tar/a.jsonl", "old"),
        ("a.tar/a.jsonl#2", "new"),
    ]


def test_members_that_no_reader_takes_are_quarantined_whole(tmp_path: Path) -> None:
    members = {
        "notes": b"some prose",
        "a.pdf": b"%PDF-1.7 ...",
        "model.bin": bytes(range(256)) * 10,
        "a.jsonl": lines({"text": "a"}),
    }
    for name, data in (("a.tar", tarred(members)), ("a.zip", zipped(members))):
        read = read_bytes(data, tmp_path, name=name)
        assert read.texts == ["a"]
        found = [(row["file"], row["error"], row["bytes"]) for row in read.quarantine]
        assert found == [
            (f"{name}/notes", "unknown_format", 10),
            (f"{name}/a.pdf", "unsupported_format", 12),
            (f"{name}/model.bin", "unknown_format", 2560),
        ]
        assert "a PDF document" in read.quarantine[1]["message"]


def test_a_damaged_member_costs_itself(tmp_path: Path) -> None:
    broken = {"a.jsonl.gz": gz(lines({"text": "a"}))[:-9], "b.parquet": _parquet()[:-9]}
    members = {**broken, "c.jsonl": lines({"text": "c"})}
    for name, data in (("a.tar", tarred(members)), ("a.zip", zipped(members))):
        read = read_bytes(data, tmp_path, name=name)
        assert read.texts[-1] == "c"
        assert {row["file"] for row in read.quarantine} == {f"{name}/{member}" for member in broken}


def test_encrypted_members_are_named(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.jsonl": lines({"text": "a"}), "b.jsonl": lines({"text": "b"})}))
    local, central = data.rindex(b"PK\3\4"), data.rindex(b"PK\1\2")
    data[local + 6] |= 1
    data[central + 8] |= 1
    read = read_bytes(bytes(data), tmp_path, name="a.zip")
    assert (read.texts, read.errors) == (["a"], ["encrypted"])
    assert read.quarantine[0]["file"] == "a.zip/b.jsonl"


def test_archives_in_archives_have_a_floor(tmp_path: Path) -> None:
    data, name = lines({"text": "deep"}), "a.jsonl"
    for depth in range(MAX_DEPTH + 1):
        read = read_bytes(data, tmp_path, name=name if depth else "a.jsonl")
        assert read.texts == ["deep"]
        data, name = tarred({name: data}), f"{depth}.tar"
    read = read_bytes(data, tmp_path, name=name)
    assert (read.texts, read.errors) == ([], ["unsupported_format"])
    assert f"{MAX_DEPTH} deep" in read.quarantine[0]["message"]


def test_of_a_wacz_the_archives_are_read(tmp_path: Path) -> None:
    record = warc("conversion", b"The text.", "http://a/", Content_Type="text/plain")
    members = {
        "datapackage.json": b"{}",
        "archive/data.warc.gz": gz(record),
        "pages/pages.jsonl": lines({"text": "The text."}),
        "indexes/index.cdx.gz": gz(b"..."),
    }
    read = read_bytes(zipped(members, zipfile.ZIP_STORED), tmp_path, name="a.wacz")
    assert [(row["file"], row["text"]) for row in read.documents] == [("a.wacz/archive/data.warc.gz", "The text.")]
    assert read.skipped == {"not_in_archive": 3}


@pytest.mark.parametrize("packed", [True, False])
def test_a_warc_with_a_dictionary(packed: bool, tmp_path: Path) -> None:
    """As the specification of .warc.zst has it: the dictionary in a skippable frame, compressed itself or not."""
    records = [
        warc("conversion", f"The mill number {n} grinds corn.".encode(), f"http://a/{n}", Content_Type="text/plain")
        for n in range(60)
    ]
    shared = zstandard.train_dictionary(4096, records * 10)
    frames = [zstandard.ZstdCompressor(dict_data=shared, write_checksum=True).compress(one) for one in records]
    content = zst(shared.as_bytes()) if packed else shared.as_bytes()
    head = b"\x5d\x2a\x4d\x18" + len(content).to_bytes(4, "little") + content
    frames[7] = frames[7][:-6] + b"\xff\xff" + frames[7][-4:]
    read = read_bytes(head + b"".join(frames), tmp_path, name="a.warc.zst")
    assert len(read.documents) == 59
    assert len(read.quarantine) == 1


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_json_lines_in_wide_encodings(encoding: str, tmp_path: Path) -> None:
    text = "\ufeff" + "".join(f'{{"text": "Grüße {n} 🙂"}}\n' for n in range(50))
    data = bytearray(text.encode(encoding))
    assert len(read_bytes(gz(bytes(data)), tmp_path, name="a.jsonl.gz").documents) == 50
    unit = 2 if "16" in encoding else 4
    place = unit * (1 + text[1:].index("🙂"))
    data[place : place + unit] = b"\xdc\xdc\xdc\xdc"[:unit]
    read = read_bytes(bytes(data), tmp_path, name="a.jsonl")
    assert len(read.documents) == 49
    assert read.errors == ["bad_utf8"]


def test_a_page_is_one_document(tmp_path: Path) -> None:
    [row] = read_bytes(zst(page("On grinding.")), tmp_path, ReadingSettings(), "saved.html.zst").documents
    assert "On grinding. The wheel of the mill turns" in row["text"]
    assert "Imprint" not in row["text"]
    assert (row["url"], row["offset"]) == (None, 0)
    found = {"extractor": "without_navigation", "extracted_as": "short_lines"}
    assert orjson.loads(row["metadata"]) == {"encoding": "utf-8", "title": "About On grindi", **found}


def test_streams_of_arrow_follow_each_other(tmp_path: Path) -> None:
    sink = io.BytesIO()
    for _ in range(2):
        with pa.ipc.new_stream(sink, _table().schema) as writer:
            writer.write_table(_table())
    assert read_bytes(sink.getvalue(), tmp_path, name="a.arrows").texts == ["in a table", "in a row"] * 2


def test_a_damaged_batch_of_arrow_costs_itself(tmp_path: Path) -> None:
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, _table().schema) as writer:
        for n in range(3):
            writer.write_table(pa.table({"text": [f"text {n} {i}" for i in range(5)], "id": list("abcde")}))
    data = bytearray(sink.getvalue())
    offsets = data.index(b"text 1 0") - 24  # of the strings: six of four bytes
    data[offsets + 3] = 0x7F
    read = read_bytes(bytes(data), tmp_path, name="a.arrow")
    assert {text[:6] for text in read.texts} == {"text 0", "text 2"}
    assert read.errors == ["bad_arrow"]
    data[offsets + 3] = 0
    data[data.index(b"text 1 0")] = 0xFF
    read = read_bytes(bytes(data), tmp_path, name="a.arrow")
    assert (len(read.documents), read.errors) == (14, ["bad_utf8"])


def test_first_members_that_hold_no_line(tmp_path: Path) -> None:
    """What pzstd writes (a frame without data first), and what `cat empty.gz part.gz` gives."""
    data = lines(*({"id": str(n), "text": f"Line {n} is here."} for n in range(5)))
    frame = zst(data)
    packed = {
        "pzstd.jsonl.zst": b"\x50\x2a\x4d\x18\4\0\0\0" + len(frame).to_bytes(4, "little") + frame,
        "empty.jsonl.gz": gz(b"") + gz(data),
        "short.jsonl.gz": gz(data[:10]) + gz(data[10:]),
        "short.jsonl.bz2": bz2.compress(data[:10]) + bz2.compress(data[10:]),
        "none.gz": gz(b"") + gz(data),
    }
    for name, stored in packed.items():
        read = read_bytes(stored, tmp_path, name=name)
        assert read.texts == [f"Line {n} is here." for n in range(5)]
        assert not read.quarantine


class Unreachable(io.BytesIO):
    """A remote file whose connection is lost, as requests and sockets tell it: an OSError without a number."""

    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionError("the connection was lost")


def test_a_zip_file_that_cannot_be_reached_is_not_a_broken_one() -> None:
    builder = ChunkBuilder(ReadingSettings())
    with pytest.raises(ConnectionError):
        list(zip_members(Unreachable(zipped({"a.txt": b"A text."})), builder))
    assert not builder.quarantined


def test_a_member_whose_directory_is_damaged_is_reported(tmp_path: Path) -> None:
    whole = zipped({"a.jsonl": lines({"text": "One."})}, zipfile.ZIP_LZMA)
    read = read_bytes(whole[: whole.index(b"PK\x01\x02")], tmp_path, name="cut.zip")
    messages = [row["message"] for row in read.quarantine if row["error"] == "unsupported_format"]
    assert len(messages) == 1
    assert (
        "compressed by method 14 (LZMA) is read only where the directory of the zip file is whole: copy" in messages[0]
    )
