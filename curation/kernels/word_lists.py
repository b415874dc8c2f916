"""Counting the words and phrases of a list in texts, whatever the length of the list.

Each text is split once; a phrase is found by the hashes of its words, so that a text costs its length times the number
of words of the longest phrase.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import int64, uint64

from curation.kernels import unicode
from curation.kernels.buffers import text_buffers
from curation.kernels.compiled import inline, kernel, leaf
from curation.kernels.unicode import SPACE, WORD, decode

_SEED, _FACTOR = np.uint64(0xCBF29CE484222325), np.uint64(0x9E3779B97F4A7C15)
_ROOM = 1024


class Phrases(NamedTuple):
    """A list, made ready: a hash table (open addressing, 0 for a free slot) of the hashes of its phrases."""

    slots: npt.NDArray[np.uint64]
    longest: int
    """The number of words of the longest phrase."""
    by_letters: bool
    """Whether words are letters, digits, marks and underscores in a row; otherwise what is between white space."""
    fold: bool
    """Whether upper and lower case are the same."""


@leaf
def _mix(key, value):
    key = (key ^ value) * _FACTOR
    return key ^ (key >> uint64(29))


@leaf
def _split(data, i, end, classes, lower, by_letters, fold, words):
    """Writes the hashes of the words of data[i:end] to ``words``; returns their number."""
    count = int64(0)
    inside = False
    key = _SEED
    while i < end:
        point, i = decode(data, i)
        flags = classes[point]
        if (by_letters and flags & WORD != 0) or (not by_letters and flags & SPACE == 0):
            if not inside:
                key = _SEED
                inside = True
            key = _mix(key, uint64(lower[point] if fold else point))
        elif inside:
            words[count] = key
            count += 1
            inside = False
    if inside:
        words[count] = key
        count += 1
    return count


@inline
def _room(size):
    """The largest number of words in ``size`` bytes."""
    return size // 2 + 1


@kernel
def _hash_entries(data, offsets, classes, lower, by_letters, fold, keys, sizes):
    words = np.empty(_ROOM, np.uint64)
    for d in range(offsets.shape[0] - 1):
        if words.shape[0] < _room(offsets[d + 1] - offsets[d]):
            words = np.empty(2 * _room(offsets[d + 1] - offsets[d]), np.uint64)
        count = _split(data, offsets[d], offsets[d + 1], classes, lower, by_letters, fold, words)
        key = _SEED
        for k in range(count):
            key = _mix(key, words[k])
        keys[d], sizes[d] = key | uint64(1), count


@kernel
def _count(data, offsets, classes, lower, by_letters, fold, slots, longest, out):
    words = np.empty(_ROOM, np.uint64)
    mask = uint64(slots.shape[0] - 1)
    for d in range(offsets.shape[0] - 1):
        if words.shape[0] < _room(offsets[d + 1] - offsets[d]):
            words = np.empty(2 * _room(offsets[d + 1] - offsets[d]), np.uint64)
        count = _split(data, offsets[d], offsets[d + 1], classes, lower, by_letters, fold, words)
        found = covered = k = int64(0)
        while k < count:
            key = _SEED
            size = 0
            for n in range(min(longest, count - k)):
                key = _mix(key, words[k + n])
                sought = key | uint64(1)
                slot = sought & mask
                while slots[slot] and slots[slot] != sought:
                    slot = (slot + uint64(1)) & mask
                if slots[slot]:
                    size = n + 1
            found += size > 0
            covered += size
            k += max(size, 1)
        out[0, d], out[1, d], out[2, d] = found, covered, count


def phrases(entries: list[str], by_letters: bool, fold: bool) -> Phrases:
    """A list made ready; entries without a word are left out."""
    tables = unicode.tables()
    data, offsets = text_buffers(pa.array(entries, pa.large_string()))
    keys, sizes = np.empty(len(entries), np.uint64), np.empty(len(entries), np.int64)
    _hash_entries(data, offsets, *tables, by_letters, fold, keys, sizes)
    slots = np.zeros(1 << max(4, 2 * len(entries)).bit_length(), np.uint64)
    for key in keys[sizes > 0].tolist():
        slot = key & (len(slots) - 1)
        while slots[slot] not in (0, key):
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = key
    return Phrases(slots, int(sizes.max(initial=0)), by_letters, fold)


def phrase_counts(texts: pa.LargeStringArray, listed: Phrases) -> npt.NDArray[np.int64]:
    """Three rows: how often the longest phrases at each place are in each text, without overlap; the number of words in
    them; and the number of all words."""
    data, offsets = text_buffers(texts)
    out = np.empty((3, len(texts)), np.int64)
    _count(data, offsets, *unicode.tables(), listed.by_letters, listed.fold, listed.slots, listed.longest, out)
    return out
