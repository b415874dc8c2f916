"""Cuts a run of characters without white space into words: prefixes, suffixes, infixes, urls and special texts.

The rules are those of spaCy's English tokeniser, expressed with character classes. A chunk is an int64 matrix with a
column for each character and the rows `AT` to `SPARE`. Ranges are indices of its columns, the end not included.
"""

import numpy as np

from curation.kernels.compiled import inline, inner, kernel, leaf
from curation.kernels.hashing import hash_bytes
from curation.kernels.unicode import decode
from curation.kernels.word_classes import (
    ALPHA,
    BEFORE_DOT,
    DIGIT,
    ICON,
    LETTER,
    LOWER,
    PREFIX,
    QUOTE,
    SPACE,
    SUFFIX,
    UPPER,
)

SLOTS = 8192
"""Slots of the table of special texts."""
LONGEST_SPECIAL = 31
"""Maximum length of a special text in bytes."""
WORDS_BITS, UNIT, STOP_SHIFT, MERGED_SHIFT, PIECES_SHIFT = 7, 8, 4, 8, 16
"""Bits and shifts of the second number in `WordTables.specials`."""

AT, POINT, KIND, CUT, SPARE, _OLD = range(6)
"""Rows of a chunk: the start of each character in ``data`` (with one more entry for the end), its code point, its
flags; the start of each word (with one more entry for the end); scratch space."""
CHUNK_ROWS = 6
LONGEST_CHUNK = 1_000_000
"""A longer run without white space is cut as if it were several runs. spaCy refuses longer texts."""

_DOT, _PLUS, _MINUS, _DOLLAR, _COMMA, _SLASH, _COLON, _AT = 0x2E, 0x2B, 0x2D, 0x24, 0x2C, 0x2F, 0x3A, 0x40
_EN_DASH, _EM_DASH, _TILDE, _STAR, _CARET, _ELLIPSIS = 0x2013, 0x2014, 0x7E, 0x2A, 0x5E, 0x2026
_S, _CAPITAL_S, _APOSTROPHE, _CURLY = 0x73, 0x53, 0x27, 0x2019
_A, _C, _U, _DEGREE = 0x41, 0x43, 0x55, 0xB0
_LONGEST_UNIT = 6
_LONGEST_MERGE = 12
"""Maximum number of words that the other rules make of a special text."""


@inline
def find_special(key, tags, specials):
    """The table's value for a text, by its hash (see `word_tables.py`), or 0."""
    slot = np.int64(key & np.uint64(SLOTS - 1))
    while tags[slot] != 0:
        if specials[slot, 0] == key:
            return np.int64(specials[slot, 1])
        slot = (slot + 1) & (SLOTS - 1)
    return np.int64(0)


@inner
def _special(data, chunk, first, last, tags, specials):
    """The table's value for the special text at this range, or 0."""
    if first >= last or chunk[AT, last] - chunk[AT, first] > LONGEST_SPECIAL:
        return 0
    value = find_special(hash_bytes(data, chunk[AT, first], chunk[AT, last]), tags, specials)
    return value if value & WORDS_BITS else 0


@inner
def _prefix(chunk, first, last):
    """The length of the prefix to split from this range, or 0."""
    point = chunk[POINT, first]
    left = last - first
    if chunk[KIND, first] & PREFIX:
        return 0 if point == _PLUS and left > 1 and chunk[KIND, first + 1] & DIGIT else 1
    if point == _DOT:
        dots = 1
        while dots < left and chunk[POINT, first + dots] == _DOT:
            dots += 1
        return dots if dots > 1 else 0
    if left > 1 and chunk[POINT, first + 1] == _DOLLAR and (point in (_C, _A)):
        return 2
    if left > 2 and point == _U and chunk[POINT, first + 1] == _CAPITAL_S and chunk[POINT, first + 2] == _DOLLAR:
        return 3
    return 0


@inline
def _is_scale(point):
    """Whether a capital letter is the symbol of a temperature scale: C, F or K."""
    return point == _C or point == 0x46 or point == 0x4B


@inner
def _suffix(data, chunk, first, last, tags, specials):
    """The length of the suffix to split from this range, or 0."""
    if first >= last:
        return 0
    left = last - first
    point = chunk[POINT, last - 1]
    before = chunk[KIND, last - 2] if left > 1 else 0
    if point == _DOT:
        dots = 1
        while dots < left and chunk[POINT, last - 1 - dots] == _DOT:
            dots += 1
        if dots > 1:
            return dots
        if before & BEFORE_DOT or (left > 2 and before & UPPER and chunk[KIND, last - 3] & UPPER):
            return 1
        return 1 if left > 2 and chunk[POINT, last - 3] == _DEGREE and _is_scale(chunk[POINT, last - 2]) else 0
    if left > 1 and (point in (_S, _CAPITAL_S)):
        mark = chunk[POINT, last - 2]
        if mark in (_APOSTROPHE, _CURLY):
            return 2
    if point == _ELLIPSIS and left > 1 and chunk[POINT, last - 2] == _ELLIPSIS:
        return 2
    if point == _PLUS:
        return 1 if before & DIGIT else 0
    start = last - 1
    while start > first and last - start < _LONGEST_UNIT and not chunk[KIND, start - 1] & DIGIT:
        start -= 1
    behind_digit = start > first and chunk[KIND, start - 1] & DIGIT and not chunk[KIND, last - 1] & DIGIT
    if behind_digit and find_special(hash_bytes(data, chunk[AT, start], chunk[AT, last]), tags, specials) & UNIT:
        return last - start
    return 1 if chunk[KIND, last - 1] & SUFFIX else 0


@inner
def _infix(chunk, i, first, last):
    """The length of the infix at i in this range, or 0."""
    point = chunk[POINT, i]
    if chunk[KIND, i] & ICON:
        return 1
    if point == _DOT and i + 1 < last and chunk[POINT, i + 1] == _DOT:
        end = i + 2
        while end < last and chunk[POINT, end] == _DOT:
            end += 1
        return end - i
    if i == first or i + 1 >= last:
        return 0
    before, behind = chunk[KIND, i - 1], chunk[KIND, i + 1]
    if point == _DOT:
        return 1 if before & (LOWER | QUOTE) and behind & (UPPER | QUOTE) else 0
    if point in (_PLUS, _MINUS, _STAR, _CARET) and before & DIGIT and (behind & DIGIT or chunk[POINT, i + 1] == _MINUS):
        return 1
    if point == _COMMA:
        return 1 if before & ALPHA and behind & ALPHA else 0
    if not before & (ALPHA | DIGIT):
        return 0
    if point in (_MINUS, _EM_DASH):
        end = i + 1
        most = i + 3 if point == _MINUS else i + 2
        while end < last and end < most and chunk[POINT, end] == point:
            end += 1
        return end - i if end < last and chunk[KIND, end] & ALPHA else 0
    if point in (_EN_DASH, _TILDE, _COLON, _SLASH) or 60 <= point <= 62:
        return 1 if behind & ALPHA else 0
    return 0


@inline
def _in_label(point):
    """Whether a character may start or end a label of a host name."""
    return 0x30 <= point <= 0x39 or 0x41 <= point <= 0x5A or 0x61 <= point <= 0x7A or 0xA1 <= point <= 0xFFFF


@leaf
def _after_host(chunk, i, last):
    """Whether an optional port, and then a path or nothing, follows a host at i."""
    if i < last and chunk[POINT, i] == _COLON:
        digits = 0
        i += 1
        while i < last and chunk[KIND, i] & DIGIT:
            digits += 1
            i += 1
        if digits < 2 or digits > 5:
            return False
    return i == last or chunk[POINT, i] == _SLASH or chunk[POINT, i] == 0x3F or chunk[POINT, i] == 0x23


@leaf
def _is_host(chunk, i, last):
    """Whether host.domain.tld is at i, with an optional port and path."""
    labels = 0
    while True:
        start = i
        lower = True
        while i < last and (_in_label(chunk[POINT, i]) or chunk[POINT, i] == 0x5F or chunk[POINT, i] == _MINUS):
            lower = lower and chunk[KIND, i] & LOWER != 0
            i += 1
        if i < last and chunk[POINT, i] == _DOT:
            if i == start or i - start > 64 or not _in_label(chunk[POINT, start]) or not _in_label(chunk[POINT, i - 1]):
                return False
            labels += 1
            i += 1
            continue
        return labels > 0 and lower and 2 <= i - start <= 63 and _after_host(chunk, i, last)


@leaf
def _is_address(chunk, i, last):
    """Whether a public IP address in dotted notation is at i, with an optional port and path."""
    first = second = part = 0
    for k in range(4):
        start = i
        part = 0
        while i < last and i - start < 3 and chunk[KIND, i] & DIGIT:
            part = part * 10 + chunk[POINT, i] - 0x30
            i += 1
        if i == start or part > 255 or (chunk[POINT, start] == 0x30 and k in (0, 3)):
            return False
        if k == 0:
            first = part
        elif k == 1:
            second = part
        if k < 3:
            if i >= last or chunk[POINT, i] != _DOT:
                return False
            i += 1
    if first < 1 or first > 223 or first == 10 or first == 127 or part < 1 or part > 254:
        return False
    if (first == 169 and second == 254) or (first == 192 and second == 168) or (first == 172 and 16 <= second <= 31):
        return False
    return _after_host(chunk, i, last)


@leaf
def _is_url(chunk, first, last):
    """Whether the whole range is a url: optional scheme, optional user, host or address, optional port and path."""
    dots = 0
    for i in range(first, last):
        dots += chunk[POINT, i] == _DOT
    if dots == 0:
        return False
    in_scheme = True
    for i in range(first, last - 1):
        point = chunk[POINT, i]
        start = first if i == first else -1
        if i > first and point == _AT:
            start = i + 1
        elif in_scheme and i - first >= 2 and i + 3 < last and point == _COLON:
            slashes = chunk[POINT, i + 1] == _SLASH and chunk[POINT, i + 2] == _SLASH
            start = i + 3 if slashes else -1
        if start >= 0 and (_is_host(chunk, start, last) or _is_address(chunk, start, last)):
            return True
        in_scheme = in_scheme and (chunk[KIND, i] & (LETTER | DIGIT) != 0 or point in (0x5F, _PLUS, _MINUS, _DOT))
    return False


@inner
def _cut_inside(chunk, first, last, count):
    """Cuts a range at its infixes, unless it is a url."""
    chunk[CUT, count] = first
    i = first
    found = 0
    while i < last:
        length = _infix(chunk, i, first, last)
        if length == 0:
            i += 1
            continue
        if i > first:
            if found == 0 and _is_url(chunk, first, last):
                break
            if i > chunk[CUT, count + found]:
                found += 1
                chunk[CUT, count + found] = i
            if i + length < last:
                found += 1
                chunk[CUT, count + found] = i + length
        i += length
    return count + found + 1


@inner
def _cut_special(chunk, value, first, count):
    """Cuts a special text that starts at ``first`` into its words."""
    for k in range(value & WORDS_BITS):
        chunk[CUT, count] = first
        count += 1
        first += (value >> (PIECES_SHIFT + 8 * k)) & 0xFF
    return count


@leaf
def cut_chunk(data, chunk, size, tags, specials):
    """Cuts a chunk of ``size`` characters into words.

    Word k is characters chunk[CUT, k] to chunk[CUT, k + 1]; returns their number.
    """
    count = tails = first = np.int64(0)
    last = size
    value = _special(data, chunk, first, last, tags, specials)
    while first < last and value == 0:
        head = _prefix(chunk, first, last)
        if head:
            value = _special(data, chunk, first + head, last, tags, specials)
            if value:
                chunk[CUT, count] = first
                count += 1
                first += head
                break
        tail = _suffix(data, chunk, first + head, last, tags, specials)
        if tail:
            value = _special(data, chunk, first, last - tail, tags, specials)
            if value:
                chunk[SPARE, tails] = last - tail
                tails += 1
                last -= tail
                break
        if head:
            chunk[CUT, count] = first
            count += 1
            first += head
        if tail:
            chunk[SPARE, tails] = last - tail
            tails += 1
            last -= tail
        if not head and not tail:
            break
        value = _special(data, chunk, first, last, tags, specials)
    if value:
        count = _cut_special(chunk, value, first, count)
    elif first < last:
        count = _cut_inside(chunk, first, last, count)
    for k in range(tails - 1, -1, -1):
        chunk[CUT, count] = chunk[SPARE, k]
        count += 1
    chunk[CUT, count] = size
    return _merge(data, chunk, count, tags, specials) if count > 1 else count


@leaf
def _merge(data, chunk, count, tags, specials):
    """Joins neighbouring words that form a special text, longest matches first; returns the number of words.

    A match that overlaps a better match is ignored. (In spaCy 3.8 it still prevents later matches, in ":-(:)".) In row
    `SPARE`, 0 marks an unchanged word, a value of the table the first word of a match, and -1 its further words.
    """
    for k in range(count):
        chunk[SPARE, k] = 0
    joined = False
    for width in range(min(count, _LONGEST_MERGE), 1, -1):
        for k in range(count - width + 1):
            start, end = chunk[AT, chunk[CUT, k]], chunk[AT, chunk[CUT, k + width]]
            if chunk[SPARE, k] != 0 or chunk[SPARE, k + width - 1] != 0 or end - start > LONGEST_SPECIAL:
                continue
            value = find_special(hash_bytes(data, start, end), tags, specials)
            if (value >> MERGED_SHIFT) & 0xFF == width:
                joined = True
                chunk[SPARE, k] = value
                for other in range(k + 1, k + width):
                    chunk[SPARE, other] = -1
    if not joined:
        return count
    return _rewrite(chunk, count)


@leaf
def _rewrite(chunk, count):
    """Cuts the words that `_merge` joined again."""
    for k in range(count + 1):
        chunk[_OLD, k] = chunk[CUT, k]
    new = np.int64(0)
    for k in range(count):
        if chunk[SPARE, k] == 0:
            chunk[CUT, new] = chunk[_OLD, k]
            new += 1
        elif chunk[SPARE, k] > 0:
            new = _cut_special(chunk, chunk[SPARE, k], chunk[_OLD, k], new)
    chunk[CUT, new] = chunk[_OLD, count]
    return new


@leaf
def read_chunk(data, i, end, kinds, chunk):
    """Reads characters from data[i] up to white space into the chunk's arrays.

    Returns their number, or -1 if the arrays are too short, and the index of the first unread byte.
    """
    size = 0
    room = chunk.shape[1] - 2
    while i < end:
        point, behind = decode(data, i)
        kind = kinds[point]
        if kind & SPACE or size >= LONGEST_CHUNK:
            break
        if size >= room:
            return -1, i
        chunk[AT, size] = i
        chunk[POINT, size] = point
        chunk[KIND, size] = kind
        size += 1
        i = behind
    chunk[AT, size] = i
    return size, i


@kernel
def cut_texts(data, offsets, kinds, tags, specials, out):
    """Fills ``out`` with the number of words of each text; the texts are short and without white space."""
    chunk = np.empty((CHUNK_ROWS, 128), np.int64)
    for d in range(offsets.shape[0] - 1):
        size, _ = read_chunk(data, offsets[d], offsets[d + 1], kinds, chunk)
        out[d] = cut_chunk(data, chunk, size, tags, specials)
