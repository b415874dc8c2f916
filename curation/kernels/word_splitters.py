"""Splits texts into words by several definitions; the result is where the words of a column begin and end.

`words.py` splits and describes English words in one pass, for the default signals. Here splitting is apart from
measuring (`measures.py`), so that words from any other source, such as a library for one language, can be measured.
"""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import int64

from curation.kernels import word_breaks as wb
from curation.kernels.affixes import CHUNK_ROWS
from curation.kernels.buffers import text_buffers
from curation.kernels.compiled import inline, inner, kernel, leaf
from curation.kernels.hashing import load_part
from curation.kernels.memory import load64, lowest_bit
from curation.kernels.unicode import decode
from curation.kernels.word_tables import word_tables
from curation.kernels.words import CHUNK_ROOM, LENGTH_SHIFT, letters_at_start, split_words

WordKind = Literal[
    "spacy_en", "white_space", "fasttext", "uax29", "uax29_marks", "alphanumeric", "ascii_runs", "characters"
]
"""What a word is:

- ``spacy_en``: as in spaCy's English tokeniser; marks of punctuation are words;
- ``white_space``: all between white space, as in `str.split`;
- ``fasttext``: all between white space of ASCII or null characters, if it begins with a letter or a digit;
- ``uax29``: what lies between Unicode's word boundaries (UAX 29) and holds a letter or a digit;
- ``uax29_marks``: the same, and marks of punctuation and other symbols: all but white space;
- ``alphanumeric``: as ``uax29``, but a word begins with a letter or a digit;
- ``ascii_runs``: runs of letters and digits in a text of ASCII alone, ``uax29`` in any other text;
- ``characters``: each character that is not white space.
"""
_WHITE_SPACE, _FASTTEXT, _UAX29, _MARKS, _ALPHANUMERIC, _RUNS, _CHARACTERS = range(1, 8)
_NUMBERS = {
    "white_space": _WHITE_SPACE,
    "fasttext": _FASTTEXT,
    "uax29": _UAX29,
    "uax29_marks": _MARKS,
    "alphanumeric": _ALPHANUMERIC,
    "ascii_runs": _RUNS,
    "characters": _CHARACTERS,
}
_HIGH_BITS = np.uint64(0x8080808080808080)
_ABOVE_SPACE = np.uint64(0x2121212121212121)
_ROOM = 1024
_OTHER, _CR, _LF, _NEWLINE, _EXTEND, _FORMAT, _ZWJ = wb.OTHER, wb.CR, wb.LF, wb.NEWLINE, wb.EXTEND, wb.FORMAT, wb.ZWJ
_KATAKANA, _HEBREW, _LETTER, _NUMERIC, _CONNECTOR = wb.KATAKANA, wb.HEBREW, wb.LETTER, wb.NUMERIC, wb.EXTEND_NUM_LET
_QUOTE, _DOUBLE_QUOTE, _MID_BOTH = wb.SINGLE_QUOTE, wb.DOUBLE_QUOTE, wb.MID_NUM_LET
_MID_LETTER, _MID_NUMBER, _REGIONAL, _SPACE = wb.MID_LETTER, wb.MID_NUM, wb.REGIONAL, wb.SPACE
_AFTER_LETTERS = sum(1 << kind for kind in (_OTHER, _CR, _LF, _NEWLINE, _DOUBLE_QUOTE, _MID_NUMBER, _SPACE))
"""The classes, one bit for each, before which a word of letters ends."""
_ALONE = sum(1 << kind for kind in (_OTHER, _LF, _NEWLINE, _QUOTE, _DOUBLE_QUOTE, _MID_BOTH, _MID_LETTER))
_ALONE |= 1 << _MID_NUMBER | 1 << _SPACE
"""The classes after which there is a boundary before any character of ASCII but a space."""
_CLASS, _PICTOGRAPHIC, _ALNUM, _WHITE = wb.CLASS, wb.PICTOGRAPHIC, wb.ALPHANUMERIC, wb.WHITE


class Words(NamedTuple):
    """The words of the texts of a column, in order, without overlap.

    Text i has the words ``firsts[i]`` to ``firsts[i + 1]``; word k is ``data[starts[k]:ends[k]]``, where data are the
    bytes of `text_buffers`.
    """

    firsts: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


@inline
def _is_letter(kind):
    return kind in (_LETTER, _HEBREW)


@inline
def _is_ignored(kind):
    """Whether a class is passed over after another character (WB4)."""
    return kind in (_EXTEND, _FORMAT, _ZWJ)


@leaf
def _class_after(data, i, end, breaks):
    """The class of the first character from i on that is not passed over."""
    while i < end:
        point, i = decode(data, i)
        kind = breaks[point] & _CLASS
        if not _is_ignored(kind):
            return kind
    return _OTHER


@leaf
def _joins(before, last, kind, following, regionals):
    """Whether there is no boundary between a character of class ``last`` and one of class ``kind`` (WB5 to WB16).

    ``before`` is the class before last, ``following`` the class after kind, ``regionals`` the number of regional
    indicators in the word. The classes are those of characters that are not passed over.
    """
    if _is_letter(kind):
        if _is_letter(last) or last in (_NUMERIC, _CONNECTOR):
            return True
        if last in (_MID_LETTER, _MID_BOTH, _QUOTE):
            return _is_letter(before)
        return last == _DOUBLE_QUOTE and kind == _HEBREW and before == _HEBREW
    if kind == _NUMERIC:
        if _is_letter(last) or last in (_NUMERIC, _CONNECTOR):
            return True
        return before == _NUMERIC and (last in (_MID_NUMBER, _MID_BOTH, _QUOTE))
    if kind in (_QUOTE, _MID_BOTH):
        if kind == _QUOTE and last == _HEBREW:
            return True
        return (_is_letter(last) and _is_letter(following)) or (last == _NUMERIC and following == _NUMERIC)
    if kind == _MID_LETTER:
        return _is_letter(last) and _is_letter(following)
    if kind == _MID_NUMBER:
        return last == _NUMERIC and following == _NUMERIC
    if kind == _DOUBLE_QUOTE:
        return last == _HEBREW and following == _HEBREW
    if kind == _CONNECTOR:
        return _is_letter(last) or last in (_NUMERIC, _KATAKANA, _CONNECTOR)
    if kind == _KATAKANA:
        return last in (_KATAKANA, _CONNECTOR)
    return kind == _REGIONAL and last == _REGIONAL and regionals % 2 == 1


@leaf
def _boundary(data, i, end, breaks):
    """The word boundary after i (which is one itself), and the flags of any character between them."""
    point, j = decode(data, i)
    flags = breaks[point]
    every = flags
    last = int64(flags & _CLASS)
    if last == _CR and j < end and data[j] == 0x0A:
        return j + 1, flags, every
    if last in (_CR, _LF, _NEWLINE):
        return j, flags, every
    previous, before = last, int64(_OTHER)
    regionals = int64(last == _REGIONAL)
    while j < end:
        if previous == _LETTER and j + 8 <= end:
            letters = letters_at_start(load64(data, j))
            if letters:
                j += letters
                before, last = int64(_LETTER), int64(_LETTER)
                continue
        point, behind = decode(data, j)
        flag = breaks[point]
        kind = int64(flag & _CLASS)
        if kind == _OTHER and not flag & _PICTOGRAPHIC:
            break
        if previous == _ZWJ and flag & _PICTOGRAPHIC:
            before, last = last, kind
        elif previous == _SPACE and kind == _SPACE:
            pass
        elif kind in (_CR, _LF, _NEWLINE):
            break
        elif not _is_ignored(kind):
            following = int64(_OTHER)
            if kind >= _QUOTE and kind <= _MID_NUMBER:
                following = _class_after(data, behind, end, breaks)
            if not _joins(before, last, kind, following, regionals):
                break
            before, last = last, kind
            regionals += kind == _REGIONAL
        previous = kind
        flags |= flag
        every &= flag
        j = behind
    return j, flags, every


@inline
def _separates(byte):
    """Whether fastText ends a word at a byte."""
    return byte <= 0x20 and (byte == 0x20 or byte == 0 or 0x09 <= byte <= 0x0D)


@leaf
def _visible_end(data, i, end):
    """The first byte from i on that is not visible ASCII (white space, control or part of another character)."""
    while i < end:
        word = load_part(data, i, end - i)
        odd = ((word - _ABOVE_SPACE) | word) & _HIGH_BITS
        if odd:
            return min(i + (lowest_bit(odd) >> 3), end)
        i += 8
    return end


@leaf
def _quick_boundary(data, i, end, breaks):
    """The word boundary after i if a few bytes of ASCII tell it, else i."""
    j = i
    letters = 8
    while letters == 8 and j < end:
        letters = letters_at_start(load_part(data, j, end - j))
        j += letters
    if j > i:
        ends = j == end or (data[j] < 0x80 and (1 << int64(breaks[data[j]] & _CLASS)) & _AFTER_LETTERS)
        return j if ends else i
    behind = i + 1
    if data[i] >= 0x80 or behind >= end or data[behind] >= 0x80 or data[behind] == 0x20 or data[behind] == 0x0A:
        return i
    return behind if (1 << int64(breaks[data[i]] & _CLASS)) & _ALONE else i


@leaf
def _white_space_word(data, i, end, breaks):
    """The bounds of the first word between white space from i on."""
    while i < end:
        if data[i] >= 0x80 or breaks[data[i]] & _WHITE:
            point, behind = decode(data, i)
            if not breaks[point] & _WHITE:
                break
            i = behind
        else:
            break
    start = i
    while i < end:
        i = _visible_end(data, i, end)
        if i == end:
            break
        point, behind = decode(data, i)
        if breaks[point] & _WHITE:
            break
        i = behind
    return start, i


@leaf
def _fasttext_word(data, i, end, breaks):
    """The bounds of the first word from i on that fastText finds and that begins with a letter or a digit."""
    while i < end:
        while i < end and _separates(data[i]):
            i += 1
        start = i
        while i < end and not _separates(data[i]):
            i = max(_visible_end(data, i, end), i + 1) if not _separates(data[i]) else i
            while i < end and data[i] >= 0x80:
                i += 1
        if i > start and breaks[decode(data, start)[0]] & _ALNUM:
            return start, i
    return end, end


@leaf
def _unicode_word(data, i, end, kind, breaks):
    """The bounds of the first word of UAX 29 from i on, of one of three kinds."""
    while i < end:
        start = i
        i = _quick_boundary(data, start, end, breaks)
        if i > start:
            flags = breaks[data[start]]
            if flags & _ALNUM or (kind == _MARKS and not flags & _WHITE):
                return start, i
            continue
        i, flags, every = _boundary(data, start, end, breaks)
        if kind == _MARKS:
            found = ~every & _WHITE
        elif kind == _UAX29:
            found = flags & _ALNUM
        else:
            found = breaks[decode(data, start)[0]] & _ALNUM
        if found:
            return start, i
    return end, end


@inner
def _next_word(data, i, end, kind, breaks):
    """The bounds of the first word from i on; without one, both are ``end``."""
    if kind == _WHITE_SPACE:
        return _white_space_word(data, i, end, breaks)
    if kind == _FASTTEXT:
        return _fasttext_word(data, i, end, breaks)
    if kind == _CHARACTERS:
        start = i
        while i < end:
            start = i
            point, i = decode(data, i)
            if not breaks[point] & _WHITE:
                return start, i
        return end, end
    if kind == _RUNS:
        while i < end and not breaks[data[i]] & _ALNUM:
            i += 1
        start = i
        while i < end and breaks[data[i]] & _ALNUM:
            i += 1
        return start, i
    return _unicode_word(data, i, end, kind, breaks)


@leaf
def _is_ascii(data, start, end):
    i = start
    while i + 8 <= end:
        if load64(data, i) & _HIGH_BITS:
            return False
        i += 8
    while i < end:
        if data[i] >= 0x80:
            return False
        i += 1
    return True


@leaf
def _fill(data, i, end, kind, breaks, starts, ends, count):
    """Writes words at index ``count`` and after while there is room, and returns where they end, and the next index."""
    room = starts.shape[0]
    while i < end and count < room:
        start, i = _next_word(data, i, end, kind, breaks)
        if start < i:
            starts[count] = start
            ends[count] = i
            count += 1
    return i, count


@kernel
def _grown(values, count):
    """The array, with room for twice as many values; the first ``count`` are kept."""
    wider = np.empty(2 * values.shape[0], np.int64)
    wider[:count] = values[:count]
    return wider


@kernel
def find_words(data, offsets, kind, breaks):
    """The words of the texts of a column: firsts, starts and ends, as in `Words`."""
    firsts = np.zeros(offsets.shape[0], np.int64)
    room = (offsets[-1] - offsets[0]) // 5 + _ROOM
    starts, ends = np.empty(room, np.int64), np.empty(room, np.int64)
    count = int64(0)
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        chosen = kind
        if kind == _RUNS and not _is_ascii(data, i, end):
            chosen = _UAX29
        i, count = _fill(data, i, end, chosen, breaks, starts, ends, count)
        while i < end:
            starts, ends = _grown(starts, count), _grown(ends, count)
            i, count = _fill(data, i, end, chosen, breaks, starts, ends, count)
        firsts[d + 1] = count
    return firsts, starts[:count], ends[:count]


@leaf
def _find_bounds(data, i, end, infos, words, breaks, starts, ends, count):
    """Writes the bounds of words of known length, between which is only white space."""
    for k in range(words):
        point, behind = decode(data, i)
        while breaks[point] & _WHITE:
            i = behind
            point, behind = decode(data, i)
        starts[count + k] = i
        for _ in range(infos[k] >> LENGTH_SHIFT):
            i += 1
            while i < end and data[i] & 0xC0 == 0x80:
                i += 1
        ends[count + k] = i


@kernel
def find_english_words(data, offsets, kinds, tags, specials, breaks):
    """As `find_words`, for spaCy's English words."""
    firsts = np.zeros(offsets.shape[0], np.int64)
    starts, ends = np.empty(_ROOM, np.int64), np.empty(_ROOM, np.int64)
    chunk = np.empty((CHUNK_ROWS, CHUNK_ROOM), np.int64)
    hashes, infos = np.empty(_ROOM, np.uint64), np.empty(_ROOM, np.uint32)
    count = int64(0)
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        words, chunk, hashes, infos = split_words(data, i, end, kinds, tags, specials, chunk, hashes, infos)
        while count + words > starts.shape[0]:
            starts, ends = _grown(starts, count), _grown(ends, count)
        _find_bounds(data, i, end, infos, words, breaks, starts, ends, count)
        count += words
        firsts[d + 1] = count
    return firsts, starts[:count], ends[:count]


def words_in(texts: pa.Array, kind: WordKind) -> Words:
    """The words of each text of a string column; a null has none.

    >>> texts = pa.array(["They're 3.5 km away."])
    >>> [words_in(texts, kind).firsts.tolist()[1] for kind in ("white_space", "uax29", "spacy_en", "ascii_runs")]
    [4, 4, 6, 6]
    """
    data, offsets = text_buffers(texts)
    if kind == "spacy_en":
        return Words(*find_english_words(data, offsets, *word_tables(), wb.break_table()))
    return Words(*find_words(data, offsets, _NUMBERS[kind], wb.break_table()))
