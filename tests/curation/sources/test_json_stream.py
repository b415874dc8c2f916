"""JSON arrays and objects over several lines: every object is a document, or costs itself."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.sources import json_stream
from curation.sources.reading import ReadingSettings
from tests.curation.sources.made import Read, gz, read_bytes

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
RECORDS = st.lists(st.fixed_dictionaries({"id": TEXT, "text": TEXT}, optional={"more": VALUE}), min_size=1, max_size=8)


def _rows(read: Read) -> list[tuple[str, str]]:
    return [(row["text"], row["metadata"]) for row in read.documents]


@settings(max_examples=60)
@given(records=RECORDS, indent=st.booleans(), shape=st.sampled_from(["array", "objects", "commas"]), mark=st.booleans())
def test_shapes_of_json_hold_the_same_documents(
    records: list[dict[str, Any]], indent: bool, shape: str, mark: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    expected = read_bytes(b"".join(orjson.dumps(one) + b"\n" for one in records), folder, name="lines.jsonl")
    option = orjson.OPT_INDENT_2 if indent else 0
    if shape == "array":
        data = orjson.dumps(records, option=option)
    else:
        data = {"objects": b"\n", "commas": b",\n"}[shape].join(orjson.dumps(one, option=option) for one in records)
    read = read_bytes(b"\xef\xbb\xbf" * mark + data, folder, name="a.json")
    assert _rows(read) == _rows(expected)
    assert not read.quarantine
    assert read.bytes_read == len(data) + 3 * mark
    for row in read.documents:
        assert (b"\xef\xbb\xbf" * mark + data)[row["offset"] :].startswith(b"{")


BAD = [
    b'{"id": 1, "text": "no end}',
    b'{"id": 1 "text": "no comma"}',
    b'{"id": 1, "text": "no brace"',
    b'{"id": 1, "text": [}',
    b'{"id": 1, "text": "\xff"}',
    b'{"id": 1, "text": 7}',
    b'{"id": 1, "other": "no text"}',
    b"17",
    b"nonsense",
]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("between", [b",", b",\n  ", b" , "])
def test_a_bad_object_costs_itself(bad: bytes, between: bytes, tmp_path: Path) -> None:
    good = [orjson.dumps({"id": str(n), "text": f"text {n}", "of": [{"id": 1}]}) for n in range(6)]
    data = b"[" + between.join([*good[:3], bad, *good[3:]]) + b"]"
    read = read_bytes(data, tmp_path, name="a.json")
    assert read.texts == [f"text {n}" for n in range(6)]
    [row] = read.quarantine
    assert data[row["offset"] :].startswith(row["record"])
    assert row["offset"] == data.index(bad) or bad in (b"17", b"nonsense")


def test_an_object_may_come_in_many_reads_and_be_too_large(tmp_path: Path) -> None:
    large = {"id": "1", "text": "words " * 600_000}
    data = orjson.dumps([{"id": "0", "text": "a"}, large, {"id": "2", "text": "b"}])
    read = read_bytes(data, tmp_path, ReadingSettings(max_record_bytes=5_000_000), "a.json")
    assert read.texts == ["a", large["text"], "b"]
    for limit in (100_000, 2_500_000):
        read = read_bytes(data, tmp_path, ReadingSettings(max_record_bytes=limit), "a.json")
        assert (read.texts, read.errors) == (["a", "b"], ["too_large"])
        assert read.quarantine[0]["bytes"] == len(orjson.dumps(large))


def test_objects_that_never_end_are_scanned_a_bounded_number_of_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned = []
    original = json_stream.object_end

    def counted(buf: Any, i: int, depth: int, state: int) -> tuple[int, int, int]:
        end = original(buf, i, depth, state)
        scanned.append(end[0] - i)
        return end

    monkeypatch.setattr(json_stream, "object_end", counted)
    monkeypatch.setattr(json_stream, "_FREE_SCANS", 1 << 20)
    data = b'[{"id":"0","text":"a"},' + b'{"id":"1","text":["b",' * 40_000
    read = read_bytes(data, tmp_path, name="a.json")
    assert read.texts == ["a"]
    assert sum(row["bytes"] for row in read.quarantine) > 0.9 * len(data)
    assert sum(scanned) < 2 * (1 << 20) + 12 * len(data)


def test_a_compressed_array_that_is_cut_short_gives_its_whole_objects(tmp_path: Path) -> None:
    data = orjson.dumps([{"id": str(n), "text": f"text {n}"} for n in range(2000)])
    read = read_bytes(gz(data)[:-2000], tmp_path, name="a.json.gz")
    assert len(read.documents) > 200
    assert read.texts == [f"text {n}" for n in range(len(read.texts))]
    assert read.errors[-1] == "truncated"
