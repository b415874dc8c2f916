"""A file is told by its content; its name decides only what content cannot tell."""

import bz2
import io
import lzma
import tarfile
import zipfile

import lz4.frame
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.sources.foreign import foreign_kind
from curation.sources.formats import NAMES, PEEK_BYTES, Format, detect_format
from curation.sources.inputs import FORMATS
from tests.curation.sources.made import arc, gz, lines, page, warc, zst


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": ["a"]}), sink)
    return sink.getvalue()


def _arrow(stream: bool) -> bytes:
    sink = io.BytesIO()
    table = pa.table({"text": ["a"]})
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _tar(kind: int) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=kind) as packed:
        info = tarfile.TarInfo("a.jsonl")
        info.size = 3
        packed.addfile(info, io.BytesIO(b"{}\n"))
    return sink.getvalue()


def _zip() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        packed.writestr("a.jsonl", b"{}\n")
    return sink.getvalue()


PRETTY = orjson.dumps([{"text": "a", "id": n} for n in range(9)], option=orjson.OPT_INDENT_2)
CASES = {
    "parquet": (_parquet(), "parquet"),
    "arrow": (_arrow(False), "arrow"),
    "arrow stream": (_arrow(True), "arrow_stream"),
    "warc": (warc("warcinfo", b"x"), "warc"),
    "warc behind blank lines": (b"\r\n\n" + warc("warcinfo", b"x"), "warc"),
    "warc behind a byte order mark": (b"\xef\xbb\xbf" + warc("warcinfo", b"x"), "warc"),
    "warc with a broken begin": (b"XARC/1.0\r\n" + 2 * warc("warcinfo", b"x"), "warc"),
    "arc": (b"".join(arc([])), "arc"),
    "tar": (_tar(tarfile.GNU_FORMAT), "tar"),
    "tar of pax": (_tar(tarfile.PAX_FORMAT), "tar"),
    "zip": (_zip(), "zip"),
    "html": (page("a"), "html"),
    "html behind a comment": (b"\n<!-- saved -->\n<!DOCTYPE html>\n<html></html>", "html"),
    "xhtml": (b'<?xml version="1.0"?>\n<html xmlns="x"></html>', "html"),
    "json lines": (lines({"text": "a"}, {"text": "b"}), "jsonl"),
    "one line without an end": (b'{"text": "a"}', "jsonl"),
    "byte order mark": (b"\xef\xbb\xbf" + lines({"text": "a"}), "jsonl"),
    "blank lines first": (b"\r\n \n" + lines({"text": "a"}), "jsonl"),
    "a bad line among good ones": (lines({"text": "a"}, b'{"text": nope}', b"[1, 2]", b"17"), "jsonl"),
    "all lines broken alike": (b'{"text": "\\ud800"}\n{"text": "\xff"}\n', "jsonl"),
    "a first line that goes on and on": (b'{"text": "' + b"x" * 2 * PEEK_BYTES, "jsonl"),
    "pretty-printed": (PRETTY, "json"),
    "a compact array": (orjson.dumps([{"text": "a"}]), "json"),
    "objects over several lines": (orjson.dumps({"text": "a"}, option=orjson.OPT_INDENT_2) * 2, "json"),
    "lines with commas": (b'{"text":"a"},\n{"text":"b"},\n', "json"),
    "lines with commas but for the last": (b'{"text":"a"},\n{"text":"b"}\n', "json"),
    "a template": (b"{% if x %}\nHello {name}\n{% endif %}\n", "unknown"),
    "a text that begins with a brace": (b"{ is a brace.\nAnd this is prose.\n", "unknown"),
    "arrays": (b"[1, 2]\n[3, 4]\n", "unknown"),
    "prose": ("Grüße\naus der Mühle\n".encode(), "unknown"),
    "almost a magic": (b"WARCraft\n", "unknown"),
    "white space": (b" \n\n", "unknown"),
    "noise": (bytes(range(256)), "unknown"),
}
PACKS = {"gzip": gz, "zstd": zst, "bzip2": bz2.compress, "xz": lzma.compress, "lz4": lz4.frame.compress}


@pytest.mark.parametrize("name", CASES)
def test_the_content_identifies_the_format(name: str) -> None:
    data, kind = CASES[name]
    assert detect_format(data[:PEEK_BYTES]) == Format(kind)  # type: ignore[arg-type]
    for compression, pack in PACKS.items():
        found = detect_format(pack(data)[:PEEK_BYTES])  # type: ignore[operator]
        assert found == Format(kind, compression)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", [name for name, (_, kind) in CASES.items() if kind in ("jsonl", "json") and "on and on" not in name]
)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_json_in_wide_encodings_with_a_mark_is_reported(name: str, encoding: str) -> None:
    data, kind = CASES[name]
    text = "\ufeff" + data.decode("utf-8-sig", "replace")[:1000]
    assert detect_format(text.encode(encoding)) == Format(kind, encoding=encoding[:6])  # type: ignore[arg-type]


def test_nothing_is_in_an_empty_file() -> None:
    assert detect_format(b"") == Format("empty")
    assert detect_format(b"", "a.txt", "csv") == Format("empty")


@pytest.mark.parametrize("end", NAMES)
def test_a_name_decides_where_the_content_cannot(end: str) -> None:
    assert detect_format(b"Prose,\nnothing more\n", f"a/b.c.{end.upper()}").kind == NAMES[end]
    if end != "tgz":
        packed = detect_format(gz(b"Prose,\nnothing more\n"), f"b.{end}.gz")
        assert packed == Format(NAMES[end], "gzip")


def test_content_is_stronger_than_the_name() -> None:
    assert detect_format(_parquet(), "a.txt").kind == "parquet"
    assert detect_format(lines({"text": "a"}), "a.csv").kind == "jsonl"
    assert detect_format(warc("warcinfo", b"x"), "a.jsonl.gz").kind == "warc"
    assert detect_format(PRETTY, "a.jsonl").kind == "json"


def test_a_text_may_look_like_a_page_or_an_array() -> None:
    assert detect_format(b"<p align=center>\n# Mills", "README.md").kind == "text"
    assert detect_format(PRETTY, "notes.txt").kind == "text"


def test_a_page_under_another_name_is_no_page() -> None:
    """A download that failed."""
    assert detect_format(page("404"), "part-0001.jsonl").kind == "jsonl"
    assert detect_format(page("404"), "part-0001.parquet").kind == "parquet"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_job_may_say_what_a_file_is(kind: str) -> None:
    assert detect_format(b"Prose,\nnothing more\n", "a.txt", kind) == Format(kind)  # type: ignore[arg-type]
    assert detect_format(zst(b"%PDF-1.7"), "a.bin", kind) == Format(kind, "zstd")  # type: ignore[arg-type]


@pytest.mark.parametrize("compression", PACKS)
def test_a_first_member_may_hold_no_whole_line(compression: str) -> None:
    pack = PACKS[compression]
    data = lines({"text": "a"}, {"text": "b"})
    for first in (b"", data[:5], b"\n"):
        packed = pack(first) + pack(data[len(first.strip()) :])  # type: ignore[operator]
        assert detect_format(packed) == Format("jsonl", compression)  # type: ignore[arg-type]


@pytest.mark.parametrize("compression", PACKS)
def test_a_damaged_begin_hides_no_format(compression: str) -> None:
    packed = PACKS[compression](lines(*({"text": str(n) * n} for n in range(50))))
    end = {"gzip": "gz", "zstd": "zst", "bzip2": "bz2"}.get(compression, compression)
    for broken in (b"\xff" + packed[1:], packed[:4] + b"\xff\xff\xff" + packed[7:]):
        assert detect_format(broken, f"a.jsonl.{end}") == Format("jsonl", compression)  # type: ignore[arg-type]
        assert detect_format(broken + packed, f"a.jsonl.{end}") == Format("jsonl", compression)  # type: ignore[arg-type]


FOREIGN = {
    "a git-lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
    "a PDF document": b"%PDF-1.7\n%\xe2\xe3\n",
    "an SQLite database": b"SQLite format 3\0" + bytes(84),
    "an Avro file": b"Obj\x01\x04\x14avro.codec",
    "an ORC file": b"ORC\x1f\0\0\0\0",
    "a Feather file of version 1": b"FEA1\0\0\0\0",
    "a PNG image": b"\x89PNG\r\n\x1a\n\0\0",
    "a JPEG image": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "a program": b"\x7fELF\x02\x01\x01\0",
    "a 7z archive": b"7z\xbc\xaf\x27\x1c\0\x04",
    "a RAR archive": b"Rar!\x1a\x07\x01\0",
    "an Office document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_known_but_not_read_is_named(what: str) -> None:
    for name in ("a.parquet", "a.txt", "a"):
        found = detect_format(FOREIGN[what], name)
        assert found.kind == "foreign"
        assert found.what.startswith(what)


def test_zip_files_that_are_documents_are_named() -> None:
    def packed(name: str, content: bytes = b"") -> bytes:
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w") as out:
            out.writestr(name, content)
        return sink.getvalue()

    assert foreign_kind(packed("[Content_Types].xml")) == "an Office document"
    assert foreign_kind(packed("mimetype", b"application/epub+zip")) == "an EPUB book"
    assert foreign_kind(packed("a.jsonl")) == ""


def test_prose_that_begins_as_a_signature_is_prose() -> None:
    for text in (b"ORCHARDS stand by the mill.\n", b"GGUF is a word.\n", b"MZ and BM are letters.\n", b"OggSaid\n"):
        assert detect_format(text, "a.txt") == Format("text")


@given(st.binary(max_size=300), st.sampled_from(["", "a.txt", "a.jsonl.gz", "a.tar.zst", "a.csv"]))
def test_any_bytes_are_something(data: bytes, name: str) -> None:
    for head in (data, b"\x1f\x8b" + data, b"\x28\xb5\x2f\xfd" + data, b"PAR1" + data, b"{" + data, b"PK\3\4" + data):
        assert detect_format(head, name).kind in (*FORMATS, "empty", "foreign", "unknown")


def test_what_can_be_split() -> None:
    assert Format("jsonl").can_be_split
    assert Format("parquet").can_be_split
    assert not Format("jsonl", "gzip").can_be_split
    assert not Format("jsonl", encoding="utf-16").can_be_split
    assert not Format("warc").can_be_split


def test_comments_in_front_of_a_page_are_passed_by_once_each() -> None:
    comments = b"<!---->" * (PEEK_BYTES // 7)
    assert detect_format(comments, "a", whole=True).kind != "html"
    assert detect_format(b"<!-- a --> <!-- b -->\n<html><p>The mill.", "a", whole=True).kind == "html"
