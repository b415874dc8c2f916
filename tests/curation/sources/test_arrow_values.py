"""A value that cannot be read costs its row: the other rows keep all their fields."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.sources.arrow_values import json_values
from tests.curation.sources.made import Read, read_file

EPOCH = datetime.datetime(1970, 1, 1)
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
FAR = 253_402_300_800_000_000
"""The year 10000 in microseconds."""


def strings(*values: bytes) -> pa.Array:
    """A string column as writers leave it that do not check for UTF-8."""
    return pa.array(values, pa.binary()).view(pa.string())


def read(columns: dict[str, Any], folder: Path) -> Read:
    pq.write_table(pa.table(columns), folder / "a.parquet")
    return read_file(folder / "a.parquet")


@pytest.mark.parametrize("field", ["url", "id", "source", "date"])
def test_a_bad_string_costs_its_row(field: str, tmp_path: Path) -> None:
    values = strings(b"https://mill.example/1", b"https://mill.example/caf\xe9", b"https://mill.example/3")
    found = read({"text": ["One text.", "Two texts.", "Three texts."], field: values}, tmp_path)
    column = "doc_id" if field == "id" else field
    assert [(row["text"], row[column]) for row in found.documents] == [
        ("One text.", "https://mill.example/1"),
        ("Three texts.", "https://mill.example/3"),
    ]
    [row] = found.quarantine
    assert (row["offset"], row["error"], row["record"], row["bytes"]) == (1, "bad_utf8", b"Two texts.", 10)
    assert row["message"] == (
        rf"byte 24 of the field '{field}': unexpected end of data: b'https://mill.example/caf\xe9'"
    )


@pytest.mark.parametrize("field", ["date", "modified"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo", "No/Where"])
def test_a_date_that_no_calendar_holds_costs_its_row(field: str, zone: str | None, tmp_path: Path) -> None:
    when = pa.array([0, FAR, -62_135_596_800_000_001, FAR - 1], pa.timestamp("us", zone))
    found = read({"text": ["One.", "Two.", "Three.", "Four."], field: when}, tmp_path)
    assert found.texts == ["One.", "Four."]
    mark = "Z" if zone else ""
    expected = [f"1970-01-01T00:00:00{mark}", f"9999-12-31T23:59:59.999999{mark}"]
    if field == "date":
        assert [row["date"] for row in found.documents] == expected
    else:
        assert [row["metadata"] for row in found.documents] == [f'{{"modified":"{each}"}}' for each in expected]
    assert [(row["offset"], row["error"]) for row in found.quarantine] == [(1, "bad_value"), (2, "bad_value")]
    assert all(f"'{field}'" in row["message"] and "years 1 to 9999" in row["message"] for row in found.quarantine)


@given(st.sampled_from(sorted(PER_SECOND)), st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=8))
def test_every_timestamp_is_read_as_in_python_or_refused(unit: str, counts: list[int]) -> None:
    values, broken = json_values(pa.array(counts, pa.int64()).view(pa.timestamp(unit)))
    assert len(values) == len(counts)
    for n, count in enumerate(counts):
        try:
            expected = EPOCH + datetime.timedelta(microseconds=count * 10**6 // PER_SECOND[unit])
        except OverflowError:
            assert (values[n], broken[n][0]) == (None, "bad_value")
        else:
            if unit == "ns" and count % 1000 and count < 0:
                continue  # Arrow rounds these towards the epoch
            assert values[n] == expected.isoformat()
            assert n not in broken


@pytest.mark.parametrize(
    ("column", "values", "bad"),
    [
        (pa.array([0, 2**31 - 1], pa.int32()).view(pa.date32()), ["1970-01-01", None], [1]),
        (pa.array([0, 2**62]).view(pa.date64()), ["1970-01-01", None], [1]),
        (pa.array([0, -1, 86_400_000_000, None]).view(pa.time64("us")), ["00:00:00", None, None, None], [1, 2]),
        (
            pa.array([[1], [2, 86_400]], pa.list_(pa.int32())).cast(pa.list_(pa.time32("s"))),
            [["00:00:01"], None],
            [1],
        ),
        (pa.array([3, 2**62]).view(pa.duration("s")), [3.0, None], [1]),
        (pa.array([[0, 1], [10**15], None, []], pa.list_(pa.timestamp("s"))), [2, None, None, []], [1]),
        (pa.StructArray.from_arrays([strings(b"a", b"\xff")], names=["n"]), [{"n": "a"}, None], [1]),
        (strings(b"a", b"\xff").cast(pa.string_view()), ["a", None], [1]),
        (strings(b"a", b"\xff").dictionary_encode(), ["a", None], [1]),
        (pa.array([b"a", b"\xff"]).cast(pa.binary_view()), ["a", "/w=="], []),
        (pa.array([np.float16(1.5), np.float16("nan")], pa.float16()), [1.5, None], []),
        (pa.array([b"\x01" * 16], pa.uuid()), ["01010101-0101-0101-0101-010101010101"], []),
        (pa.array(["{}"], pa.json_()), ["{}"], []),
        (pc.run_end_encode(pa.array(["a", "a", "b"])), ["a", "a", "b"], []),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.timestamp("us"))), [[["k", "1970-01-01T00:00:00.000001"]]], []),
        (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), [[1, 2, 3]], []),
        (pa.array([1], pa.int64()).cast(pa.decimal256(40, 2)), ["1.00"], []),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_all_types_row_by_row(column: pa.Array, values: list[Any], bad: list[int]) -> None:
    found, broken = json_values(column)
    if values[0] == 2:
        assert found.pop(0) == ["1970-01-01T00:00:00", "1970-01-01T00:00:01"]
        values = values[1:]
    assert found == values
    assert sorted(broken) == bad


def test_a_row_that_is_nested_too_deeply_is_reported() -> None:
    deep = pa.array([1, None])
    for _ in range(600):
        deep = pa.StructArray.from_arrays([deep], names=["n"])
    assert sorted(json_values(deep)[1]) == [0, 1]
