"""Lines and characters of UTF-8 text."""

import numpy as np
from numba import int64, uint32, uint64

from curation.kernels.byte_masks import STEP, first_bit, not_printable, symbol
from curation.kernels.compiled import kernel, leaf
from curation.kernels.hashing import hash_bytes
from curation.kernels.memory import load64, lowest_bit
from curation.kernels.unicode import decode
from curation.kernels.word_classes import LINE_BREAK, LINE_END, SPACE

_ONES = np.uint64(0x0101010101010101)
_HIGH_BITS = np.uint64(0x8080808080808080)
_LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
_SPACES = np.uint64(0x2020202020202020)
_NEWLINE, _DOT, _HASH, _MINUS = np.uint8(0x0A), np.uint8(0x2E), np.uint8(0x23), np.uint8(0x2D)
_LAST_OF_ELLIPSIS = np.uint8(0xA6)
_BULLET = 0x2022
SHORT_LINE = 30
"""Maximum number of characters of a short line, as in FineWeb."""


@leaf
def find_byte(data, i, end, value):
    """The index of the first byte of data[i:end] that is ``value``, or ``end``."""
    pattern = _ONES * uint64(value)
    while i + 8 <= end:
        other = load64(data, i) ^ pattern
        zero = ~(((other & _LOW_BITS) + _LOW_BITS) | other | _LOW_BITS)
        if zero:
            return i + (lowest_bit(zero) >> 3)
        i += 8
    while i < end and data[i] != value:
        i += 1
    return i


@leaf
def compare_texts(data, offsets, other, other_offsets, out):
    """Sets ``out`` to whether each text of a column equals the text of another column, byte for byte."""
    for d in range(out.shape[0]):
        size = offsets[d + 1] - offsets[d]
        same = size == other_offsets[d + 1] - other_offsets[d]
        i, j = offsets[d], other_offsets[d]
        end = i + size
        while same and i + 8 <= end:
            same = load64(data, i) == load64(other, j)
            i += 8
            j += 8
        while same and i < end:
            same = data[i] == other[j]
            i += 1
            j += 1
        out[d] = same


@leaf
def count_characters(data, start, end):
    """The number of code points in data[start:end]."""
    count = int64(0)
    for i in range(start, end):
        count += (data[i] & 0xC0) != 0x80
    return count


@leaf
def line_end(data, i, end, kinds):
    """The end of the line at i, and the start of the next line, as in `str.splitlines`."""
    while i < end:
        if i + STEP <= end:
            odds = uint32(not_printable(data, i))
            if odds == 0:
                i += STEP
                continue
            i += first_bit(odds)
        elif i + 8 <= end:
            word = load64(data, i)
            odd = ((word - _SPACES) | word) & _HIGH_BITS  # below 0x20, or not ASCII
            if odd == 0:
                i += 8
                continue
            i += lowest_bit(odd) >> 3
        point, behind = decode(data, i)
        if kinds[point] & LINE_BREAK:
            if point == 0x0D and behind < end and data[behind] == _NEWLINE:
                behind += 1
            return i, behind
        i = behind
    return end, end


@leaf
def before(data, i):
    """The index of the character that ends just before i."""
    i -= 1
    while data[i] & 0xC0 == 0x80:
        i -= 1
    return i


@leaf
def strip(data, start, end, kinds):
    """The bounds of data[start:end] without white space at its ends."""
    while start < end:
        point, behind = decode(data, start)
        if not kinds[point] & SPACE:
            break
        start = behind
    while end > start:
        i = before(data, end)
        if not kinds[decode(data, i)[0]] & SPACE:
            break
        end = i
    return start, end


@leaf
def ends_with_ellipsis(data, start, end):
    """Whether data[start:end] ends in three dots or the character U+2026."""
    if end - start < 3:
        return False
    if data[end - 1] == _DOT:
        return data[end - 2] == _DOT and data[end - 3] == _DOT
    return data[end - 3] == 0xE2 and data[end - 2] == 0x80 and data[end - 1] == 0xA6


@leaf
def count_symbols(data, start, end):
    """The numbers of hash signs and of ellipses: three dots (not overlapping) or the character U+2026."""
    hashes = ellipses = 0
    counted = start
    for block in range(start, end, STEP):
        if block + STEP <= end:
            marks = uint32(symbol(data, block))
        else:
            marks = uint32(0)
            for k in range(block, end):
                found = data[k] == _HASH or data[k] == _DOT or data[k] == _LAST_OF_ELLIPSIS
                marks |= uint32(found) << uint32(k - block)
        while marks != 0:
            i = block + first_bit(marks)
            marks &= marks - uint32(1)
            if data[i] == _HASH:
                hashes += 1
            elif data[i] != _DOT:
                ellipses += i >= start + 2 and data[i - 1] == 0x80 and data[i - 2] == 0xE2
            elif i >= counted and i + 2 < end and data[i + 1] == _DOT and data[i + 2] == _DOT:
                ellipses += 1
                counted = i + 3
    return hashes, ellipses


@leaf
def count_marked_lines(data, start, end, kinds):
    """The numbers of lines, of lines that start with a bullet, and of lines that end in an ellipsis."""
    lines = bullets = ellipses = 0
    i = start
    while i < end:
        stop, following = line_end(data, i, end, kinds)
        lines += 1
        first, last = strip(data, i, stop, kinds)
        if first < last:
            bullets += data[first] == _MINUS or decode(data, first)[0] == _BULLET
            ellipses += ends_with_ellipsis(data, first, last)
        i = following
    return lines, bullets, ellipses


@kernel
def with_place(keys, lengths, count):
    """The arrays, grown if they have no index ``count``."""
    if count < keys.shape[0]:
        return keys, lengths
    wider_keys, wider_lengths = np.empty(2 * count + 64, np.uint64), np.empty(2 * count + 64, np.int64)
    wider_keys[:count] = keys[:count]
    wider_lengths[:count] = lengths[:count]
    return wider_keys, wider_lengths


@kernel
def split_at_newlines(data, start, end, newlines, keys, lengths):
    """Splits data[start:end] at each run of at least ``newlines`` newlines into pieces, which may be empty.

    Returns the number of pieces, and the arrays of their hashes and of their lengths in characters, which may have
    grown.
    """
    count = int64(0)
    piece = i = start
    while True:
        stop = find_byte(data, i, end, _NEWLINE)
        i = stop
        while i < end and data[i] == _NEWLINE:
            i += 1
        if stop < end and i - stop < newlines:
            continue
        keys, lengths = with_place(keys, lengths, count)
        keys[count] = hash_bytes(data, piece, stop)
        lengths[count] = count_characters(data, piece, stop)
        count += 1
        if stop == end:
            return count, keys, lengths
        piece = i


@kernel
def judge_lines(data, start, end, kinds, keys, lengths):
    """Counts over lines (ended by newlines) that are not blank.

    Returns the number of lines, of lines that end in terminal punctuation, of short lines and of newlines, and the
    arrays of the hashes and lengths in characters of the lines, which may have grown.
    """
    lines = int64(0)
    punctuated = short = newlines = 0
    i = start
    while i <= end:
        stop = find_byte(data, i, end, _NEWLINE)
        newlines += stop < end
        first, last = strip(data, i, stop, kinds)
        if first < last:
            keys, lengths = with_place(keys, lengths, lines)
            length = count_characters(data, i, stop)
            keys[lines] = hash_bytes(data, i, stop)
            lengths[lines] = length
            lines += 1
            short += length <= SHORT_LINE
            punctuated += kinds[decode(data, before(data, stop))[0]] & LINE_END != 0
        i = stop + 1
    return lines, punctuated, short, newlines, keys, lengths
