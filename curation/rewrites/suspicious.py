"""Tables of characters that normalising may change: control characters, characters not in NFC, mojibake.

Mojibake is UTF-8 that was decoded in a single-byte encoding: it shows as pairs of characters that are rare otherwise.
Every text that `ftfy.badness.is_bad` finds bad contains a pair of `_PAIRS` (a test checks this), so ftfy can skip lines
without such a pair. The kernel `odd_characters` scans for the pairs.
"""

import re
import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np
from ftfy.badness import MOJIBAKE_CATEGORIES

from curation.kernels.odd_characters import (
    C1,
    CONTROL,
    LETTER_BIT,
    LIGATURE_BIT,
    NOT_NFC,
    PAIR_POINTS,
    SPACE_BIT,
    TABLE_POINTS,
    WORD_BIT,
    Bytes,
    Flags,
    Ints,
)

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
    ("upper_accented", "=°"),
    ("=ÂÃÎÐØÙ", "=€œŠš¢£Ÿž\xa0\xad®©°·»–—´µ common currency bad numeric start_punctuation end_punctuation"),
    ("=×à", "=²³µ¹¼½¾"),
    ("=√≈", "=±∂†≠®™´≤≥¥µø°¢"),
    ("=‚", "=Äâó"),
    ("=вГΒβā", "=ЂЃў€"),
)
"""Classes of the first and the second character: names of ftfy's categories, or characters after ``=``."""

_LIGATURE_PAIRS = ("=œŒ", "any")
"""Also bad before an ASCII character that is not a letter."""

_PAIRS_BEFORE_WORD = (_LETTERS, "start_punctuation end_punctuation")
"""Bad only before a letter or digit: closing quotes after an accented letter are common."""

_PAIRS_BEFORE_LETTER = ("=ВГРСΒΓΞΟ", "c1 bad start_punctuation end_punctuation currency =°µ")
"""Bad only between two letters of the first class."""

_BEFORE_SPACE = "=ÂÃ"
"""Bad before a space."""

_MENTIONED = "".join(map(chr, [*range(0x80, 0x2600), 0xF8FF, 0xFB01, 0xFB02, 0xFFFD]))
"""Code points that include all characters of ftfy's categories (a test checks this)."""


class Tables(NamedTuple):
    """Tables by code point: its kinds, and bits for the pairs of classes whose first or second character it can be."""

    kinds: Bytes
    first: Flags
    second: Flags


@cache
def tables() -> Tables:
    """The tables; made once (about 0.1 s), and only if a text is not ASCII."""
    first, second = np.zeros((2, PAIR_POINTS), np.uint32)
    more = {LIGATURE_BIT: _LIGATURE_PAIRS, WORD_BIT: _PAIRS_BEFORE_WORD, LETTER_BIT: _PAIRS_BEFORE_LETTER}
    for bit, (left, right) in [*enumerate(_PAIRS), *more.items()]:
        first[_points(left)] |= np.uint32(1 << bit)
        second[_points(right)] |= np.uint32(1 << bit)
    first[_points(_BEFORE_SPACE)] |= np.uint32(1 << SPACE_BIT)
    return Tables(_kinds(), first, second)


def _points(classes: str) -> Ints:
    """Code points (from U+0080 on) of the named classes."""
    if classes == "any":
        return np.arange(0x80, PAIR_POINTS)
    return np.concatenate([_class_points(name) for name in classes.split(" ")])


@cache
def _class_points(name: str) -> Ints:
    if name[0] == "=":
        return np.array([ord(character) for character in name[1:]], np.int64)
    members = re.compile(f"[{MOJIBAKE_CATEGORIES[name]}]")
    return np.array([ord(character) for character in members.findall(_MENTIONED)], np.int64)


def _kinds() -> Bytes:
    kinds = np.zeros(TABLE_POINTS, np.uint8)
    kinds[list(_CONTROLS)] = CONTROL
    kinds[0x80:0xA0] = C1
    for point in (*range(0x300, 0xD800), *range(0xE000, TABLE_POINTS)):
        character = chr(point)
        parts = unicodedata.decomposition(character)
        composed = unicodedata.is_normalized("NFC", character)
        if unicodedata.combining(character) or (parts and parts[0] != "<" and not composed):
            kinds[point] |= NOT_NFC
        if parts and parts[0] != "<" and " " in parts:
            kinds[int(parts.split()[1], 16)] |= NOT_NFC
    kinds[0x1161:0x1176] |= NOT_NFC
    kinds[0x11A8:0x11C3] |= NOT_NFC
    return kinds
