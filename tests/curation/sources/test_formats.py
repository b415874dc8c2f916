"""A file is told by its content, whatever its name says."""

import io

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.sources.formats import PEEK_BYTES, Format, detect_format
from tests.curation.sources.made import arc, gz, lines, warc, zst


def _parquet() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"text": ["a"]}), sink)
    return sink.getvalue()


PRETTY = orjson.dumps([{"text": "a", "id": n} for n in range(9)], option=orjson.OPT_INDENT_2)
CASES = {
    "empty": (b"", "empty"),
    "parquet": (_parquet(), "parquet"),
    "warc": (warc("warcinfo", b"x"), "warc"),
    "arc": (b"".join(arc([])), "arc"),
    "json lines": (lines({"text": "a"}, {"text": "b"}), "jsonl"),
    "one line without an end": (b'{"text": "a"}', "jsonl"),
    "byte order mark": (b"\xef\xbb\xbf" + lines({"text": "a"}), "jsonl"),
    "blank lines first": (b"\r\n \n" + lines({"text": "a"}), "jsonl"),
    "a bad line among good ones": (lines({"text": "a"}, b'{"text": nope}', b"[1, 2]", b"17"), "jsonl"),
    "all lines broken alike": (b'{"text": "\\ud800"}\n{"text": "\xff"}\n', "jsonl"),
    "a first line that goes on and on": (b'{"text": "' + b"x" * 2 * PEEK_BYTES, "jsonl"),
    "pretty-printed": (PRETTY, "text"),
    "a template": (b"{% if x %}\nHello {name}\n{% endif %}\n", "text"),
    "a text that begins with a brace": (b"{ is a brace.\nAnd this is prose.\n", "text"),
    "arrays": (b"[1, 2]\n[3, 4]\n", "text"),
    "prose": ("Grüße\naus der Mühle\n".encode(), "text"),
    "almost a magic": (b"WARCraft\n", "text"),
    "white space": (b" \n\n", "text"),
}


@pytest.mark.parametrize("name", CASES)
def test_content_tells(name: str) -> None:
    data, kind = CASES[name]
    assert detect_format(data[:PEEK_BYTES]) == Format(kind)  # type: ignore[arg-type]
    kind = kind if data else "text"
    assert detect_format(gz(data)[:PEEK_BYTES]) == Format(kind, "gzip")  # type: ignore[arg-type]
    assert detect_format(zst(data)[:PEEK_BYTES]) == Format(kind, "zstd")  # type: ignore[arg-type]


@given(st.binary(max_size=300))
def test_any_bytes_are_something(data: bytes) -> None:
    for head in (data, b"\x1f\x8b" + data, b"\x28\xb5\x2f\xfd" + data, b"PAR1" + data, b"{" + data):
        assert detect_format(head).kind in ("empty", "parquet", "warc", "arc", "jsonl", "text")


def test_what_can_be_split() -> None:
    assert Format("jsonl").can_be_split
    assert Format("parquet").can_be_split
    assert not Format("jsonl", "gzip").can_be_split
    assert not Format("warc").can_be_split
