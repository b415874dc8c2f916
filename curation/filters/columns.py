"""The columns of measured values: how they are declared, and how they come from the kernels."""

import threading
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels.signals import GOPHER, PAGE, Measured, measure

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
    """The last column that this thread measured by each kernel, so that filters over the same text share one reading.

    The column is kept with its place in memory: while it lives, no other one can be there.
    """

    def __init__(self) -> None:
        self.seen: dict[tuple[str, ...], tuple[Place, pa.Array, Measured]] = {}


_last = _Last()


def gopher_columns(texts: pa.LargeStringArray, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of a schema that the kernel of Gopher's rules measures."""
    return _columns(_measured(texts, GOPHER), schema)


def page_columns(texts: pa.LargeStringArray, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of a schema that the kernel of the rules over lines measures."""
    return _columns(_measured(texts, PAGE), schema)


def _measured(texts: pa.LargeStringArray, names: tuple[str, ...]) -> Measured:
    place = (*(buffer.address if buffer else 0 for buffer in texts.buffers()), texts.offset, len(texts))
    known = _last.seen.get(names)
    if known is None or known[0] != place:
        known = (place, texts, measure(texts, names))
        _last.seen[names] = known
    return known[2]


def _columns(measured: Measured, schema: pa.Schema) -> pa.RecordBatch:
    rows = (measured.values[measured.names.index(name)] for name in schema.names)
    return batch_of(rows, schema)


def batch_of(rows: Iterable[npt.NDArray[np.float64]], schema: pa.Schema) -> pa.RecordBatch:
    """Numbers as the columns of a schema; NaN is null."""
    arrays = []
    for field, row in zip(schema, rows, strict=True):
        kind = np.float32 if pa.types.is_floating(field.type) else np.int32
        arrays.append(pa.array(row.astype(kind), field.type, from_pandas=kind is np.float32))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
