"""JSON lines: every line is a document, a row of quarantine or blank, whatever stands on it."""

import json
import random
import tracemalloc
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.sources.chunks import content_id
from curation.sources.inputs import Span
from curation.sources.json_columns import LineParser
from curation.sources.reading import ReadingSettings
from schemas.errors import UserError
from tests.curation.sources.made import gz, lines, read_bytes, read_spans, whole, zst

TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXT, st.just("")
)
JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
)
KEYS = st.sampled_from(["text", "url", "doc_id", "id", "source", "date", "score", "a", "b c", "é", 'q"uote', "tags"])
RECORD = st.dictionaries(KEYS, JSON, max_size=6)
GOOD = st.builds(lambda record, text: {**record, "text": text}, RECORD, TEXT)


def _dump(record: Any, ascii_only: bool, spaced: bool) -> bytes:
    separators = (" , ", " : ") if spaced else (",", ":")
    return json.dumps(record, ensure_ascii=ascii_only, separators=separators).encode("utf-8", "surrogatepass")


def _with_byte(line: bytes, place: int, byte: int) -> bytes:
    return line[:place] + bytes([byte]) + line[place + 1 :]


OBJECT = st.builds(_dump, st.one_of(GOOD, RECORD, JSON), st.booleans(), st.booleans())
LINE = st.one_of(
    OBJECT,
    st.builds(lambda line, cut: line[:cut], OBJECT, st.integers(0, 60)),
    st.builds(_with_byte, OBJECT, st.integers(0, 60), st.integers(0, 255)),
    st.sampled_from([
        b"",
        b" \t ",
        b"\r",
        b"null",
        b"[]",
        b"{}",
        b'{"text":"a"}x',
        b'{"text":"a",}',
        b'{"text":"a" "b":1}',
        b'{"text":"\\ud800"}',
        b'{"text":"\\ud83d\\ude00"}',
        b'{"text":"a","text":"b"}',
        b'{"text":"a","x":01}',
        b'{"text":"a","x":-0}',
        b'{"text":"\xff"}',
        b'{"text":"a","x":[1,2}}',
        b'{"text":"a","x":{"y":"}"}}',
        b'{"text":"a","n":123456789012345678901234567890}',
        b'{"text":"a","n":1e999}',
        b'{"te\\u0078t":"a"}',
        b'{"text":"a","id":7,"doc_id":"x"}',
        b'{"text":"\x00"}',
        b'{"text":"\\u0000"}',
        b'{"text":"a","n":1.0,"m":1e5,"k":0.1000}',
        b'{"text":"a","z":"\\/","y":"\\u00e9"}',
        b'{"text":"a","b":1,"a":2,"b":3}',
        b'{"text":"a","n":NaN}',
        b'{"text":"a","id":1.50}',
        b'{"text":"a","url":["x"]}',
        b'\xef\xbb\xbf{"text":"a"}',
    ]),
).map(lambda line: line.replace(b"\n", b" "))  # fmt: skip


def by_hand(data: bytes, file: str) -> tuple[list[dict[str, Any]], list[int]]:
    """The documents and the offsets of bad lines, by the standard library alone."""
    documents, bad, offset = [], [], 0
    for line in data.split(b"\n"):
        begin, offset = offset, offset + len(line) + 1
        if not line.strip(b" \t\r"):
            continue
        try:
            record = json.loads(line.decode(), parse_constant=lambda _: 1 / 0)
            text = record.pop("text")
            text.encode() + json.dumps(record, ensure_ascii=False).encode()
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, ZeroDivisionError):
            bad.append(begin)
            continue
        documents.append({"text": text, "offset": begin, "file": file, "left": record})
    return documents, bad


@settings(max_examples=150)
@given(some=st.lists(LINE, max_size=12), ended=st.booleans())
@example(some=[b'{"text":"a"}'] * 3, ended=True)
def test_every_line_is_a_document_or_quarantined_or_blank(
    some: list[bytes], ended: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = b'{"text":"first"}\n' * 8 + b"\n".join(some) + b"\n" * ended
    read = read_bytes(data, tmp_path_factory.getbasetemp())
    blank = sum(not line.strip(b" \t\r") for line in data.split(b"\n"))
    assert len(read.documents) + len(read.quarantine) + blank == data.count(b"\n") + 1
    assert read.bytes_read == len(data)
    for row in read.quarantine:
        assert data[row["offset"] :].startswith(row["record"])
        assert row["bytes"] == len(data[row["offset"] :].split(b"\n")[0])
    documents, bad = by_hand(data, "input")
    assert [row["text"] for row in documents if row["offset"] not in _offsets(read.quarantine)] == read.texts
    assert set(bad) <= _offsets(read.quarantine)


def _offsets(rows: list[dict[str, Any]]) -> set[int]:
    return {row["offset"] for row in rows}


@settings(max_examples=150)
@given(st.lists(LINE, max_size=12))
@example([b'{"text":"","score":null,"\xc3\xa9":null,"scor":1}'])
def test_the_scanner_finds_what_the_full_parser_finds(some: list[bytes]) -> None:
    """The fast way and the exact way give the same rows."""
    from curation.sources.chunks import ChunkBuilder
    from curation.sources.inputs import InputFile

    found = []
    for scannable in (True, False):
        builder = ChunkBuilder(ReadingSettings())
        builder.start_span(Span(InputFile(0, "x", "x", 1, "mine")))
        parser = LineParser(builder)
        parser.scannable &= scannable
        parser.parse(b"\n".join(some) + b"\n", 5)
        chunk = builder.take()
        found.append((chunk.documents.to_pylist(), chunk.quarantine.to_pylist()))
    assert found[0] == found[1]


def test_the_fields_become_columns(tmp_path: Path) -> None:
    read = read_bytes(
        lines(
            {
                "text": "one",
                "id": "x1",
                "url": "http://a/",
                "date": "2024-01-01",
                "source": "web",
                "n": 1,
                "a": {"c": 1, "b": [1.5]},
            },
            {"text": "two", "id": 17, "doc_id": "d2", "url": None, "source": ""},
            {"text": "three", "url": "http://c/", "extra": "ü\n"},
            {"text": "four", "id": 4, "date": 20240101},
        ),
        tmp_path,
    )
    assert not read.quarantine
    rows = [[row[name] for name in ("doc_id", "url", "source", "date", "metadata")] for row in read.documents]
    assert rows == [
        ["x1", "http://a/", "web", "2024-01-01", '{"a":{"b":[1.5],"c":1},"n":1}'],
        ["d2", None, "default", None, '{"id":17}'],
        [content_id("http://c/", "three"), "http://c/", "default", None, '{"extra":"ü\\n"}'],
        ["4", None, "default", "20240101", "{}"],
    ]


def test_fields_can_be_mapped(tmp_path: Path) -> None:
    record = {
        "content": {"body": "the text", "lang": "en"},
        "warc.url": "http://a/",
        "stamp": "2020",
        "text": "not this",
    }
    reading = ReadingSettings(fields={"text": "content.body", "url": "warc.url", "date": "stamp"})
    [row] = read_bytes(lines(record), tmp_path, reading).documents
    assert (row["text"], row["url"], row["date"]) == ("the text", "http://a/", "2020")
    assert row["metadata"] == '{"content":{"lang":"en"},"text":"not this"}'
    with pytest.raises(UserError, match="choose from text, url, doc_id, source, date"):
        ReadingSettings(fields={"texts": "content"})


def test_one_field_may_feed_two_columns(tmp_path: Path) -> None:
    [row] = read_bytes(
        lines({"text": "a", "url": "http://a/"}), tmp_path, ReadingSettings(fields={"doc_id": "url"})
    ).documents
    assert (row["doc_id"], row["url"], row["metadata"]) == ("http://a/", "http://a/", "{}")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b'{"text": "a"', "bad_json"),
        (b'{"text": "\xff\xfe"}', "bad_utf8"),
        (b'{"text": "\\ud800"}', "lone_surrogate"),
        (b'{"text": "a\x00b"}', "bad_json"),
        (b'{"content": "a"}', "no_text"),
        (b'{"text": null}', "null_text"),
        (b'{"text": 5}', "text_not_a_string"),
        (b'{"text": {"nested": "a"}}', "text_not_a_string"),
        (b'["text"]', "not_an_object"),
        (b"12", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b'{"text": "a", "deep": ' + b"[" * 2000 + b"]" * 2000 + b"}", "bad_json"),
        (b'{"text": "a", "n": ' + b"9" * 5000 + b"}", "bad_json"),
        (b'{"text": "' + b"long" * 300 + b'"}', "too_large"),
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_bad_line_is_reported_and_its_neighbours_are_read(
    line: bytes, error: str, end: bytes, tmp_path: Path
) -> None:
    before, after = b'{"text": "before"}' + end, b'{"text": "after"}' + end
    limit = 1000 if error == "too_large" else 1 << 20
    read = read_bytes(before + line + end + after, tmp_path, ReadingSettings(max_record_bytes=limit))
    assert read.texts == ["before", "after"]
    [row] = read.quarantine
    assert (row["error"], row["offset"], row["file"]) == (error, len(before), "input")
    assert line.startswith(row["record"].rstrip(b"\r"))


def test_numbers_beyond_64_bits_stay_exact(tmp_path: Path) -> None:
    read = read_bytes(
        b'{"text":"a","id":123456789012345678901234567890,"n":18446744073709551616,"deep":[99999999999999999999]}\n',
        tmp_path,
    )
    [row] = read.documents
    assert row["doc_id"] == "123456789012345678901234567890"
    assert row["metadata"] == '{"deep":[99999999999999999999],"n":18446744073709551616}'


@given(
    number=st.one_of(
        st.floats(allow_nan=False, allow_infinity=False).map(repr),
        st.from_regex(r"-?[0-9]{1,8}\.[0-9]{1,10}", fullmatch=True),
    )
)
@example(number="-0.0")
@example(number="0.0001")
@example(number="0.00001")
@example(number="123456789012345.0")
@example(number="1.10")
def test_numbers_become_canonical(number: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    read = read_bytes(b'{"text":"a"}\n{"text":"a","n":%b}\n' % number.encode(), tmp_path_factory.getbasetemp())
    try:
        value = json.loads(number)
    except ValueError:
        assert read.errors == ["bad_json"]
    else:
        assert read.documents[1]["metadata"] == orjson.dumps({"n": value}).decode()


def test_depth_that_json_allows_is_kept(tmp_path: Path) -> None:
    deep = "[" * 500 + "]" * 500
    [row] = read_bytes(f'{{"text":"a","deep":{deep}}}\n'.encode(), tmp_path).documents
    assert row["metadata"] == f'{{"deep":{deep}}}'


def test_a_file_without_the_field_says_so(tmp_path: Path) -> None:
    read = read_bytes(lines({"content": "a"}, {"content": "b"}), tmp_path)
    assert read.errors == ["no_text", "no_text"]
    [report] = read.reports
    assert report.note is not None
    assert "no field 'text'" in report.note
    assert "'content'" in report.note


def test_a_byte_order_mark_and_blank_lines_are_no_documents(tmp_path: Path) -> None:
    read = read_bytes(b'\xef\xbb\xbf{"text":"a"}\r\n\r\n \t\n{"text":"b"}', tmp_path)
    assert read.texts == ["a", "b"]
    assert not read.quarantine
    assert read_bytes(b"", tmp_path).reports[0].documents == 0


@pytest.mark.parametrize("pack", [gz, zst])
def test_a_packed_file_reads_as_the_plain_one(pack: Any, tmp_path: Path) -> None:
    data = lines(*({"text": f"line {n} " * (n % 50), "id": n} for n in range(5000)))
    plain, packed = read_bytes(data, tmp_path), read_bytes(pack(data[:100_000]) + pack(data[100_000:]), tmp_path)
    assert packed.documents == plain.documents
    assert packed.bytes_read == plain.bytes_read == len(data)


@pytest.mark.parametrize("pack", [gz, zst])
def test_a_truncated_file_gives_all_whole_lines_and_one_row(pack: Any, tmp_path: Path) -> None:
    noise = random.Random(0)
    texts = [f"{n} {noise.randbytes(200).hex()}" for n in range(2000)]
    packed = pack(lines(*({"text": text} for text in texts)))
    for cut in (len(packed) // 3, len(packed) - 5, len(packed) - 1):
        read = read_bytes(packed[:cut], tmp_path)
        assert read.texts == texts[: len(read.texts)]
        assert read.errors == ["truncated"]
        assert len(read.texts) > cut // 1000 - 500


def test_garbage_behind_a_packed_file_costs_nothing_else(tmp_path: Path) -> None:
    read = read_bytes(gz(lines({"text": "a"})) + b"garbage" * 100, tmp_path)
    assert read.texts == ["a"]
    assert read.errors == ["trailing_garbage"]


def test_a_line_of_200_megabytes_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(b'{"text":"before"}\n{"text":"')
        for _ in range(200):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n{"text":"after"}\n')
    tracemalloc.start()
    read = read_spans([whole(path)], ReadingSettings(max_record_bytes=16 << 20))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read.texts == ["before", "after"]
    assert read.errors == ["too_large"]
    assert read.quarantine[0]["bytes"] == (200 << 20) + len('{"text":""}')
    assert peak < 64 << 20


def test_batches_have_the_size_that_was_asked_for(tmp_path: Path) -> None:
    from curation.sources.inputs import Unit
    from curation.sources.reading import read_unit

    path = tmp_path / "many.jsonl"
    path.write_bytes(lines(*({"text": "word " * 200} for _ in range(20_000))))
    sizes = [
        sum(map(len, chunk.documents["text"].to_pylist()))
        for chunk in read_unit(Unit(0, (whole(path),)), ReadingSettings())
    ]
    assert all(4 << 20 <= size <= 6 << 20 for size in sizes[:-1])
    assert len(sizes) == 5
