"""FineWeb's counts over lines for other end marks or another length of short lines than `signals` counts with."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels.buffers import text_buffers
from curation.kernels.compiled import kernel
from curation.kernels.lines import before, count_characters, find_byte, strip
from curation.kernels.unicode import decode
from curation.kernels.word_classes import LINE_END, SPACE
from curation.kernels.word_tables import word_tables

_NEWLINE = np.uint8(0x0A)


@kernel
def _line_shares(data, offsets, kinds, short, out):
    """Sets out[0] to the share of lines that end in a mark, out[1] to the share of lines of ``short`` characters."""
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        lines = marked = brief = 0
        while i <= end:
            stop = find_byte(data, i, end, _NEWLINE)
            first, last = strip(data, i, stop, kinds)
            if first < last:
                lines += 1
                marked += kinds[decode(data, before(data, stop))[0]] & LINE_END != 0
                brief += count_characters(data, i, stop) <= short
            i = stop + 1
        out[0, d] = marked / lines if lines else np.nan
        out[1, d] = brief / lines if lines else np.nan


def line_shares(texts: pa.LargeStringArray, marks: tuple[str, ...], short: int) -> npt.NDArray[np.float64]:
    """Two rows: the share of lines that end in one of ``marks`` (if empty, in terminal punctuation), and the share of
    lines of at most ``short`` characters; NaN for a text without lines that are not blank."""
    kinds = word_tables().kinds
    if marks:
        kinds = kinds & np.uint16(SPACE)
        kinds[[ord(mark) for mark in marks]] |= np.uint16(LINE_END)
    data, offsets = text_buffers(texts)
    out = np.empty((2, len(texts)), np.float64)
    _line_shares(data, offsets, kinds, short, out)
    return out
