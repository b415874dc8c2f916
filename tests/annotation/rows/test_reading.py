"""Rows out of each kind of file."""

import bz2
import csv
import gzip
import json
import lzma
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.rows.reading import Unreadable, rows
from schemas.errors import UserError

ROWS: list[dict[str, Any]] = [{"a": "rye", "b": [{"c": 1}]}, {"a": "o\u00e4ts", "b": []}, {"a": None, "b": None}]
LINES = "".join(f"{json.dumps(row)}\n" for row in ROWS).encode()
KEPT = frozenset({"a", "b"})


def table() -> pa.Table:
    return pa.Table.from_pylist([{**row, "unread": k} for k, row in enumerate(ROWS)])


def lz4(content: bytes) -> bytes:
    made = pa.BufferOutputStream()
    with pa.CompressedOutputStream(made, "lz4") as sink:
        sink.write(content)
    return bytes(made.getvalue().to_pybytes())


def stream(path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table().schema) as writer:
        writer.write_table(table(), max_chunksize=2)


def arrow(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue().to_pybytes())


def file(path: Path) -> None:
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table().schema) as writer:
        writer.write_table(table(), max_chunksize=2)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(LINES),
        lambda path: path.write_bytes(b"\xef\xbb\xbf" + LINES.rstrip()),
        lambda path: path.write_bytes(gzip.compress(LINES)),
        lambda path: path.write_bytes(zstandard.compress(LINES)),
        lambda path: path.write_bytes(zstandard.compress(LINES[:20]) + zstandard.compress(LINES[20:])),
        lambda path: path.write_bytes(bz2.compress(LINES)),
        lambda path: path.write_bytes(lzma.compress(LINES)),
        lambda path: path.write_bytes(lz4(LINES)),
        lambda path: path.write_text(json.dumps(ROWS, indent=1)),
        lambda path: path.write_bytes(gzip.compress(b"\n" + json.dumps(ROWS).encode())),
        lambda path: pq.write_table(table(), path, row_group_size=2),
        stream,
        file,
    ],
)
def test_the_same_rows_come_out_of_every_kind(write: Any, tmp_path: Path) -> None:
    write(tmp_path / "set")
    assert list(rows(tmp_path / "set", KEPT)) == list(enumerate(ROWS, 1))


def test_lines_keep_their_numbers_and_a_bad_one_costs_one(tmp_path: Path) -> None:
    (tmp_path / "set").write_bytes(b'\n{"a": 1}\r\n\n{"a": \n[1]\n"\\ud800"\n\xff\n{"a": 2}')
    found = list(rows(tmp_path / "set", KEPT))
    assert [number for number, _ in found] == [2, 4, 5, 6, 7, 8]
    assert [row for _, row in found if isinstance(row, dict)] == [{"a": 1}, {"a": 2}]
    raw = [json.loads(row.raw) for _, row in found if isinstance(row, Unreadable)]
    assert raw == ['{"a": ', [1], '"\\ud800"', "\ufffd"]


def test_numbers_that_python_writes_are_read(tmp_path: Path) -> None:
    (tmp_path / "set").write_bytes(b'{"a": NaN}\n{"a": -Infinity}\n{"a": 1e400}\n{"a": NaN, "b": "\\ud800"}\n')
    found = [row for _, row in rows(tmp_path / "set", KEPT)]
    assert repr(found[:2]) == "[{'a': nan}, {'a': -inf}]"
    assert isinstance(found[3], Unreadable)


def test_an_invalid_text_costs_one_row(tmp_path: Path) -> None:
    texts = pa.Array.from_buffers(
        pa.string(), 3, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xffb")]
    )
    with pa.OSFile(str(tmp_path / "set"), "wb") as sink, pa.ipc.new_file(sink, pa.schema({"a": pa.string()})) as writer:
        writer.write_batch(pa.record_batch({"a": texts}))
    first, second, third = (row for _, row in rows(tmp_path / "set", KEPT))
    assert (first, third) == ({"a": "a"}, {"a": "b"})
    assert isinstance(second, Unreadable)


@pytest.mark.parametrize(
    "content",
    [
        *(b"PAR1 is no Parquet", b"ARROW1 is no Arrow", b"\xff\xff\xff\xff nor this", b"\x1f\x8b nor gzip", b"[1, 2"),
        *(b"\x28\xb5\x2f\xfd nor zstd", b"BZh nor bzip2", b"\xfd7zXZ\x00 nor xz", b"\x04\x22\x4d\x18 nor lz4"),
    ],
)
def test_a_broken_file_is_the_users_to_replace(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "set").write_bytes(content)
    with pytest.raises(UserError, match="is broken or of an unknown type"):
        list(rows(tmp_path / "set", KEPT))


def test_a_file_cut_short_is_broken(tmp_path: Path) -> None:
    (tmp_path / "set").write_bytes(gzip.compress(LINES * 100)[:-20])
    with pytest.raises(UserError, match="is broken"):
        list(rows(tmp_path / "set", KEPT))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file or directory"):
        list(rows(tmp_path / "set", KEPT))


@pytest.mark.parametrize("cut", [gzip.compress, zstandard.compress, bz2.compress, lzma.compress, lz4])
def test_a_compressed_file_cut_short_is_broken(cut: Callable[[bytes], bytes], tmp_path: Path) -> None:
    (tmp_path / "set").write_bytes(cut(LINES * 1000)[:-20])
    with pytest.raises(UserError, match="is broken"):
        list(rows(tmp_path / "set", KEPT))


CELLS = [["What is rye?", "1.5"], ['A "grain",\nnot a drink', ""], ["  o\u00e4ts ", "\u2028"]]


def delimited(path: Path, delimiter: str) -> bytes:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([["a", "b"], *CELLS])
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "delimiter"), [("set.csv", ","), ("set.TSV", "\t"), ("set.csv.zst", ","), ("s.csv.gz", ",")]
)
def test_cells_are_texts_to_the_letter(name: str, delimiter: str, tmp_path: Path) -> None:
    written = delimited(tmp_path / "plain", delimiter)
    squeeze = {".zst": zstandard.compress, ".gz": gzip.compress}.get(Path(name).suffix, bytes)
    (tmp_path / name).write_bytes(squeeze(b"\xef\xbb\xbf" + written))
    seen: set[str] = set()
    found = list(rows(tmp_path / name, KEPT, seen))
    assert found == [(k, dict(zip("ab", cells, strict=True))) for k, cells in enumerate(CELLS, 1)]
    assert seen == {"a", "b"}


def test_a_bad_record_of_csv_costs_itself(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_bytes(b'a,b\n1,2\nalone\n\n1,2,3\n\xff,2\n5,"[1, 2]"\n6,[half\n"never closed,2\n')
    found = [row for _, row in rows(tmp_path / "set.csv", KEPT)]
    assert [row for row in found if isinstance(row, dict)] == [
        *({"a": "1", "b": "2"}, {"a": "5", "b": [1, 2]}, {"a": "6", "b": "[half"}),
    ]
    assert [row.message for row in found if isinstance(row, Unreadable)] == [
        *("the record has 1 cells, the head has 2", "the record has 3 cells, the head has 2"),
        *("the record is not valid UTF-8", "the record has 1 cells, the head has 2"),
    ]


@pytest.mark.parametrize("write", [stream, file])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_of_arrow_ends_no_process(write: Any, place: float, bit: int, tmp_path: Path) -> None:
    write(tmp_path / "set")
    content = bytearray((tmp_path / "set").read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    (tmp_path / "set").write_bytes(content)
    with suppress(UserError):
        assert all(isinstance(row, dict | Unreadable) for _, row in rows(tmp_path / "set", KEPT))


def test_offsets_outside_of_their_buffer_break_a_file(tmp_path: Path) -> None:
    offsets = pa.py_buffer(b"\0\0\0\0\3\0\0\0\1\0\0\0\3\0\0\0")
    texts = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"abc")])
    with pa.OSFile(str(tmp_path / "set"), "wb") as sink, pa.ipc.new_file(sink, pa.schema({"a": pa.string()})) as writer:
        writer.write_batch(pa.record_batch({"a": texts}))
    with pytest.raises(UserError, match="is broken"):
        list(rows(tmp_path / "set", KEPT))


@pytest.mark.parametrize("deep", [b"[" * 400 + b"]" * 400, b'[{}, {"a": ' + b"[" * 400 + b"]" * 400 + b"}]"])
def test_a_value_that_nests_deeply_costs_its_row(deep: bytes, tmp_path: Path) -> None:
    (tmp_path / "set").write_bytes(deep)
    found = [row for _, row in rows(tmp_path / "set", KEPT)]
    assert [json.loads(row.raw) if isinstance(row, Unreadable) else row for row in found] == json.loads(deep)


@pytest.mark.parametrize("write", [pq.write_table, lambda rows, path: path.write_bytes(arrow(rows))])
def test_a_column_that_is_read_has_its_name_alone(write: Any, tmp_path: Path) -> None:
    column = pa.array(["rye"])
    write(pa.Table.from_arrays([column] * 3, ["a", "z", "z"]), tmp_path / "set")
    assert [row for _, row in rows(tmp_path / "set", KEPT)] == [{"a": "rye"}]
    write(pa.Table.from_arrays([column] * 3, ["a", "b", "a"]), tmp_path / "set")
    with pytest.raises(UserError, match="two columns are named 'a'"):
        list(rows(tmp_path / "set", KEPT))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,a\n1,2\n", "two columns named 'a'"),
        (b"", "no head"),
        (b"\n\n1,2", "no head"),
        (b"a,b\r1,2\r", "invalid head"),
    ],
)
def test_a_csv_file_needs_a_head(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_bytes(content)
    with pytest.raises(UserError, match=said):
        list(rows(tmp_path / "set.csv", KEPT))


def test_all_fields_of_a_file_are_seen_whatever_is_read(tmp_path: Path) -> None:
    pq.write_table(table(), tmp_path / "parquet")
    file(tmp_path / "arrow")
    (tmp_path / "lines").write_text("".join(json.dumps({**row, "unread": 1}) + "\n" for row in ROWS))
    for name in ("parquet", "arrow", "lines"):
        seen: set[str] = set()
        list(rows(tmp_path / name, KEPT, seen))
        assert seen == {"a", "b", "unread"}
