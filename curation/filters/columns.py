"""The columns of signals (measured values): their declarations, and their values from the kernels."""

import threading
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels.signals import Measured, gopher_values, page_values

Place = tuple[int, ...]


def count(name: str, description: str, most: int | str = "") -> pa.Field:
    """The field of a signal that is a count, of at most ``most``."""
    return pa.field(name, pa.int32(), metadata={"description": description, "range": f"0..{most}"})


def share(name: str, description: str) -> pa.Field:
    """The field of a signal from 0 to 1."""
    return pa.field(name, pa.float32(), metadata={"description": description, "range": "0..1"})


def ratio(name: str, description: str) -> pa.Field:
    """The field of a signal that is at least 0."""
    return pa.field(name, pa.float32(), metadata={"description": description, "range": "0.."})


class _Last(threading.local):
    """The latest measurements of each kernel in this thread, which filters over the same texts share.

    The measured column is kept alive, so that no other column can have its address in memory.
    """

    gopher: Measured | None = None
    page: Measured | None = None


_last = _Last()


def gopher_columns(texts: pa.LargeStringArray, schema: pa.Schema) -> pa.RecordBatch:
    """The signals of a schema, measured by the kernel for Gopher's rules."""
    if _last.gopher is None or not _is_same(_last.gopher.texts, texts):
        _last.gopher = gopher_values(texts)
    return batch_of(map(_last.gopher.row, schema.names), schema)


def page_columns(texts: pa.LargeStringArray, schema: pa.Schema) -> pa.RecordBatch:
    """The signals of a schema, measured by the kernel for the rules on lines."""
    if _last.page is None or not _is_same(_last.page.texts, texts):
        _last.page = page_values(texts, _last.gopher)
    return batch_of(map(_last.page.row, schema.names), schema)


def _is_same(left: pa.LargeStringArray, right: pa.LargeStringArray) -> bool:
    """Whether two columns are the same memory."""
    return place(left) == place(right)


def place(texts: pa.LargeStringArray) -> Place:
    """Where the values of a column lie in memory."""
    return (*(buffer.address if buffer else 0 for buffer in texts.buffers()), texts.offset, len(texts))


def batch_of(rows: Iterable[npt.NDArray[np.float64]], schema: pa.Schema) -> pa.RecordBatch:
    """A batch of the schema from one array of numbers per column; NaN becomes null."""
    arrays = []
    for field, row in zip(schema, rows, strict=True):
        kind = np.float32 if pa.types.is_floating(field.type) else np.int32
        arrays.append(pa.array(row.astype(kind), field.type, from_pandas=kind is np.float32))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
