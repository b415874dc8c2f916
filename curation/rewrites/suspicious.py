"""Compiled scans for what normalising may change: control characters, text that may not be NFC, mojibake.

Mojibake is UTF-8 that was read in a single-byte encoding: it shows as pairs of characters that hardly meet otherwise.
A pair of `_PAIRS` stands in every text that `ftfy.badness.is_bad` finds bad (a test holds the two together), so that a
line without one needs no ftfy, which reads 1 to 4 MB/s; the scan reads some 1,000 MB/s, and more of ASCII.
"""

import re
import unicodedata
from functools import cache
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from ftfy.badness import MOJIBAKE_CATEGORIES

from curation.kernels.byte_masks import STEP, copy_not_plain, first_bit, not_plain

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint32]

CONTROL, C1, NOT_NFC = 1, 2, 4
"""What a code point is: a control character or the like, one of U+0080 to U+009F, perhaps not NFC."""

_TABLE_POINTS = 0x20000
_PAIR_POINTS = 0x10000
_CONTROLS = (0x7F, *range(0x206A, 0x2070), 0xFEFF, *range(0xFFF9, 0xFFFD))
_LETTERS = "lower_accented upper_accented"
_SYMBOLS = "box start_punctuation end_punctuation currency numeric law"

_PAIRS = (
    (f"bad {_LETTERS} {_SYMBOLS}", "bad"),
    ("lower_common upper_common", "bad"),
    ("bad", f"{_LETTERS} {_SYMBOLS}"),
    ("lower_accented lower_common box end_punctuation currency numeric", "upper_accented"),
    ("box end_punctuation currency numeric", "lower_accented"),
    ("lower_accented upper_accented box end_punctuation", "currency"),
    ("upper_accented box", "numeric law"),
    ("start_punctuation", "numeric"),
    ("end_punctuation", "start_punctuation"),
    ("upper_accented currency numeric box", "start_punctuation"),
    ("box", "kaomoji end_punctuation"),
    (f"{_LETTERS} currency numeric start_punctuation end_punctuation law", "box"),
    ("=œŒ", "any"),
    ("upper_accented", "=°"),
    ("=ÂÃÎÐØÙ", "=€œŠš¢£Ÿž\xa0\xad®©°·»–—´µ common currency bad numeric start_punctuation end_punctuation"),
    ("=×à", "=²³µ¹¼½¾"),
    ("=√≈", "=±∂†≠®™´≤≥¥µø°¢"),
    ("=‚", "=Äâó"),
    ("=вГΒβā", "=ЂЃў€"),
)
"""Classes of the first and the second character: names of ftfy's categories, or characters behind a ``=``."""

_PAIRS_BEFORE_WORD = ((_LETTERS, "start_punctuation end_punctuation"),)
"""Bad only where a letter or digit follows: closing quotes behind an accented letter are common."""

_PAIRS_BEFORE_LETTER = (("=ВГРСΒΓΞΟ", "c1 bad start_punctuation end_punctuation currency =°µ"),)
"""Bad only between two letters of the first class."""

_BEFORE_SPACE = "=ÂÃ"
"""Bad before a space."""

_MENTIONED = "".join(map(chr, [*range(0x80, 0x2600), 0xF8FF, 0xFB01, 0xFB02, 0xFFFD]))
"""All that ftfy's categories mention lies among these code points (a test holds the two together)."""

_jit = numba.njit(nogil=True, cache=True)


class Tables(NamedTuple):
    """By code point: what it is, and for each pair of classes a bit in ``first`` and ``second``."""

    kinds: Bytes
    first: Flags
    second: Flags


_WORD_BIT, _LETTER_BIT, _SPACE_BIT = 29, 30, 31


@cache
def tables() -> Tables:
    """The tables; made once (about 0.1 s), and only for text that is not ASCII."""
    first, second = np.zeros((2, _PAIR_POINTS), np.uint32)
    rules = [*enumerate(_PAIRS), (_WORD_BIT, _PAIRS_BEFORE_WORD[0]), (_LETTER_BIT, _PAIRS_BEFORE_LETTER[0])]
    for bit, (left, right) in rules:
        first[_points(left)] |= np.uint32(1 << bit)
        second[_points(right)] |= np.uint32(1 << bit)
    first[_points(_BEFORE_SPACE)] |= np.uint32(1 << _SPACE_BIT)
    return Tables(_kinds(), first, second)


def _points(classes: str) -> Ints:
    """Code points from U+0080 on of some classes."""
    if classes == "any":
        return np.arange(0x80, _PAIR_POINTS)
    return np.concatenate([_class_points(name) for name in classes.split(" ")])


@cache
def _class_points(name: str) -> Ints:
    if name[0] == "=":
        return np.array([ord(one) for one in name[1:]], np.int64)
    members = re.compile(f"[{MOJIBAKE_CATEGORIES[name]}]")
    return np.array([ord(one) for one in members.findall(_MENTIONED)], np.int64)


def _kinds() -> Bytes:
    kinds = np.zeros(_TABLE_POINTS, np.uint8)
    kinds[list(_CONTROLS)] = CONTROL
    kinds[0x80:0xA0] = C1
    for point in (*range(0x300, 0xD800), *range(0xE000, _TABLE_POINTS)):
        one = chr(point)
        parts = unicodedata.decomposition(one)
        if unicodedata.combining(one) or (parts and parts[0] != "<" and not unicodedata.is_normalized("NFC", one)):
            kinds[point] |= NOT_NFC
        if parts and parts[0] != "<" and " " in parts:
            kinds[int(parts.split()[1], 16)] |= NOT_NFC
    kinds[0x1161:0x1176] |= NOT_NFC
    kinds[0x11A8:0x11C3] |= NOT_NFC
    return kinds


@_jit
def _decode(data: Bytes, i: int) -> Any:
    """The code point whose UTF-8 begins at ``i`` and where the next one begins."""
    byte = np.int64(data[i])
    if byte < 0x80:
        return byte, i + 1
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | (data[i + 1] & 0x3F), i + 2
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | (data[i + 1] & 0x3F) << 6 | (data[i + 2] & 0x3F), i + 3
    low = (data[i + 1] & 0x3F) << 12 | (data[i + 2] & 0x3F) << 6 | (data[i + 3] & 0x3F)
    return (byte & 0x07) << 18 | low, i + 4


@_jit
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


@_jit
def _is_word(byte: int) -> bool:
    return byte >= 128 or 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 or byte == 95


@_jit
def _bad_pair(shared: int, data: Bytes, i: int, end: int) -> bool:
    """Whether a pair of the classes ``shared`` is suspicious before what follows at ``i``."""
    if shared & ~np.uint32(1 << _WORD_BIT | 1 << _LETTER_BIT):
        return True
    if i >= end:
        return False
    if shared & np.uint32(1 << _WORD_BIT) and _is_word(data[i]):
        return True
    return bool(shared & np.uint32(1 << _LETTER_BIT)) and bool(data[i] >= 128)


@_jit
def scan(data: Bytes, ends: Ints, kinds: Bytes, first: Flags, second: Flags, flags: Bytes, hits: Ints) -> int:
    """Scans rows ``data[ends[n]:ends[n + 1]]``: sets ``flags[n]`` to the kinds of its code points, and writes to
    ``hits`` the row and the place of one suspicious pair or character for each line that has some.

    Returns the number of hits, of which no more than fit are written.
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
            point, after = _decode(data, i)
            if point < 0x80:
                if (point < 32 and point != 9 and point != 10) or point == 127:
                    flag |= CONTROL
                before = 0
                i = after
                continue
            kind = kinds[point] if point < _TABLE_POINTS else NOT_NFC
            flag |= kind
            bad = kind & C1
            here = first[point] if point < _PAIR_POINTS else 0
            if i >= quiet and not bad:
                shared = before & (second[point] if point < _PAIR_POINTS else 0)
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


@_jit
def _bad_before_ascii(classes: int, byte: int) -> bool:
    """Whether a character of these classes is suspicious before this ASCII byte."""
    if classes & np.uint32(1 << _SPACE_BIT) and byte == 32:
        return True
    letter = 65 <= byte <= 90 or 97 <= byte <= 122
    return bool(classes & np.uint32(1 << _LIGATURE_BIT)) and not letter


_LIGATURE_BIT = next(bit for bit, (left, _) in enumerate(_PAIRS) if left == "=œŒ")


@_jit
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
            point, after = _decode(data, i)
            if point == 13 and after < end and data[after] == 10:
                after += 1
            if 11 <= point <= 13:
                out[o] = 10
                o += 1
            elif (point >= 32 or point == 9 or point == 10) and (point >= _TABLE_POINTS or not kinds[point] & which):
                while i < after:
                    out[o] = data[i]
                    o += 1
                    i += 1
            i = after
        out_ends[n + 1] = o
    return o


@_jit
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
