"""Splits texts into words like spaCy's English tokeniser, in which punctuation marks are words too.

Most words are runs of ASCII letters, perhaps followed by one mark, and are found eight bytes at a time; all other words
go through `affixes.py`. A word is two numbers: a 64-bit hash, and its ``info``: flags, stop word and length. 60 times
the speed of spaCy, measured by `make bench`.
"""

import numpy as np
from numba import int64, uint32, uint64

from curation.kernels.affixes import (
    AT,
    CHUNK_ROWS,
    CUT,
    KIND,
    LONGEST_SPECIAL,
    STOP_SHIFT,
    WORDS_BITS,
    cut_chunk,
    find_special,
    read_chunk,
)
from curation.kernels.compiled import inline, inner, kernel, leaf
from curation.kernels.hashing import hash_bytes, hash_end, hash_part, load_part
from curation.kernels.memory import lowest_bit
from curation.kernels.unicode import decode
from curation.kernels.word_classes import (
    BEFORE_DOT,
    LETTER,
    LINE_BREAK,
    PUNCTUATION,
    SENTENCE_END,
    SPACE,
    SUFFIX,
    SYMBOL,
    UPPER,
)

HAS_LETTER = 1 << 0
NOT_SYMBOL = 1 << 1
"""Not only punctuation and controls."""
IS_PUNCTUATION = 1 << 2
"""Only Unicode punctuation."""
ENDS_SENTENCE = 1 << 3
AFTER_SPACES = 1 << 4
"""Follows more than one space on its line (spaCy makes a word of the extra spaces, which ends a sentence)."""
AFTER_BREAK = 1 << 5
"""The first word of its line."""
STOP_WORD_SHIFT = 6
"""Four bits for the number of the stop word, 0 for none."""
LENGTH_SHIFT = 10
"""The 22 bits above are the length in code points."""
LONGEST = (1 << 22) - 1

_LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
_HIGH_BITS = np.uint64(0x8080808080808080)
_CASE_BITS = np.uint64(0x2020202020202020)
_BELOW_A = np.uint64(0x1F1F1F1F1F1F1F1F)
_ABOVE_Z = np.uint64(0x0505050505050505)
_DOT, _APOSTROPHE = 0x2E, 0x27
_ROOM = 1024
CHUNK_ROOM = 256
"""Initial capacity of a chunk in characters."""


@inline
def letters_at_start(word):
    """The number of ASCII letters at the start (lowest bytes) of an eight-byte number."""
    folded = (word | _CASE_BITS) & _LOW_BITS
    others = ~((folded + _BELOW_A) & ~(folded + _ABOVE_Z) & ~word) & _HIGH_BITS
    return 8 if others == 0 else lowest_bit(others) >> 3


@inline
def _info(kind, every, length, value):
    """The info of a word; ``kind`` are the flags of any of its characters, ``every`` those of all characters."""
    info = uint32(min(length, LONGEST)) << uint32(LENGTH_SHIFT)
    if kind & LETTER:
        info |= uint32(HAS_LETTER)
    if not every & SYMBOL:
        info |= uint32(NOT_SYMBOL)
    if every & PUNCTUATION:
        info |= uint32(IS_PUNCTUATION)
    if length == 1 and every & SENTENCE_END:
        info |= uint32(ENDS_SENTENCE)
    return info | uint32((value >> STOP_SHIFT) & 15) << uint32(STOP_WORD_SHIFT)


@inner
def _write_words(data, chunk, words, tags, specials, hashes, infos, count):
    """Writes the words of a chunk at index ``count`` and after."""
    for k in range(words):
        first, last = chunk[CUT, k], chunk[CUT, k + 1]
        key = hash_bytes(data, chunk[AT, first], chunk[AT, last])
        kind = 0
        every = -1
        for c in range(first, last):
            kind |= chunk[KIND, c]
            every &= chunk[KIND, c]
        hashes[count + k] = key
        infos[count + k] = _info(kind, every, last - first, find_special(key, tags, specials))


@kernel
def with_room(hashes, infos, count, more):
    """The arrays, grown if they have no room for ``more`` words and a few extra."""
    if count + more + 16 <= hashes.shape[0]:
        return hashes, infos
    size = 2 * (count + more) + _ROOM
    wider_hashes, wider_infos = np.empty(size, np.uint64), np.empty(size, np.uint32)
    wider_hashes[:count] = hashes[:count]
    wider_infos[:count] = infos[:count]
    return wider_hashes, wider_infos


@leaf
def _skip_space(data, i, end, kinds):
    """The index of the next character that is not white space, and the flags of what the next word follows."""
    spaces = int64(0) if data[i] == 0x20 else int64(1)
    flag = 0
    while i < end:
        point, behind = decode(data, i)
        kind = kinds[point]
        if not kind & SPACE:
            break
        if kind & LINE_BREAK:
            flag = AFTER_BREAK
        spaces += 1
        i = behind
    return i, uint32(flag if flag or spaces < 2 else AFTER_SPACES)


@inner
def _split_plainly(data, i, end, kinds, tags, specials, hashes, infos, count):
    """Writes the letters at i as a word, and a mark after them as another word, if the chunk has nothing else.

    Returns the index after them and the number of words; the index is i if the chunk has anything else.
    """
    j = i
    key = uint64(0)
    letters = 8
    while letters == 8:
        word = load_part(data, j, end - j)
        letters = letters_at_start(word)
        if letters == 0:
            break
        key = hash_part(key, word if letters == 8 else word & ((uint64(1) << uint64(8 * letters)) - uint64(1)))
        j += letters
    if j == i:
        return i, count
    length = j - i
    marked = False
    if j < end:
        mark = kinds[data[j]]
        if data[j] >= 0x80:
            return i, count
        if not mark & SPACE:
            marked = True
            if not (mark & SUFFIX or data[j] == _DOT):
                return i, count
            if j + 1 < end and (data[j + 1] >= 0x80 or not kinds[data[j + 1]] & SPACE):
                return i, count
    key = hash_end(key, length)
    value = find_special(key, tags, specials)
    if value & WORDS_BITS:
        return i, count
    if marked and (data[j] == _DOT or data[j] == _APOSTROPHE):
        # "Mr." and "a." are one word; "I." is not split, "US." is
        split = kinds[data[j - 1]] & BEFORE_DOT or (length > 1 and kinds[data[j - 2]] & UPPER)
        if not split or (length < LONGEST_SPECIAL and find_special(hash_bytes(data, i, j + 1), tags, specials)):
            return i, count
    hashes[count] = key
    infos[count] = (
        uint32(HAS_LETTER | NOT_SYMBOL)
        | uint32(min(length, LONGEST)) << uint32(LENGTH_SHIFT)
        | uint32((value >> STOP_SHIFT) & 15) << uint32(STOP_WORD_SHIFT)
    )
    count += 1
    if marked:
        hashes[count] = hash_end(hash_part(uint64(0), uint64(data[j])), 1)
        infos[count] = _info(kinds[data[j]], kinds[data[j]], 1, 0)
        count += 1
        j += 1
    return j, count


@leaf
def _split(data, i, end, kinds, tags, specials, chunk, hashes, infos, count, after):
    """Writes the words of data[i:end] at index ``count`` and after, while the arrays have room.

    Returns the index where it stopped, the number of words, the flags of what the next word follows, and whether
    ``chunk`` is too short.
    """
    room = hashes.shape[0] - 2
    while i < end and count < room:
        byte = data[i]
        if byte >= 0x80 or kinds[byte] & SPACE:
            if byte == 0x20 and i + 1 < end and 0x20 < data[i + 1] < 0x80:
                i += 1
            else:
                i, flag = _skip_space(data, i, end, kinds)
                after |= flag
                if i >= end:
                    break
        first = count
        behind, count = _split_plainly(data, i, end, kinds, tags, specials, hashes, infos, count)
        if behind == i:
            size, behind = read_chunk(data, i, end, kinds, chunk)
            if size < 0:
                return i, count, uint32(after), True
            if count + size > room:
                return i, count, uint32(after), False
            words = cut_chunk(data, chunk, size, tags, specials)
            _write_words(data, chunk, words, tags, specials, hashes, infos, count)
            count += words
        i = behind
        infos[first] |= after
        after = uint32(0)
    return i, count, uint32(after), False


@kernel
def split_words(data, start, end, kinds, tags, specials, chunk, hashes, infos):
    """Writes the words of data[start:end] (valid UTF-8).

    Returns the number of words and the three arrays, which may have grown.
    """
    i, count, after, cramped = _split(
        data, start, end, kinds, tags, specials, chunk, hashes, infos, int64(0), uint32(AFTER_BREAK)
    )
    while i < end:
        if cramped:
            chunk = np.empty((CHUNK_ROWS, 4 * chunk.shape[1]), np.int64)
        else:
            hashes, infos = with_room(hashes, infos, count, chunk.shape[1])
        i, count, after, cramped = _split(data, i, end, kinds, tags, specials, chunk, hashes, infos, count, after)
    return count, chunk, hashes, infos


@kernel
def words_of(data, offsets, kinds, tags, specials):
    """The hashes, infos and number of words of each text of a column, for tests and other uses than the signals."""
    chunk = np.empty((CHUNK_ROWS, CHUNK_ROOM), np.int64)
    hashes, infos = np.empty(_ROOM, np.uint64), np.empty(_ROOM, np.uint32)
    counts = np.zeros(offsets.shape[0] - 1, np.int64)
    every_hash, every_info = np.empty(_ROOM, np.uint64), np.empty(_ROOM, np.uint32)
    total = 0
    for d in range(offsets.shape[0] - 1):
        count, chunk, hashes, infos = split_words(
            data, offsets[d], offsets[d + 1], kinds, tags, specials, chunk, hashes, infos
        )
        every_hash, every_info = with_room(every_hash, every_info, total, count)
        every_hash[total : total + count] = hashes[:count]
        every_info[total : total + count] = infos[:count]
        counts[d] = count
        total += count
    return every_hash[:total], every_info[:total], counts
