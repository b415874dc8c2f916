"""Whole units: small files together, files that cannot be read, plain text, other file systems."""

import hashlib
import os
from pathlib import Path
from unittest.mock import patch

import fsspec
import pytest

from curation.sources import listing, opening
from curation.sources.chunks import content_id
from curation.sources.inputs import Input, Unit
from curation.sources.listing import list_files
from curation.sources.reading import ReadingSettings, read_unit
from curation.sources.units import plan_units
from schemas.errors import RunError
from tests.curation.sources.made import gz, lines, read_bytes, read_file, read_spans, whole, zst


def test_small_files_share_a_unit_and_a_chunk(tmp_path: Path) -> None:
    for n in range(20):
        (tmp_path / f"{n:02}.txt").write_text(f"text {n}\n")
    (tmp_path / "10.jsonl").write_bytes(lines({"text": "a"}, b"bad", {"text": "b"}))
    files = list_files([Input(str(tmp_path), source="notes")])
    [unit] = plan_units(files, 1 << 20)
    [chunk] = list(read_unit(unit, ReadingSettings()))
    assert len(chunk.finished) == len(files) == 21
    for report in chunk.finished:
        data = Path(report.span.file.path).read_bytes()
        assert (report.sha256, report.bytes) == (hashlib.sha256(data).hexdigest(), len(data))
    assert chunk.documents["file"].to_pylist() == sorted(chunk.documents["file"].to_pylist())
    assert chunk.documents["source"].unique().to_pylist() == ["notes"]
    assert chunk.bytes_read == sum(file.size for file in files)
    assert read_spans(unit.spans).errors == ["bad_json"]


def test_a_file_that_disappears_is_no_bad_record(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    [unit] = plan_units(list_files([Input(str(tmp_path))]), 1 << 20)
    (tmp_path / "b").unlink()
    with pytest.raises(RunError, match=rf"the input file '{tmp_path}/b' could not be read \(No such file"):
        read_spans(unit.spans)


def test_a_file_without_permission_is_no_bad_record(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    with patch.object(opening, "open_stored", refuse), pytest.raises(RunError, match="Permission denied"):
        read_file(tmp_path / "a")


def test_a_file_that_fails_half_way_is_no_bad_record(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(*({"text": "word " * 100} for _ in range(20_000))))
    read_fully, calls = opening._read_fully, []

    def fail(file: object, size: int) -> bytes:
        calls.append(size)
        if len(calls) > 5:
            raise TimeoutError
        return read_fully(file, size)  # type: ignore[arg-type]

    with patch.object(opening, "_read_fully", fail), pytest.raises(RunError, match=r"\(TimeoutError\)"):
        read_file(path)


def test_a_large_file_that_cannot_be_opened_has_no_plan(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines({"text": "a"}, {"text": "b"}))
    files = list_files([Input(str(tmp_path))])
    (tmp_path / "a.jsonl").unlink()
    with pytest.raises(RunError, match="could not be read"):
        plan_units(files, 10)


@pytest.mark.parametrize("pack", [bytes, gz, zst])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_plain_text_is_one_document(pack: type[bytes], encoding: str, tmp_path: Path) -> None:
    text = "Die Mühle\nam rauschenden Bach.\n"
    read = read_bytes(pack(text.encode(encoding)), tmp_path, name="mill.txt")
    [row] = read.documents
    assert row == {
        "doc_id": content_id(None, text), "text": text, "url": None, "source": "default", "date": None,
        "file": "mill.txt", "offset": 0, "metadata": "{}",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"Die M\xfchle\n", "bad_utf8"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), "unsupported_format"),
        (b"tar\0\0\0\0", "not_text"),
        (gz(b"some text " * 1000)[:-9], "truncated"),
        (zst(b"some text " * 1000)[:9], "truncated"),
        (b"\x1f\x8b nothing of the kind", "bad_utf8"),
        (b"word " * 1000, "too_large"),
    ],
)
def test_a_text_that_cannot_be_read_is_reported(data: bytes, error: str, tmp_path: Path) -> None:
    read = read_bytes(data, tmp_path, ReadingSettings(max_record_bytes=4000), "mill.txt")
    assert not read.documents
    assert read.errors == [error]
    assert data.startswith(read.quarantine[0]["record"][:5]) or error == "truncated"


def test_empty_files_hold_no_documents(tmp_path: Path) -> None:
    for data in (b"", gz(b""), zst(b"")):
        read = read_bytes(data, tmp_path)
        assert not read.documents
        assert not read.quarantine


def test_a_blank_text_is_a_document_to_be_judged(tmp_path: Path) -> None:
    assert read_bytes(b" \n", tmp_path, name="mill.txt").texts == [" \n"]


def test_other_file_systems_read_the_same(tmp_path: Path) -> None:
    data = lines(*({"text": f"line {n} " * 30} for n in range(2000)))
    memory = fsspec.filesystem("memory")
    memory.pipe({"/in/plain.jsonl": data, "/in/packed.jsonl.gz": gz(data)})
    for name, size in (("plain.jsonl", 50_000), ("packed.jsonl.gz", 1 << 20)):
        units = plan_units(list_files([Input(f"memory://in/{name}")]), size)
        read = [row for unit in units for row in read_spans(unit.spans).documents]
        assert [row["text"] for row in read] == [f"line {n} " * 30 for n in range(2000)]
    memory.rm("/in", recursive=True)


def test_what_fsspec_does_not_know_beam_opens(tmp_path: Path) -> None:
    for n in range(3):
        (tmp_path / f"{n}.txt").write_text(f"text {n}")
    beam = {"is_local": lambda path: False, "known_scheme": lambda path: False}
    with patch.multiple(listing, **beam), patch.multiple(opening, **beam):
        [unit] = plan_units(list_files([Input(f"{tmp_path}/*.txt")]), 1 << 20)
        read = read_spans(unit.spans)
        (tmp_path / "1.txt").unlink()
        with pytest.raises(RunError, match=r"1\.txt"):
            read_spans(unit.spans)
    assert read.texts == ["text 0", "text 1", "text 2"]
    assert [row["file"] for row in read.documents] == ["0.txt", "1.txt", "2.txt"]


def test_quarantine_alone_fills_chunks(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(lines({"text": "a"}) + b"{bad}\n" * 50_000)
    chunks = list(read_unit(Unit(0, (whole(path),)), ReadingSettings(batch_bytes=1 << 20)))
    assert sum(len(chunk.quarantine) for chunk in chunks) == 50_000
    assert len(chunks) >= 2


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.csv", b"text\n" + b"a\n" * 150_000), ("a.json", b"[" + b'{"text":"a"},' * 150_000 + b'{"text":"a"}]')],
)
def test_documents_of_one_letter_fill_chunks(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    [unit] = plan_units(list_files([Input(glob=str(tmp_path / name))]), 1 << 30)
    sizes = [len(chunk.documents) for chunk in read_unit(unit, ReadingSettings())]
    assert sum(sizes) >= 150_000
    assert max(sizes) < 100_000


def test_reading_twice_gives_the_same_chunks(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gz(lines(*({"text": f"line {n} " * (n % 90)} for n in range(30_000)))))
    unit = Unit(0, (whole(path),))
    reading = ReadingSettings(batch_bytes=1 << 20)
    once, twice = list(read_unit(unit, reading)), list(read_unit(unit, reading))
    assert len(once) > 3
    assert [chunk.documents for chunk in once] == [chunk.documents for chunk in twice]


def test_local_files_are_read_through_short_reads(tmp_path: Path) -> None:
    """A file system that gives fewer bytes than were asked for moves no border of a batch."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(*({"text": f"line {n} " * (n % 90)} for n in range(9000))))
    unit = Unit(0, (whole(path),))
    expected = [chunk.documents for chunk in read_unit(unit, ReadingSettings(batch_bytes=1 << 20))]
    original = opening.open_stored

    class Short:
        def __init__(self, name: str) -> None:
            self.file = original(name)

        def read(self, size: int) -> bytes:
            return self.file.read(min(size, 1000))

        def seek(self, *where: int) -> int:
            return self.file.seek(*where)

        def close(self) -> None:
            self.file.close()

    with patch.object(opening, "open_stored", Short):
        assert [chunk.documents for chunk in read_unit(unit, ReadingSettings(batch_bytes=1 << 20))] == expected
    assert os.path.getsize(path) > 3 << 20
