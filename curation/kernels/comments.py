"""Counting the characters of comments in source code."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels.buffers import text_buffers
from curation.kernels.compiled import kernel

C, HASH = 1, 2
_NEWLINE, _BACKSLASH, _SLASH, _STAR, _HASH = (np.uint8(ord(mark)) for mark in "\n\\/*#")
_QUOTE, _DOUBLE = np.uint8(0x27), np.uint8(0x22)


@kernel
def _count(data, offsets, style, out):
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        comments = characters = 0
        while i < end:
            byte = data[i]
            if style == C and byte == _SLASH and i + 1 < end and (data[i + 1] == _SLASH or data[i + 1] == _STAR):
                block = data[i + 1] == _STAR
                i += 2
                comments += 1
                while i < end:
                    if block and data[i] == _STAR and i + 1 < end and data[i + 1] == _SLASH:
                        i += 2
                        break
                    if not block and data[i] == _NEWLINE:
                        break
                    characters += (data[i] & 0xC0) != 0x80
                    i += 1
            elif style == HASH and byte == _HASH:
                i += 1
                comments += 1
                while i < end and data[i] != _NEWLINE:
                    characters += (data[i] & 0xC0) != 0x80
                    i += 1
            elif byte in (_QUOTE, _DOUBLE):
                i += 1
                while i < end and data[i] != byte and data[i] != _NEWLINE:
                    i += 2 if data[i] == _BACKSLASH else 1
                i += 1
            else:
                i += 1
        out[0, d], out[1, d] = comments, characters


def comment_counts(texts: pa.LargeStringArray, style: int) -> npt.NDArray[np.int64]:
    """Two rows: the number of comments of each text, and their characters without the marks of comments.

    With the style ``C``, comments are // to the end of the line and /* to */, with ``HASH`` # to the end of the line.
    Marks inside of a string, which ends on its line, begin no comment.
    """
    data, offsets = text_buffers(texts)
    out = np.empty((2, len(texts)), np.int64)
    _count(data, offsets, style, out)
    return out
