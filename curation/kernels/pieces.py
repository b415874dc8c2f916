"""Lines and paragraphs by several definitions, and the marks at their ends, for the measures of other dialects."""

from typing import Literal

import numpy as np
from numba import int64

from curation.kernels.compiled import inline, kernel, leaf
from curation.kernels.hashing import hash_bytes
from curation.kernels.lines import count_characters, find_byte, line_end, strip, with_place
from curation.kernels.unicode import decode
from curation.kernels.word_classes import SPACE

Breaks = Literal["unicode", "newline", "newlines", "two_newlines", "blank_lines", "none"]
"""Where a text is split into lines or paragraphs:

- ``unicode``: at all line ends of Unicode, as in `str.splitlines`;
- ``newline``: at each newline; a text that ends in one has an empty last line;
- ``newlines``: at each run of newlines;
- ``two_newlines``: at each pair of newlines;
- ``blank_lines``: at each run of two or more newlines, after white space at the ends of the text is removed;
- ``none``: there are no such pieces.
"""
Kept = Literal["all", "not_empty", "not_blank"]
"""Which pieces count: all, those with a character, or those with a character that is not white space."""
BREAKS: dict[str, int] = {
    "none": 0,
    "unicode": 1,
    "newline": 2,
    "newlines": 3,
    "two_newlines": 4,
    "blank_lines": 5,
}
KEPT: dict[str, int] = {"all": 0, "not_empty": 1, "not_blank": 2}
NONE, _UNICODE, _ONE, _RUN, _TWO, BLANK_LINES = range(6)
_NEWLINE = np.uint8(0x0A)


@leaf
def piece_end(data, i, end, breaks, kinds):
    """The end of the piece at i, and the start of the next one, -1 after the last."""
    if breaks == _UNICODE:
        stop, following = line_end(data, i, end, kinds)
        return int64(stop), int64(following if following < end else -1)
    at = i
    while True:
        stop = find_byte(data, at, end, _NEWLINE)
        if stop == end:
            return int64(end), int64(-1)
        following = stop + 1
        if breaks == _TWO:
            if following < end and data[following] == _NEWLINE:
                return int64(stop), int64(following + 1)
        elif breaks == _ONE:
            return int64(stop), int64(following)
        else:
            while following < end and data[following] == _NEWLINE:
                following += 1
            if breaks == _RUN or following > stop + 1:
                return int64(stop), int64(following)
        at = following


@leaf
def is_blank(data, start, end, kinds):
    """Whether data[start:end] has no character but white space."""
    while start < end:
        point, start = decode(data, start)
        if not kinds[point] & SPACE:
            return False
    return True


@leaf
def counts_as(data, start, end, kept, kinds):
    """Whether a piece counts by a number of `KEPT`."""
    if kept == 0:
        return True
    return start < end and (kept == 1 or not is_blank(data, start, end, kinds))


@inline
def _length(data, start, end, in_bytes):
    return end - start if in_bytes else count_characters(data, start, end)


@kernel
def split_pieces(data, start, end, breaks, stripped, kept, in_bytes, kinds, keys, lengths):
    """The number of pieces of data[start:end], and the arrays of their hashes and lengths, which may have grown."""
    count = int64(0)
    i = int64(start)
    if breaks == BLANK_LINES:
        i, end = strip(data, start, end, kinds)
    while i >= 0 and breaks != NONE:
        stop, following = piece_end(data, i, end, breaks, kinds)
        first, last = i, stop
        if stripped:
            first, last = strip(data, i, stop, kinds)
        if counts_as(data, first, last, kept, kinds):
            keys, lengths = with_place(keys, lengths, count)
            keys[count] = hash_bytes(data, first, last)
            lengths[count] = _length(data, first, last, in_bytes)
            count += 1
        i = following
    return count, keys, lengths


@leaf
def is_mark(data, i, end, marks, m):
    """Whether the mark m stands at i, before ``end``; letters A to Z match a to z of the mark."""
    bytes_, bounds = marks
    size = bounds[m + 1] - bounds[m]
    if i + size > end:
        return False
    for k in range(size):
        byte, wanted = data[i + k], bytes_[bounds[m] + k]
        if byte != wanted and not (byte >= 0x41 and byte <= 0x5A and byte | 0x20 == wanted):
            return False
    return True


@leaf
def begins_with(data, start, end, marks):
    """Whether data[start:end] begins with one of the marks."""
    found = False
    for m in range(marks[1].shape[0] - 1):
        found |= is_mark(data, start, end, marks, m)
    return found


@leaf
def ends_with(data, start, end, marks):
    """Whether data[start:end] ends with one of the marks."""
    bounds = marks[1]
    for m in range(bounds.shape[0] - 1):
        i = end - (bounds[m + 1] - bounds[m])
        if i >= start and is_mark(data, i, end, marks, m):
            return True
    return False


@leaf
def count_mark(data, start, end, marks, m):
    """How often the mark m is in data[start:end], without overlap."""
    bytes_, bounds = marks
    size = bounds[m + 1] - bounds[m]
    found = 0
    if size == 0:
        return found
    i = find_byte(data, start, end, bytes_[bounds[m]])
    while i < end:
        if is_mark(data, i, end, marks, m):
            found += 1
            i += size - 1
        i = find_byte(data, i + 1, end, bytes_[bounds[m]])
    return found
