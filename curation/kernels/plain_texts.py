"""Plain texts: the words of a text in lower case with one blank between them, so that line breaks, other white space,
case and punctuation do not hide that two texts are equal."""

import numpy as np
from numba import uint32

from curation.kernels.compiled import inline, kernel
from curation.kernels.unicode import PUNCTUATION, WORD, decode

_GROWTH = 2
"""A lower-case letter takes at most this many times the bytes of its letter."""


@inline
def _encode(point, out, o):
    """Writes a code point as UTF-8 to out[o:]; returns the index after it."""
    if point < 0x80:
        out[o] = point
        return o + 1
    if point < 0x800:
        out[o] = 0xC0 | (point >> 6)
        out[o + 1] = 0x80 | (point & 0x3F)
        return o + 2
    if point < 0x10000:
        out[o] = 0xE0 | (point >> 12)
        out[o + 1] = 0x80 | ((point >> 6) & 0x3F)
        out[o + 2] = 0x80 | (point & 0x3F)
        return o + 3
    out[o] = 0xF0 | (point >> 18)
    out[o + 1] = 0x80 | ((point >> 12) & 0x3F)
    out[o + 2] = 0x80 | ((point >> 6) & 0x3F)
    out[o + 3] = 0x80 | (point & 0x3F)
    return o + 4


@kernel
def plain_texts(data, offsets, classes, lower, lead, placed):
    """The plain texts of all documents: their bytes, their bounds and, if ``placed``, for each byte the place in
    ``data`` of the character that it comes from.

    Document d is data[offsets[d]:offsets[d + 1]], UTF-8. Letters, numbers and combining marks are kept, letters in
    lower case; every run of other characters becomes a blank, and none stands at the start or the end. With ``lead``, a
    blank stands before the first word.
    """
    count = offsets.shape[0] - 1
    size = _GROWTH * (offsets[count] - offsets[0]) + count
    out = np.empty(size, np.uint8)
    places = np.empty(size if placed else 0, np.int64)
    bounds = np.empty(count + 1, np.int64)
    o = 0
    bounds[0] = 0
    for d in range(count):
        i, end = offsets[d], offsets[d + 1]
        gap = lead
        start = o
        while i < end:
            point, after = decode(data, i)
            kind = classes[point]
            if (kind & WORD) and not (kind & PUNCTUATION):
                before = o
                if gap:
                    out[o] = 32
                    o += 1
                    gap = False
                o = _encode(uint32(lower[point]), out, o)
                if placed:
                    for k in range(before, o):
                        places[k] = i
            else:
                gap = o > start or lead
            i = after
        bounds[d + 1] = o
    return out[:o], bounds, places[: o if placed else 0]
