"""Kilobytes of Parquet that hold gigabytes cost themselves; what is merely repetitive is read."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.sources import parquet_limits
from curation.sources.parquet_footer import read_footer
from curation.sources.parquet_pages import pages
from tests.curation.sources.made import Read, read_file

MEGABYTE = 1 << 20


def repeated(count: int, size: int) -> pa.Array:
    """One string of ``size`` bytes so many times, as a dictionary holds it."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array(["ab" * (size // 2)]))


def in_lists(values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)


def read_between(bomb: pa.Table, folder: Path, **options: Any) -> Read:
    """Reads a row group between two others."""
    path = folder / "a.parquet"
    with pq.ParquetWriter(path, bomb.schema, compression="zstd", **options) as writer:
        for table in (bomb.slice(0, 1), bomb, bomb.slice(0, 1)):
            plain = table if table is bomb else table.set_column(0, bomb.schema.field(0), [["Text."]])
            rest = plain if table is bomb else _empty(plain)
            writer.write_table(rest, row_group_size=len(bomb))
    return read_file(path)


def _empty(table: pa.Table) -> pa.Table:
    for n in range(1, table.num_columns):
        table = table.set_column(n, table.schema.field(n), pa.nulls(len(table), table.schema.field(n).type))
    return table


BOMBS: dict[str, Callable[[], pa.Table]] = {
    "rows": lambda: pa.table({"text": pa.nulls(2_000_000, pa.string())}),
    "values": lambda: pa.table({"text": ["a"], "n": in_lists(pa.nulls(5_000_000, pa.int8()))}),
    "page": lambda: pa.table({"text": ["a" * 40 * MEGABYTE]}),
    "dictionary": lambda: pa.table({"text": repeated(100, MEGABYTE).cast(pa.string())}),
    "metadata": lambda: pa.table({"text": ["a"] * 100, "tag": repeated(100, MEGABYTE).cast(pa.string())}),
    "nested": lambda: pa.table({"text": ["a"], "tags": in_lists(repeated(100, MEGABYTE).cast(pa.string()))}),
    "width": lambda: pa.table({"text": ["a"] * 100, "raw": pa.nulls(100, pa.binary(MEGABYTE))}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_its_row_group(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_limits, "BYTES", 32 * MEGABYTE)
    read = read_between(BOMBS[name](), tmp_path)
    assert read.texts == ["Text.", "Text."]
    [row] = read.quarantine
    assert (row["error"], row["offset"]) == ("expands_too_far", 1)
    assert "above the limit of" in row["message"]
    lost = read.reports[0].lost
    assert lost is not None
    assert lost.bytes == read_footer(BytesIO((tmp_path / "a.parquet").read_bytes())).groups[1].stored


@pytest.mark.parametrize("nested", [False, True])
def test_shared_prefixes_do_not_expand_without_an_end(
    nested: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_limits, "BYTES", 32 * MEGABYTE)
    monkeypatch.setattr(parquet_limits, "_PREFIX_BATCH_BYTES", 4 * MEGABYTE)
    values = pa.array(["ab" * (MEGABYTE // 4) + f"{n:04}" for n in range(200)])
    table = pa.table({"text": ["a"], "tags": in_lists(values)} if nested else {"text": values})
    encoding = {"tags.list.element" if nested else "text": "DELTA_BYTE_ARRAY"}
    read = read_between(table, tmp_path, use_dictionary=False, column_encoding=encoding)
    assert (read.texts[0], read.texts[-1]) == ("Text.", "Text.")
    assert read.errors == ["expands_too_far"]
    assert len(read.texts) == (2 if nested else 2 + read.quarantine[0]["offset"] - 1)
    assert sum(map(len, read.texts)) < 60 * MEGABYTE


@pytest.mark.parametrize(("levels", "errors"), [(90, []), (800, ["bad_parquet"])])
def test_columns_that_are_nested_without_an_end_are_refused(levels: int, errors: list[str], tmp_path: Path) -> None:
    kind = pa.int8()
    for _ in range(levels):
        kind = pa.struct([("n", kind)])
    schema = pa.schema([("text", pa.string()), ("deep", kind)])
    with pq.ParquetWriter(tmp_path / "a.parquet", schema, store_schema=False) as writer:
        writer.write_table(pa.table([pa.array(["One."]), pa.nulls(1, kind)], schema=schema))
    read = read_file(tmp_path / "a.parquet")
    assert read.errors == errors
    assert bool(read.texts) == (not errors)


def test_what_is_repetitive_is_read(tmp_path: Path) -> None:
    table = pa.table({"text": ["The same text of a mill. " * 40] * 20_000, "mask": [[1] * 40] * 20_000})
    pq.write_table(table, tmp_path / "a.parquet", compression="zstd")
    assert (tmp_path / "a.parquet").stat().st_size < 20_000
    assert len(read_file(tmp_path / "a.parquet").texts) == 20_000


def test_small_batches_are_as_good_as_large_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dictionaries are counted exactly where their longest string could be repeated too often."""
    monkeypatch.setattr(parquet_limits, "BYTES", 2 * MEGABYTE)
    texts = [f"text {n % 50}" for n in range(5000)] + ["long " * 20_000]
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", compression="zstd")
    assert read_file(tmp_path / "a.parquet").texts == texts


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("dictionary", [True, False])
def test_footer_and_pages_equal_pyarrows(version: str, dictionary: bool) -> None:
    table = pa.table(
        {
            "text": [f"text {n} " * 50 for n in range(3000)],
            "tags": [["a", None, str(n)] for n in range(3000)],
            "n": pa.array(range(3000), pa.int16()),
            "raw": pa.array([b"12345678"] * 3000, pa.binary(8)),
        }
    )
    sink = BytesIO()
    pq.write_table(
        table, sink, row_group_size=1000, data_page_size=4000, data_page_version=version, use_dictionary=dictionary
    )
    told = pq.read_metadata(sink)
    groups = read_footer(sink).groups
    assert len(groups) == told.num_row_groups == 3
    for number, group in enumerate(groups):
        expected = told.row_group(number)
        assert (group.rows, group.size) == (expected.num_rows, expected.total_byte_size)
        assert len(group.columns) == expected.num_columns
        for place, column in enumerate(group.columns):
            one = expected.column(place)
            assert ".".join(column.path) == one.path_in_schema
            assert (column.values, column.size, column.stored, column.data_offset, column.dictionary_offset) == (
                one.num_values, one.total_uncompressed_size, one.total_compressed_size, one.data_page_offset,
                one.dictionary_page_offset or 0,
            )  # fmt: skip
            found = list(pages(sink, column))
            assert sum(page.end - page.begin for page in found) == one.total_compressed_size
            assert sum(page.values for page in found if page.encoding != -1) == one.num_values
            assert (found[0].encoding == -1) == (one.dictionary_page_offset is not None)


def test_a_footer_that_pyarrow_does_not_survive_is_read(tmp_path: Path) -> None:
    """pyarrow ends the process where the metadata of such a column are asked for."""
    table = pa.table({"text": [f"text {n}" for n in range(100)], "tags": [["a"]] * 100})
    sink = BytesIO()
    pq.write_table(table, sink, compression="none")
    data = bytearray(sink.getvalue())
    length = int.from_bytes(data[-8:-4], "little")
    for place in range(len(data) - 8 - length, len(data) - 8):
        broken = bytearray(data)
        broken[place] ^= 0x20
        (tmp_path / "a.parquet").write_bytes(broken)
        read = read_file(tmp_path / "a.parquet")
        assert read.documents or read.quarantine
