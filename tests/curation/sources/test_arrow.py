"""Arrow files: values that many rows share are counted as often as they stand there."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from curation.sources.arrow import _lengths, _repeated_bytes
from tests.curation.sources.made import read_bytes

TEXT = "The mill wheel turns in the river. " * 30


def _file(column: pa.Array, stream: bool) -> bytes:
    sink = io.BytesIO()
    batch = pa.record_batch([column], ["text"])
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with (pa.ipc.new_stream if stream else pa.ipc.new_file)(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def _dictionary(rows: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int8)), pa.array([TEXT]))


def _run(rows: int) -> pa.Array:
    return pa.RunEndEncodedArray.from_arrays(pa.array([rows], pa.int32()), pa.array([TEXT]))


def _nested(rows: int) -> pa.Array:
    return pa.StructArray.from_arrays([_dictionary(rows)], ["inside"])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("column", [_dictionary(5_000_000), _run(300_000_000), pa.nulls(200_000_000)])
def test_columns_that_expand_too_far_are_not_expanded(column: pa.Array, stream: bool, tmp_path: Path) -> None:
    read = read_bytes(_file(column, stream), tmp_path, name="a.arrow")
    assert not read.documents
    assert read.errors == ["expands_too_far"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("column", [_dictionary(3), _run(3), pa.array([TEXT] * 3, pa.string_view())])
def test_values_that_rows_share_are_read(column: pa.Array, stream: bool, tmp_path: Path) -> None:
    assert read_bytes(_file(column, stream), tmp_path, name="a.arrow").texts == [TEXT] * 3


@pytest.mark.parametrize("column", [_dictionary(1_000), _run(1_000), _nested(1_000)])
def test_shared_values_are_counted_for_each_row(column: pa.Array) -> None:
    assert _repeated_bytes(pa.record_batch([column], ["text"])) == 1_000 * len(TEXT)


def test_lengths_of_views_are_those_of_their_values() -> None:
    values = ["", "short", None, TEXT, "exactly 12 c"]
    column = pa.array(values, pa.string_view())
    assert _lengths(column).tolist() == [len(value or "") for value in values]
    assert _lengths(column.slice(1, 3)).tolist() == [len(value or "") for value in values[1:4]]
