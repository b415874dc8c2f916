"""Words as fastText 0.9.2 reads them: where they end, which are labels, and their hashes and those of n-grams."""

import numpy as np
from numba import int32, int64, uint32, uint64

from curation.kernels.compiled import inline, inner, kernel, leaf
from curation.kernels.hashing import hash_bytes

_FNV_PRIME = np.uint32(16777619)
_NGRAM_PRIME = np.uint64(116049371)
_LABEL = b"__label__"
EMPTY_HASH = np.uint32(2166136261)
"""fastText's hash of no bytes."""
END_HASH = np.int32(-677604519)
"""fastText's hash of </s>, the word that ends each text."""


@inner
def _is_space(byte):
    return byte == 0x20 or byte == 0 or 9 <= byte <= 13


@inner
def next_word(data, i, end):
    """The bounds of the first word of data[i:end]; both are ``end`` if there is no word."""
    while i < end and _is_space(data[i]):
        i += 1
    first = i
    while i < end and not _is_space(data[i]):
        i += 1
    return first, i


@leaf
def is_label(data, start, end):
    """Whether a word begins with __label__: fastText reads such a word as a label."""
    same = end - start >= len(_LABEL)
    k = 0
    while same and k < len(_LABEL):
        same = data[start + k] == _LABEL[k]
        k += 1
    return same


@inline
def _fnv(h, byte):
    """One step of fastText's hash, in which bytes are signed numbers."""
    return uint32((h ^ uint32(np.int8(byte))) * _FNV_PRIME)


@leaf
def word_hash(data, start, end):
    """fastText's hash of the word data[start:end]."""
    h = uint32(EMPTY_HASH)
    for k in range(start, end):
        h = _fnv(h, data[k])
    return int32(h)


@inline
def ngram_step(h, word):
    """The hash of an n-gram of words (of the hash ``h``) that one more word, of the hash ``word``, continues."""
    return h * _NGRAM_PRIME + uint64(int64(word))


@inner
def _byte(data, i, start, end):
    """The byte at i of the word data[start:end] with < before the word and > after it."""
    if i < start:
        return np.uint8(0x3C)
    return data[i] if i < end else np.uint8(0x3E)


@inner
def begins_character(data, i, start, end):
    """Whether a character begins at i of the word data[start:end] with < before the word and > after it."""
    return _byte(data, i, start, end) & 0xC0 != 0x80


@inner
def add_character(h, data, i, start, end):
    """The hash of an n-gram of characters with one more, which begins at i (see `begins_character`); and its end."""
    h = _fnv(h, _byte(data, i, start, end))
    i += 1
    while i < end and data[i] & 0xC0 == 0x80:
        h = _fnv(h, data[i])
        i += 1
    return h, i


@kernel
def fill_word_table(data, starts, ends, keys, rows):
    """Fills a hash table (open addressing, a power of two of slots, key 0 is free) with the rows of words."""
    last = uint64(keys.shape[0] - 1)
    for row in range(starts.shape[0]):
        key = hash_bytes(data, starts[row], ends[row])
        slot = int64(key & last)
        while keys[slot] != 0 and keys[slot] != key:
            slot = (slot + 1) & int64(last)
        if keys[slot] == 0:
            keys[slot], rows[slot] = key, row


@inner
def row_of(key, keys, rows):
    """The row of a word in such a table, by its `hash_bytes`; -1 if the table does not have it."""
    slot = int64(key & uint64(keys.shape[0] - 1))
    while keys[slot] != 0:
        if keys[slot] == key:
            return int64(rows[slot])
        slot = (slot + 1) & (keys.shape[0] - 1)
    return int64(-1)
