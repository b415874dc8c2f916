"""Parquet: any types of columns, any row groups, anything broken."""

import datetime
import decimal
import hashlib
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.sources.chunks import content_id
from curation.sources.inputs import Input, Span
from curation.sources.listing import list_files
from curation.sources.reading import ReadingSettings
from curation.sources.units import plan_units
from tests.curation.sources.made import Read, read_bytes, read_spans, whole


def parquet(columns: dict[str, Any] | pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), sink, **options)
    return sink.getvalue()


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.dictionary(pa.int32(), pa.string()),
    ],
)
def test_text_of_any_string_type(kind: pa.DataType, tmp_path: Path) -> None:
    texts = ["one", "zwei Mühlen", "", "one"]
    assert read_bytes(parquet({"text": pa.array(texts).cast(kind)}), tmp_path).texts == texts


def test_the_columns_become_columns(tmp_path: Path) -> None:
    utc = datetime.datetime(2024, 5, 18, 1, 58, 10, tzinfo=datetime.UTC)
    table = {
        "text": ["one", "two", "three"],
        "id": pa.array([1, None, 3]),
        "url": ["http://a/", "", None],
        "date": pa.array([utc, None, utc.replace(microsecond=5)], pa.timestamp("us", "UTC")),
        "score": [0.5, float("nan"), None],
        "tags": [["a"], [], None],
        "meta": [{"day": datetime.date(2024, 1, 2), "n": decimal.Decimal("1.50")}, None, {"day": None, "n": None}],
        "raw": [b"\xff\0", b"text", None],
    }
    read = read_bytes(parquet(table), tmp_path)
    rows = [[row[name] for name in ("doc_id", "url", "date", "offset")] for row in read.documents]
    assert rows == [
        ["1", "http://a/", "2024-05-18T01:58:10Z", 0],
        [content_id(None, "two"), None, None, 1],
        ["3", None, "2024-05-18T01:58:10.000005Z", 2],
    ]
    assert [row["metadata"] for row in read.documents] == [
        '{"meta":{"day":"2024-01-02","n":"1.50"},"raw":"/wA=","score":0.5,"tags":["a"]}',
        '{"meta":null,"raw":"text","score":null,"tags":[]}',
        '{"meta":{"day":null,"n":null},"raw":null,"score":null,"tags":null}',
    ]


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (pa.timestamp("ns"), 1_700_000_000_123_456_789, "2023-11-14T22:13:20.123456"),
        (pa.timestamp("s"), 1_700_000_000, "2023-11-14T22:13:20"),
        (pa.timestamp("ms", "Europe/Berlin"), 1_700_000_000_000, "2023-11-14T22:13:20Z"),
        (pa.date32(), 19_000, "2022-01-08"),
        (pa.string(), "yesterday", "yesterday"),
        (pa.int64(), 20240101, "20240101"),
    ],
)
def test_dates_become_iso(kind: pa.DataType, value: Any, expected: str, tmp_path: Path) -> None:
    [row] = read_bytes(parquet({"text": ["a"], "date": pa.array([value], kind)}), tmp_path).documents
    assert row["date"] == expected


def test_fields_can_be_mapped_into_structs(tmp_path: Path) -> None:
    table = {"doc": [{"body": "a", "lang": "en"}, {"body": "b", "lang": "de"}], "warc.url": ["http://a/", "http://b/"]}
    read = read_bytes(parquet(table), tmp_path, ReadingSettings(fields={"text": "doc.body", "url": "warc.url"}))
    assert [(row["text"], row["url"], row["metadata"]) for row in read.documents] == [
        ("a", "http://a/", '{"doc":{"lang":"en"}}'),
        ("b", "http://b/", '{"doc":{"lang":"de"}}'),
    ]


def test_bad_rows_are_reported_and_their_neighbours_are_read(tmp_path: Path) -> None:
    broken = pa.StringArray.from_buffers(
        5, pa.py_buffer(pa.array([0, 2, 4, 4, 9, 10], pa.int32()).buffers()[1]), pa.py_buffer(b"ok\xff\xfelong!z")
    )
    table = pa.table({"text": pa.array([*broken[:2].cast(pa.binary()).to_pylist(), None, b"long!", b"z"], pa.binary())})
    read = read_bytes(parquet(table), tmp_path, ReadingSettings(max_record_bytes=4))
    assert read.texts == ["ok", "z"]
    assert [(row["offset"], row["error"]) for row in read.quarantine] == [
        (1, "bad_utf8"),
        (2, "null_text"),
        (3, "too_large"),
    ]


def test_strings_that_are_not_utf8_are_found(tmp_path: Path) -> None:
    """Writers can put any bytes into a string column; readers do not check."""
    bytes_ = pa.array([b"good", b"\xff\xfe", b"fine"], pa.binary())
    table = pa.table({"text": bytes_.view(pa.string()), "note": pa.array([b"\xff", b"a", b"b"]).view(pa.string())})
    read = read_bytes(parquet(table), tmp_path)
    assert read.texts == ["fine"]
    assert [(row["offset"], row["error"]) for row in read.quarantine] == [(0, "bad_utf8"), (1, "bad_utf8")]


@pytest.mark.parametrize(("column", "error"), [([1, 2], "text_not_a_string"), ([["a"], ["b"]], "text_not_a_string")])
def test_a_text_of_another_type_is_reported(column: list[Any], error: str, tmp_path: Path) -> None:
    assert read_bytes(parquet({"text": column}), tmp_path).errors == [error, error]


def test_a_file_without_the_column_says_so(tmp_path: Path) -> None:
    read = read_bytes(parquet({"content": ["a", "b", "c"]}), tmp_path)
    assert read.errors == ["no_text"]
    assert read.reports[0].lost is not None
    assert read.reports[0].lost.whole
    assert read.reports[0].note is not None
    assert "'content'" in read.reports[0].note


def test_ranges_of_row_groups_read_as_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.parquet"
    path.write_bytes(
        parquet({"text": [f"text {n} " * (n % 50) for n in range(5000)], "n": list(range(5000))}, row_group_size=300)
    )
    [file] = list_files([Input(str(path))])
    units = plan_units([file], 20_000)
    assert len(units) > 5
    read = Read()
    for unit in units:
        one = read_spans(unit.spans)
        read.documents += one.documents
        read.bytes_read += one.bytes_read
        read.reports += one.reports
    assert read.documents == read_spans([whole(path)]).documents
    assert read.bytes_read == read_spans([whole(path)]).bytes_read
    data = path.read_bytes()
    assert sum(report.bytes for report in read.reports) == len(data)
    start = 0
    for report in read.reports:
        assert report.sha256 == hashlib.sha256(data[start : start + report.bytes]).hexdigest()
        start += report.bytes


@pytest.mark.parametrize("cut", [4, 8, 200, -1, -4, -40])
def test_a_broken_footer_costs_the_file_only(cut: int, tmp_path: Path) -> None:
    read = read_bytes(parquet({"text": ["a"] * 100})[:cut], tmp_path)
    assert read.errors == ["bad_parquet"]


def test_a_broken_row_group_costs_itself(tmp_path: Path) -> None:
    texts = [f"text {n} " * 40 for n in range(900)]
    data = bytearray(parquet({"text": texts}, row_group_size=300, use_dictionary=False, write_page_checksum=True))
    footer = pq.read_metadata(io.BytesIO(data))
    start = footer.row_group(1).column(0).data_page_offset
    for place in range(start + 4000, start + 4030):
        data[place] ^= 0xFF
    read = read_bytes(bytes(data), tmp_path)
    [row] = read.quarantine
    assert row["error"] == "bad_row_group"
    assert 300 <= row["offset"] < 600
    assert f"rows {row['offset']} to 599" in row["message"]
    assert read.texts == texts[: row["offset"]] + texts[600:]


def test_no_rows_are_no_documents(tmp_path: Path) -> None:
    read = read_bytes(parquet({"text": pa.array([], pa.string())}), tmp_path)
    assert not read.documents
    assert not read.quarantine


def test_a_part_of_a_file_that_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet({"text": ["a"] * 10}, row_group_size=5))
    file = whole(path).file
    path.write_bytes(b"PAR1 and nothing more")
    assert read_spans([Span(file, 1, None)]).errors == ["bad_parquet"]
