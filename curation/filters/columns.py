"""The columns of signals (measured values): their declarations, and their values from the kernels."""

import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels.measured import Measured
from curation.kernels.signals import GOPHER, PAGE, gopher_parts, gopher_values, page_parts, page_values

Address = tuple[int, ...]


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
    """The latest measurements of each kernel in this thread, which filters over the same texts share, and the signals
    that are ``wanted`` now.

    The measured column is kept alive, so that no other column can have its address in memory.
    """

    gopher: Measured | None = None
    page: Measured | None = None
    wanted: frozenset[str] = frozenset((*GOPHER, *PAGE))


_last = _Last()


@contextmanager
def measuring(names: Collection[str]) -> Iterator[None]:
    """Within the block, the functions below measure no signals but these, in this thread."""
    before, _last.wanted = _last.wanted, frozenset(names)
    try:
        yield
    finally:
        _last.wanted = before


def gopher_columns(texts: pa.LargeStringArray, schema: pa.Schema) -> pa.RecordBatch:
    """The signals of a schema, measured by the kernel for Gopher's rules; signals that are not wanted are null."""
    parts = gopher_parts(_last.wanted)
    if _last.gopher is None or parts & ~_last.gopher.parts or not _is_same(_last.gopher.texts, texts):
        _last.gopher = gopher_values(texts, parts)
    return _wanted_batch(_last.gopher, schema)


def page_columns(texts: pa.LargeStringArray, schema: pa.Schema) -> pa.RecordBatch:
    """The signals of a schema, measured by the kernel for the rules on lines; signals that are not wanted are null."""
    parts = page_parts(_last.wanted)
    if _last.page is None or parts & ~_last.page.parts or not _is_same(_last.page.texts, texts):
        _last.page = page_values(texts, _last.gopher, parts)
    return _wanted_batch(_last.page, schema)


def _wanted_batch(measured: Measured, schema: pa.Schema) -> pa.RecordBatch:
    wanted = pa.schema([field for field in schema if field.name in _last.wanted])
    found = batch_of(map(measured.row, wanted.names), wanted)
    arrays = [
        found[each.name] if each.name in wanted.names else pa.nulls(len(measured.texts), each.type) for each in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _is_same(left: pa.LargeStringArray, right: pa.LargeStringArray) -> bool:
    """Whether two columns are the same memory."""
    return address_of(left) == address_of(right)


def address_of(texts: pa.LargeStringArray) -> Address:
    """Where the values of a column lie in memory."""
    return (*(buffer.address if buffer else 0 for buffer in texts.buffers()), texts.offset, len(texts))


def batch_of(rows: Iterable[npt.NDArray[np.float64]], schema: pa.Schema) -> pa.RecordBatch:
    """A batch of the schema from one array of numbers per column; NaN becomes null."""
    arrays = []
    for field, row in zip(schema, rows, strict=True):
        kind = np.float32 if pa.types.is_floating(field.type) else np.int32
        arrays.append(pa.array(row.astype(kind), field.type, from_pandas=kind is np.float32))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
