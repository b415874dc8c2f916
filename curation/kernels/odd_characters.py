"""Finds characters that normalising may change (control characters, text that may not be NFC, mojibake), and removes
control characters.

The tables of code points are made by `curation.rewrites.suspicious`. Mostly English text is normalised 400 times as
fast as if ftfy and unicodedata read all of it, measured by `make bench`.
"""

import numpy as np
import numpy.typing as npt

from curation.kernels.byte_masks import STEP, copy_not_plain, first_bit, not_plain
from curation.kernels.compiled import kernel, leaf
from curation.kernels.unicode import decode

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint32]

CONTROL, C1, NOT_NFC = 1, 2, 4
"""Kinds of code points: control characters and similar, U+0080 to U+009F, possibly not NFC."""

TABLE_POINTS, PAIR_POINTS = 0x20000, 0x10000
"""Number of code points in the table of kinds, and in the two tables of pairs."""

LIGATURE_BIT, WORD_BIT, LETTER_BIT, SPACE_BIT = 28, 29, 30, 31
"""Bits of first characters that are bad before any other character, before a second character and a letter or digit,
between two letters, or before a space. The lower bits are pairs that are always bad."""


@leaf
def any_odd(data: Bytes) -> bool:
    """Whether any byte is not printable ASCII, tab or line feed."""
    i = 0
    while i + STEP <= len(data):
        if not_plain(data, i):
            return True
        i += STEP
    while i < len(data):
        if (data[i] < 32 and data[i] != 9 and data[i] != 10) or data[i] >= 127:
            return True
        i += 1
    return False


@leaf
def _is_word(byte: int) -> bool:
    return byte >= 128 or 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte == 95


@leaf
def _bad_pair(shared: int, data: Bytes, i: int, end: int) -> bool:
    """Whether a pair of the classes ``shared`` is suspicious before the bytes at ``i``."""
    if shared & ~np.uint32(1 << WORD_BIT | 1 << LETTER_BIT):
        return True
    if i >= end:
        return False
    if shared & np.uint32(1 << WORD_BIT) and _is_word(data[i]):
        return True
    return bool(shared & np.uint32(1 << LETTER_BIT)) and bool(data[i] >= 128)


@leaf
def scan(data: Bytes, ends: Ints, kinds: Bytes, first: Flags, second: Flags, flags: Bytes, hits: Ints) -> int:
    """Scans rows ``data[ends[n]:ends[n + 1]]``: sets ``flags[n]`` to the kinds of their code points, and writes the row
    and the place of one suspicious pair or character of each line to ``hits``.

    Returns the number of hits; only as many as fit are written.
    """
    count = 0
    for n in range(len(flags)):
        i, end = ends[n], ends[n + 1]
        flag = 0
        quiet = i
        before = 0
        while i < end:
            if i + STEP <= end:
                odd = not_plain(data, i)
                if not odd:
                    i += STEP
                    before = 0
                    continue
                skip = first_bit(odd)
                if skip:
                    before = 0
                i += skip
            point, after = decode(data, i)
            if point < 0x80:
                if (point < 32 and point != 9 and point != 10) or point == 127:
                    flag |= CONTROL
                before = 0
                i = after
                continue
            kind = kinds[point] if point < TABLE_POINTS else NOT_NFC
            flag |= kind
            bad = kind & C1
            here = first[point] if point < PAIR_POINTS else 0
            if i >= quiet and not bad:
                shared = before & (second[point] if point < PAIR_POINTS else 0)
                bad = shared and _bad_pair(shared, data, after, end)
                if not bad and here and after < end and data[after] < 128:
                    bad = _bad_before_ascii(here, data[after])
            if bad and i >= quiet:
                if count < len(hits):
                    hits[count, 0], hits[count, 1] = n, i
                count += 1
                quiet = after
                while quiet < end and data[quiet] != 10:
                    quiet += 1
            before = here
            i = after
        flags[n] = flag
    return count


@leaf
def _bad_before_ascii(classes: int, byte: int) -> bool:
    """Whether a character of these classes is suspicious before this ASCII byte."""
    if classes & np.uint32(1 << SPACE_BIT) and byte == 32:
        return True
    letter = 65 <= byte <= 90 or 97 <= byte <= 122
    return bool(classes & np.uint32(1 << LIGATURE_BIT)) and not letter


@leaf
def strip_controls(data: Bytes, ends: Ints, kinds: Bytes, which: int, out: Bytes, out_ends: Ints) -> int:
    """Copies the rows to ``out`` without the code points of the kinds ``which``; returns the length written.

    CR LF, CR, vertical tab and form feed become line feeds.
    """
    o = 0
    for n in range(len(ends) - 1):
        i, end = ends[n], ends[n + 1]
        while i < end:
            if i + STEP <= end and o + STEP <= len(out):
                odd = copy_not_plain(data, i, out, o)
                if not odd:
                    i += STEP
                    o += STEP
                    continue
                i += first_bit(odd)
                o += first_bit(odd)
            point, after = decode(data, i)
            if point == 13 and after < end and data[after] == 10:
                after += 1
            if 11 <= point <= 13:
                out[o] = 10
                o += 1
            elif (point >= 32 or point == 9 or point == 10) and (point >= TABLE_POINTS or not kinds[point] & which):
                while i < after:
                    out[o] = data[i]
                    o += 1
                    i += 1
            i = after
        out_ends[n + 1] = o
    return o


@kernel
def replace_rows(data: Bytes, ends: Ints, rows: Ints, new: Bytes, new_ends: Ints, out: Bytes, out_ends: Ints) -> None:
    """Copies all rows to ``out``, row ``rows[k]`` (ascending) as ``new[new_ends[k]:new_ends[k + 1]]``."""
    o = k = 0
    first = 0
    count = len(ends) - 1
    while first < count:
        stop = rows[k] if k < len(rows) else count
        size = ends[stop] - ends[first]
        out[o : o + size] = data[ends[first] : ends[stop]]
        for n in range(first, stop):
            out_ends[n + 1] = ends[n + 1] - ends[first] + o
        o += size
        if k < len(rows):
            size = new_ends[k + 1] - new_ends[k]
            out[o : o + size] = new[new_ends[k] : new_ends[k + 1]]
            o += size
            out_ends[stop + 1] = o
            k += 1
        first = stop + 1
