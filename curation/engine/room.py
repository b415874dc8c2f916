"""Checks before any kernel is called that the memory is sufficient to judge some texts.

If an allocation fails in the middle of a kernel, the kernel raises MemoryError, and numba never frees what the kernel
had allocated.
"""

import string

import numpy as np
import pyarrow as pa

from curation.kernels.buffers import text_buffers

_FOR_A_BYTE, _FOR_A_MARK = 24, 72
"""Bytes that judging and signing need at most for each byte of text, and in addition for each punctuation mark or line
end, which may be a word. Measured with every recipe on prose, lists of lines, rows of marks and Chinese."""
_MARKS = np.zeros(256, np.bool_)
_MARKS[[ord(mark) for mark in f"{string.punctuation}\n"]] = True


def check_room(texts: pa.LargeStringArray) -> None:
    """Raises MemoryError if judging the texts may take more memory than this process may use."""
    data, offsets = text_buffers(texts)
    text = data[offsets[0] : offsets[-1]]
    if not _is_room((_FOR_A_BYTE + _FOR_A_MARK) * len(text)):  # otherwise there is no need to count the marks
        np.empty(_FOR_A_BYTE * len(text) + _FOR_A_MARK * np.count_nonzero(_MARKS[text]), np.uint8)


def _is_room(size: int) -> bool:
    try:
        np.empty(size, np.uint8)
    except MemoryError:
        return False
    return True
