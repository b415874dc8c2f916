"""A strict scanner for the JSON lines that most corpora hold: flat objects, one a line.

It finds where the wanted values of each line stand and leaves every line that it is not sure of (`HARD`) to a full parser:
broken ones, keys with escapes, repeated keys, numbers of more than 18 digits, lone surrogates. It does not check UTF-8.
"""

from typing import TypeAlias

import numba
import numpy as np
import numpy.typing as npt

from curation.kernels.byte_masks import STEP, copy_json_special, first_bit, json_special

Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int64]

BLANK, EASY, HARD = 0, 1, 2
"""What a line is: nothing but white space, scanned, or to be parsed by others."""

ABSENT, NULL, STRING, ESCAPED, INTEGER, OTHER = 0, 1, 2, 3, 4, 5
"""What a value is: a string without and with escapes, an integer in canonical form of at most 18 digits, anything else."""

MAX_LEFT = 48
"""A line with more fields that no column takes is `HARD`."""

_QUOTE, _BACKSLASH, _SPACE, _COMMA, _COLON = 34, 92, 32, 44, 58
_OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = 123, 125, 91, 93


_jit = numba.njit(nogil=True, cache=True)
_inline = numba.njit(nogil=True, cache=True, inline="always")


@_inline
def _skip_space(buf: Bytes, i: int, end: int) -> int:
    while i < end and (buf[i] == _SPACE or buf[i] == 9 or buf[i] == 13):
        i += 1
    return i


@_jit
def _string_end(buf: Bytes, i: int, end: int) -> tuple[int, int]:
    """From behind the opening quote to the closing one: its position (or -1), and what escapes were met: 0 none, 1 those
    that canonical JSON uses, 2 others."""
    escapes = 0
    while i < end:
        if i + STEP <= end:
            found = json_special(buf, i)
            if not found:
                i += STEP
                continue
            i += first_bit(found)
        c = buf[i]
        if c == _QUOTE:
            return i, escapes
        if c == _BACKSLASH:
            if i + 1 >= end:
                return -1, escapes
            e = buf[i + 1]
            if e == 110 or e == _QUOTE or e == _BACKSLASH or e == 116 or e == 114 or e == 98 or e == 102:
                escapes |= 1
            elif e == 117 or e == 47:
                escapes = 2
            else:
                return -1, escapes
            i += 2
        elif c < 32:
            return -1, escapes
        else:
            i += 1
    return -1, escapes


@_jit
def _number_end(buf: Bytes, i: int, end: int) -> tuple[int, int]:
    """From the first character of a number to behind it, and its kind; the end is -1 where it has over 18 digits."""
    begin = i
    if buf[i] == 45:
        i += 1
    first = i
    while i < end and 48 <= buf[i] <= 57:
        i += 1
    digits = i - first
    plain = True
    while i < end and (48 <= buf[i] <= 57 or buf[i] == 46 or buf[i] == 101 or buf[i] == 69 or buf[i] == 43 or buf[i] == 45):
        plain = False
        i += 1
    if digits > 18 or i - begin > 40:
        return -1, OTHER
    if plain and digits > 0 and (buf[first] != 48 or (digits == 1 and first == begin)):
        return i, INTEGER
    return i, OTHER


@_jit
def _nested_end(buf: Bytes, i: int, end: int) -> int:
    """Behind the bracket that closes the one at ``i``; what stands between is not checked."""
    depth = 0
    while i < end:
        c = buf[i]
        if c == _QUOTE:
            i, _ = _string_end(buf, i + 1, end)
            if i < 0:
                return -1
        elif c == 10:
            return -1
        elif c == _OPEN or c == _OPEN_LIST:
            depth += 1
        elif c == _CLOSE or c == _CLOSE_LIST:
            depth -= 1
            if depth == 0:
                return i + 1
        i += 1
    return -1


@_inline
def _literal(buf: Bytes, i: int, end: int) -> int:
    """Length of true, false or null at ``i``, else 0."""
    if i + 4 <= end and buf[i] == 110 and buf[i + 1] == 117 and buf[i + 2] == 108 and buf[i + 3] == 108:
        return 4
    if i + 4 <= end and buf[i] == 116 and buf[i + 1] == 114 and buf[i + 2] == 117 and buf[i + 3] == 101:
        return 4
    if i + 5 <= end and buf[i] == 102 and buf[i + 1] == 97 and buf[i + 2] == 108 and buf[i + 3] == 115 and buf[i + 4] == 101:
        return 5
    return 0


@_jit
def _value_end(buf: Bytes, i: int, end: int) -> tuple[int, int, int]:
    """Behind the value at ``i`` (-1: not a value that is known here), its kind, and whether it is canonical JSON as it is."""
    c = buf[i]
    if c == _QUOTE:
        close, escapes = _string_end(buf, i + 1, end)
        return (close + 1 if close >= 0 else -1), (ESCAPED if escapes else STRING), int(escapes < 2)
    if c == 45 or 48 <= c <= 57:
        stop, kind = _number_end(buf, i, end)
        return stop, kind, int(kind == INTEGER)
    if c == _OPEN or c == _OPEN_LIST:
        return _nested_end(buf, i, end), OTHER, 0
    length = _literal(buf, i, end)
    return (i + length if length else -1), (NULL if c == 110 else OTHER), 1


@_inline
def _which_key(buf: Bytes, i: int, length: int, keys: Bytes, key_ends: Ints) -> int:
    """Index of the wanted key that stands at ``i``, or -1."""
    begin = 0
    for k in range(len(key_ends)):
        if key_ends[k] - begin == length:
            j = 0
            while j < length and keys[begin + j] == buf[i + j]:
                j += 1
            if j == length:
                return k
        begin = key_ends[k]
    return -1


@_jit
def _scan_object(
    buf: Bytes, i: int, end: int, keys: Bytes, key_ends: Ints, kinds: Bytes, begins: Ints, stops: Ints, left: Ints, total: int
) -> tuple[int, int, int]:
    """Scans the object whose brace stands at ``i``; returns EASY or HARD, the new length of ``left``, and a
    place on the line from which its end can be looked for."""
    first, start = total, i
    i = _skip_space(buf, i + 1, end)
    if i < end and buf[i] == _CLOSE:
        return HARD, first, start
    while i < end and buf[i] == _QUOTE:
        key = i + 1
        close, escapes = _string_end(buf, key, end)
        if close < 0 or escapes:
            return HARD, first, start
        i = _skip_space(buf, close + 1, end)
        if i >= end or buf[i] != _COLON:
            return HARD, first, start
        i = _skip_space(buf, i + 1, end)
        if i >= end:
            return HARD, first, start
        begin = i
        i, kind, canonical = _value_end(buf, begin, end)
        if i < 0:
            return HARD, first, start
        k = _which_key(buf, key, close - key, keys, key_ends)
        if k >= 0:
            if kinds[k] != ABSENT:
                return HARD, first, start
            kinds[k] = kind
            quoted = kind == STRING or kind == ESCAPED
            begins[k] = begin + 1 if quoted else begin
            stops[k] = i - 1 if quoted else i
        else:
            if total - first == MAX_LEFT or total == len(left):
                return HARD, first, start
            left[total, 0], left[total, 1], left[total, 2], left[total, 3] = key - 1, begin, i, canonical
            total += 1
        i = _skip_space(buf, i, end)
        if i < end and buf[i] == _COMMA:
            i = _skip_space(buf, i + 1, end)
        elif i < end and buf[i] == _CLOSE:
            i = _skip_space(buf, i + 1, end)
            return (EASY if i == end or buf[i] == 10 else HARD), total, i
        else:
            return HARD, first, start
    return HARD, first, start


@_jit
def scan_lines(
    buf: Bytes,
    keys: Bytes,
    key_ends: Ints,
    lines: Ints,
    states: Bytes,
    kinds: Bytes,
    begins: Ints,
    stops: Ints,
    left: Ints,
    left_ends: Ints,
) -> int:
    """Scans a block of whole lines; returns how many there are.

    For line n: ``lines[n]`` is its begin and end, ``states[n]`` one of BLANK, EASY, HARD; for each wanted key k
    ``kinds[n, k]``, ``begins[n, k]`` and ``stops[n, k]`` tell what its value is and where it stands, a string without its
    quotes; ``left[left_ends[n - 1]:left_ends[n]]`` holds the fields that no key wants: begin of the key, begin and end of
    the value, and 1 where the value is canonical JSON as it stands.
    """
    n = start = total = 0
    size = len(buf)
    while start < size:
        end = start
        i = _skip_space(buf, start, size)
        kinds[n, :] = ABSENT
        if i < size and buf[i] == _OPEN:
            states[n], total, i = _scan_object(
                buf, i, size, keys, key_ends, kinds[n], begins[n], stops[n], left, total
            )
            end = _line_end(buf, i, size)
        else:
            end = _line_end(buf, i, size)
            states[n] = BLANK if i == end else HARD
        lines[n, 0], lines[n, 1] = start, end
        left_ends[n] = total
        n += 1
        start = end + 1
    return n


@_jit
def _line_end(buf: Bytes, i: int, size: int) -> int:
    while i < size and buf[i] != 10:
        i += 1
    return i


@_inline
def _hex(c: int) -> int:
    if 48 <= c <= 57:
        return c - 48
    c |= 32
    if 97 <= c <= 102:
        return c - 87
    return -1


@_jit
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


@_jit
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


@_jit
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


@_jit
def gather(
    buf: Bytes, states: Bytes, kinds: Bytes, begins: Ints, stops: Ints, out: Bytes, ends: Ints, numbers: bool
) -> int:
    """Writes one column's strings of the EASY lines to ``out``, their ends to ``ends``; returns the length written.

    A line whose string cannot be unescaped becomes HARD and gets an empty string, as do those that are not EASY.
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


@_inline
def _key_order(buf: Bytes, a: int, b: int) -> int:
    """Negative, 0 or positive as the key that begins (behind its quote) at ``a`` sorts before, with or behind that at ``b``."""
    while buf[a] == buf[b] and buf[a] != _QUOTE:
        a += 1
        b += 1
    if buf[a] == _QUOTE or buf[b] == _QUOTE:
        return int(buf[b] == _QUOTE) - int(buf[a] == _QUOTE)
    return int(buf[a]) - int(buf[b])


@_jit
def _sort_fields(buf: Bytes, left: Ints, first: int, stop: int) -> bool:
    """Sorts the fields by key; False where two are equal."""
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


@_jit
def gather_left(buf: Bytes, states: Bytes, left: Ints, left_ends: Ints, out: Bytes, ends: Ints, undone: Bytes) -> int:
    """Writes the fields that no key wanted as canonical JSON objects to ``out``; returns the length written.

    Where a value is not canonical as it stands, or a key repeats, ``undone`` becomes 1 and nothing is written. ``out``
    must hold the block and two bytes for each line.
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


@_jit
def _copy_key(buf: Bytes, i: int, out: Bytes, o: int) -> int:
    """Copies a quoted key that has no escapes, and a colon."""
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
