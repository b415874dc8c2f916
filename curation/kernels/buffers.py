"""Arrow string columns as numpy arrays for kernels."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Texts = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def text_buffers(column: pa.Array) -> Texts:
    """The bytes of a string or binary column and the offsets of its rows: row i is data[offsets[i]:offsets[i + 1]].

    No byte is copied. ``offsets[0]`` is not 0 for a slice. A null is an empty row. Both arrays are always read-only, so
    that a kernel is compiled for one type only.
    """
    wide = pa.types.is_large_string(column.type) or pa.types.is_large_binary(column.type)
    _, bounds, bytes_ = column.buffers()
    offsets: npt.NDArray[np.int64] = np.zeros(1, np.int64)
    if bounds is not None and len(column):
        every = np.frombuffer(bounds, np.dtype(np.int64 if wide else np.int32))
        offsets = every[column.offset : column.offset + len(column) + 1].astype(np.int64, copy=False)
    data = np.zeros(0, np.uint8) if bytes_ is None else np.frombuffer(bytes_, np.uint8)
    offsets.flags.writeable = False
    data.flags.writeable = False
    return data, offsets


def text_column(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> pa.LargeStringArray:
    """The column whose row i is data[offsets[i]:offsets[i + 1]] (valid UTF-8); the arrays are shared, not copied."""
    return pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))
