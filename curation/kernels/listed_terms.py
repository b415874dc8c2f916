"""In which texts the words and phrases of a long list occur, whole and without case.

Each text is split once. The hash table also holds the beginnings of phrases, so that most words cost one look-up.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import int64, uint64

from curation.kernels import unicode
from curation.kernels.buffers import text_buffers
from curation.kernels.compiled import kernel, leaf
from curation.kernels.hashing import hash_bytes
from curation.kernels.word_lists import _ROOM, _SEED, _mix, _room, _split

MOST_GROUPS = 64


class Terms(NamedTuple):
    """A list, made ready: a hash table (open addressing, 0 for a free slot) of the hashes of terms and of their
    beginnings, with the number of each term (-1 for a beginning)."""

    slots: npt.NDArray[np.uint64]
    numbers: npt.NDArray[np.int32]
    groups: npt.NDArray[np.uint64]
    """The groups of each term, a bit for each."""
    longest: int
    """The number of words of the longest term."""


class Occurrences(NamedTuple):
    """Of some texts: the groups of which each text has a term, a bit for each; the number of words of each text; and in
    how many texts each term occurs."""

    groups: npt.NDArray[np.uint64]
    words: npt.NDArray[np.int64]
    texts: npt.NDArray[np.int64]


@kernel
def _prefixes(data, offsets, classes, lower, keys, rows):
    """The hash of the first word, the first two words, ... of each text, and the row of the text; returns how many."""
    words = np.empty(_ROOM, np.uint64)
    total = int64(0)
    for d in range(offsets.shape[0] - 1):
        if words.shape[0] < _room(offsets[d + 1] - offsets[d]):
            words = np.empty(2 * _room(offsets[d + 1] - offsets[d]), np.uint64)
        count = _split(data, offsets[d], offsets[d + 1], classes, lower, True, True, words)
        key = _SEED
        for k in range(count):
            key = _mix(key, words[k])
            keys[total], rows[total] = key | uint64(1), d
            total += 1
    return total


@kernel
def _occurrences(data, offsets, classes, lower, slots, numbers, groups, longest, masks, counts, texts):
    words = np.empty(_ROOM, np.uint64)
    mask = uint64(slots.shape[0] - 1)
    last = np.full(texts.shape[0], -1, np.int64)
    for d in range(offsets.shape[0] - 1):
        if words.shape[0] < _room(offsets[d + 1] - offsets[d]):
            words = np.empty(2 * _room(offsets[d + 1] - offsets[d]), np.uint64)
        count = _split(data, offsets[d], offsets[d + 1], classes, lower, True, True, words)
        found = uint64(0)
        for k in range(count):
            key = _SEED
            for n in range(min(longest, count - k)):
                key = _mix(key, words[k + n])
                sought = key | uint64(1)
                slot = sought & mask
                while slots[slot] and slots[slot] != sought:
                    slot = (slot + uint64(1)) & mask
                if not slots[slot]:
                    break
                number = numbers[slot]
                if number >= 0 and last[number] != d:
                    last[number] = d
                    texts[number] += 1
                    found |= groups[number]
        masks[d], counts[d] = found, count


@leaf
def _hash_rows(data, offsets, out):
    for row in range(out.shape[0]):
        out[row] = hash_bytes(data, offsets[row], offsets[row + 1])


def terms(listed: Sequence[tuple[str, int]]) -> tuple[Terms, list[str]]:
    """A list made ready, and the terms by their numbers. An entry is a word or phrase and its group, 0 to 63.

    Words are letters, digits, marks and underscores in a row; between the words of a phrase may be any other
    characters. Entries of the same words are one term, named as the first of them; entries without a word are left out.
    """
    data, offsets = text_buffers(pa.array([entry for entry, _ in listed], pa.large_string()))
    room = int(sum(len(entry) // 2 + 1 for entry, _ in listed)) + 1
    keys, rows = np.empty(room, np.uint64), np.empty(room, np.int64)
    count = _prefixes(data, offsets, *unicode.tables(), keys, rows)
    slots = np.zeros(1 << max(4, 2 * count).bit_length(), np.uint64)
    numbers, groups, names = np.full(len(slots), -1, np.int32), list[int](), list[str]()
    longest = int(np.bincount(rows[:count]).max(initial=0)) if count else 0
    for place, (key, row) in enumerate(zip(keys[:count].tolist(), rows[:count].tolist(), strict=True)):
        slot = key & (len(slots) - 1)
        while slots[slot] not in (0, key):
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = key
        if place + 1 < count and rows[place + 1] == row:
            continue
        if numbers[slot] < 0:
            numbers[slot] = len(names)
            names.append(listed[row][0])
            groups.append(0)
        groups[numbers[slot]] |= 1 << listed[row][1]
    return Terms(slots, numbers, np.array(groups, np.uint64), longest), names


def occurrences(texts: pa.LargeStringArray, listed: Terms) -> Occurrences:
    """In which texts the terms of each group are, and in how many texts each term is. A term inside a longer one counts
    too."""
    data, offsets = text_buffers(texts)
    found = Occurrences(
        np.empty(len(texts), np.uint64), np.empty(len(texts), np.int64), np.zeros(len(listed.groups), np.int64)
    )
    _occurrences(data, offsets, *unicode.tables(), *listed[:3], listed.longest, *found)
    return found


def hashes(column: pa.Array) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each text of a column."""
    data, offsets = text_buffers(column)
    found = np.empty(len(column), np.uint64)
    _hash_rows(data, offsets, found)
    return found
