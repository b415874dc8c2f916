"""Writes the strings and fields that `json_scan` found: without escapes, with sorted keys."""

from typing import Any

import numpy as np

from curation.kernels.byte_masks import STEP, copy_json_special, first_bit
from curation.kernels.compiled import inline, kernel, leaf
from curation.kernels.json_scan import EASY, ESCAPED, HARD, INTEGER, STRING, Bytes, Ints

_QUOTE, _BACKSLASH, _COMMA, _COLON, _OPEN, _CLOSE = 34, 92, 44, 58, 123, 125


@inline
def _hex(c: int) -> int:
    if 48 <= c <= 57:
        return c - 48
    c |= 32
    if 97 <= c <= 102:
        return c - 87
    return -1


@leaf
def _code_unit(buf: Bytes, i: int, stop: int) -> int:
    """The four hex digits at ``i``, or -1."""
    if i + 4 > stop:
        return -1
    value = 0
    for j in range(i, i + 4):
        digit = _hex(buf[j])
        if digit < 0:
            return -1
        value = value * 16 + digit
    return value


@leaf
def _put_utf8(out: Bytes, o: int, code: int) -> int:
    if code < 0x80:
        out[o] = code
        return o + 1
    if code < 0x800:
        out[o] = 0xC0 | code >> 6
        out[o + 1] = 0x80 | code & 0x3F
        return o + 2
    if code < 0x10000:
        out[o] = 0xE0 | code >> 12
        out[o + 1] = 0x80 | code >> 6 & 0x3F
        out[o + 2] = 0x80 | code & 0x3F
        return o + 3
    out[o] = 0xF0 | code >> 18
    out[o + 1] = 0x80 | code >> 12 & 0x3F
    out[o + 2] = 0x80 | code >> 6 & 0x3F
    out[o + 3] = 0x80 | code & 0x3F
    return o + 4


@leaf
def unescape(buf: Bytes, i: int, stop: int, out: Bytes, o: int) -> int:
    """Writes the string at [i, stop) without its escapes to ``out`` from ``o`` on; returns the new end, or -1."""
    while i < stop:
        if i + STEP <= stop and o + STEP <= len(out):
            found = copy_json_special(buf, i, out, o)
            if not found:
                i += STEP
                o += STEP
                continue
            o += first_bit(found)
            i += first_bit(found)
        c = buf[i]
        if c != _BACKSLASH:
            out[o] = c
            o += 1
            i += 1
            continue
        e = buf[i + 1]
        i += 2
        if e == 110:
            out[o] = 10
        elif e == 116:
            out[o] = 9
        elif e == 114:
            out[o] = 13
        elif e == 98:
            out[o] = 8
        elif e == 102:
            out[o] = 12
        elif e != 117:
            out[o] = e
        else:
            code = _code_unit(buf, i, stop)
            i += 4
            if 0xD800 <= code < 0xDC00 and i + 6 <= stop and buf[i] == _BACKSLASH and buf[i + 1] == 117:
                low = _code_unit(buf, i + 2, stop)
                i += 6
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) if 0xDC00 <= low < 0xE000 else -1
            if code < 0 or 0xD800 <= code < 0xE000:
                return -1
            o = _put_utf8(out, o, code)
            continue
        o += 1
    return o


@kernel
def gather(
    buf: Bytes, states: Bytes, kinds: Bytes, begins: Ints, stops: Ints, out: Bytes, ends: Ints, numbers: bool
) -> int:
    """Writes the strings of a column in EASY lines to ``out``, and their ends to ``ends``; returns the length written.

    A line whose string cannot be unescaped becomes HARD. All lines that are not EASY get an empty string.
    """
    o = 0
    for n in range(len(states)):
        kind = kinds[n]
        if states[n] == EASY and (kind == STRING or (kind == INTEGER and numbers)):
            length = stops[n] - begins[n]
            out[o : o + length] = buf[begins[n] : stops[n]]
            o += length
        elif states[n] == EASY and kind == ESCAPED:
            stop = unescape(buf, begins[n], stops[n], out, o)
            if stop < 0:
                states[n] = HARD
            else:
                o = stop
        ends[n] = o
    return o


@inline
def _key_order(buf: Bytes, a: int, b: int) -> Any:
    """Compares the keys that begin (behind their quotes) at ``a`` and ``b``: negative, 0 or positive."""
    while buf[a] == buf[b] and buf[a] != _QUOTE:
        a += 1
        b += 1
    if buf[a] == _QUOTE or buf[b] == _QUOTE:
        return int(buf[b] == _QUOTE) - int(buf[a] == _QUOTE)
    return np.int64(buf[a]) - np.int64(buf[b])


@leaf
def _sort_fields(buf: Bytes, left: Ints, first: int, stop: int) -> bool:
    """Sorts the fields by key; False if two keys are equal."""
    for n in range(first + 1, stop):
        m = n
        while m > first:
            order = _key_order(buf, left[m - 1, 0] + 1, left[m, 0] + 1)
            if order == 0:
                return False
            if order < 0:
                break
            for c in range(4):
                left[m - 1, c], left[m, c] = left[m, c], left[m - 1, c]
            m -= 1
    return True


@kernel
def gather_left(buf: Bytes, states: Bytes, left: Ints, left_ends: Ints, out: Bytes, ends: Ints, undone: Bytes) -> int:
    """Writes the fields that are not wanted as canonical JSON objects to ``out``; returns the length written.

    If a value is not canonical or a key repeats, ``undone`` becomes 1 and nothing is written for the line. ``out`` must
    have room for the block and two bytes per line.
    """
    o = first = 0
    for n in range(len(states)):
        stop = left_ends[n]
        undone[n] = 0
        if states[n] == EASY:
            for m in range(first, stop):
                undone[n] |= left[m, 3] == 0
            if undone[n] == 0 and not _sort_fields(buf, left, first, stop):
                undone[n] = 1
            if undone[n] == 0:
                out[o] = _OPEN
                o += 1
                for m in range(first, stop):
                    if m > first:
                        out[o] = _COMMA
                        o += 1
                    o = _copy_key(buf, left[m, 0], out, o)
                    length = left[m, 2] - left[m, 1]
                    out[o : o + length] = buf[left[m, 1] : left[m, 2]]
                    o += length
                out[o] = _CLOSE
                o += 1
        ends[n] = o
        first = stop
    return o


@leaf
def _copy_key(buf: Bytes, i: int, out: Bytes, o: int) -> int:
    """Copies a quoted key without escapes, and a colon."""
    out[o] = _QUOTE
    o += 1
    i += 1
    while buf[i] != _QUOTE:
        out[o] = buf[i]
        o += 1
        i += 1
    out[o] = _QUOTE
    out[o + 1] = _COLON
    return o + 2
