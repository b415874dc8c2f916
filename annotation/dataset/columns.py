"""Table columns as single arrays."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def column(table: pa.Table, name: str) -> pa.Array:
    """The column as one array; a column of several chunks is copied."""
    held = table[name]
    return held.chunk(0) if held.num_chunks == 1 else pa.concat_arrays([pa.array([], held.type), *held.chunks])


def flags(array: pa.Array) -> npt.NDArray[np.bool_]:
    """A boolean array without nulls as a numpy array."""
    return array.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
