"""The columns of measured values: how they are declared, and how they come from the kernels."""

import threading
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels.signals import Measured, gopher_values, page_values

Place = tuple[int, ...]


def count(name: str, description: str) -> pa.Field:
    """A signal that counts."""
    return pa.field(name, pa.int32(), metadata={"description": description, "range": "0.."})


def share(name: str, description: str) -> pa.Field:
    """A signal from 0 to 1."""
    return pa.field(name, pa.float32(), metadata={"description": description, "range": "0..1"})


def ratio(name: str, description: str) -> pa.Field:
    """A signal from 0 on."""
    return pa.field(name, pa.float32(), metadata={"description": description, "range": "0.."})


class _Last(threading.local):
    """What this thread measured last by each kernel, so that filters over the same text share one reading.

    Its column is kept: while it lives, no other one can be at its place in memory.
    """

    gopher: Measured | None = None
    page: Measured | None = None


_last = _Last()


def gopher_columns(texts: pa.LargeStringArray, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of a schema that the kernel of Gopher's rules measures."""
    if _last.gopher is None or not _is_same(_last.gopher.texts, texts):
        _last.gopher = gopher_values(texts)
    return batch_of(map(_last.gopher.row, schema.names), schema)


def page_columns(texts: pa.LargeStringArray, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of a schema that the kernel of the rules over lines measures."""
    if _last.page is None or not _is_same(_last.page.texts, texts):
        _last.page = page_values(texts, _last.gopher)
    return batch_of(map(_last.page.row, schema.names), schema)


def _is_same(one: pa.LargeStringArray, other: pa.LargeStringArray) -> bool:
    """Whether two columns are the same memory."""
    return _place(one) == _place(other)


def _place(texts: pa.LargeStringArray) -> Place:
    return (*(buffer.address if buffer else 0 for buffer in texts.buffers()), texts.offset, len(texts))


def batch_of(rows: Iterable[npt.NDArray[np.float64]], schema: pa.Schema) -> pa.RecordBatch:
    """Numbers as the columns of a schema; NaN is null."""
    arrays = []
    for field, row in zip(schema, rows, strict=True):
        kind = np.float32 if pa.types.is_floating(field.type) else np.int32
        arrays.append(pa.array(row.astype(kind), field.type, from_pandas=kind is np.float32))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
