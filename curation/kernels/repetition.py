"""Repetition of lines and of word n-grams, by 64-bit hashes in open-addressing tables."""

import numpy as np
from numba import int64, uint64

from curation.kernels.compiled import inline, kernel, leaf

_BASE = np.uint64(0x9E3779B97F4A7C15)
TOP_SIZES = 3
"""Number of sizes of most frequent n-grams: n = 2, 3, 4."""
FIRST_SIZE, FIRST_DUPLICATE, LAST_SIZE = 2, 5, 10
MOST_WORDS = 1 << 22
"""Maximum number of words of a document that are used for n-grams."""


@inline
def table_bits(count):
    """The number of bits of the index of a table with at least twice ``count`` slots."""
    bits = 4
    while (1 << bits) < 2 * count:
        bits += 1
    return bits


@kernel
def count_duplicates(keys, lengths, count, slots):
    """The number of pieces seen before, their total length, and the table, which may have grown."""
    bits = table_bits(count)
    if slots.shape[0] < 1 << bits:
        slots = np.empty(1 << bits, np.int32)
    shift = uint64(64 - bits)
    slots[: 1 << bits] = -1
    duplicates = 0
    characters = int64(0)
    for k in range(count):
        place = int64(keys[k] >> shift)
        while slots[place] >= 0 and keys[slots[place]] != keys[k]:
            place = (place + 1) & ((1 << bits) - 1)
        if slots[place] >= 0:
            duplicates += 1
            characters += lengths[k]
        else:
            slots[place] = k
    return duplicates, characters, slots


@inline
def _characters(infos, shift, i, size):
    """The number of characters of ``size`` words from word i on."""
    total = int64(0)
    for k in range(i, i + size):
        total += int64(infos[k] >> shift)
    return total


@leaf
def begin_grams(hashes, count, candidate, grams, seen):
    """Sets the candidates for 2-grams (all words but the last) and their unfinished hashes; returns their number."""
    left = max(count - 1, 0)
    for k in range(left):
        candidate[k] = k
        grams[k] = hashes[k]
        seen[k] = 0
    return left


@inline
def next_gram(gram, word):
    """The hash of an n-gram with one more word."""
    return gram * _BASE + word


@leaf
def keep_repeated(candidate, left, first, times):
    """Keeps those of the ``left`` candidates whose n-gram may be repeated with one more word; returns their number.

    An n-gram can be repeated only if both of its (n-1)-grams are. Where the (n-1)-gram at each place occurs first, and
    how often, is in ``first`` and ``times``.
    """
    kept = 0
    for k in range(left - 1):
        i = candidate[k]
        if candidate[k + 1] == i + 1 and times[first[i]] > 1 and times[first[i + 1]] > 1:
            candidate[kept] = i
            kept += 1
    return kept


@leaf
def measure_ngrams(hashes, infos, length_shift, count, slots, grams, places, out):
    """Fills ``out`` with numbers of characters: of the top 2-, 3-, 4-grams, then of the duplicate 5- to 10-grams.

    The top n-gram is the most frequent n-gram (the first among equals); all its occurrences count, with single spaces.
    Duplicates are n-grams seen before, found from left to right without overlap. The length of ``slots`` is a power of
    two, at least twice the words; ``grams`` has one number per word, ``places`` is 4 x words. Each size reads only the
    places that `keep_repeated` left of the size before.
    """
    out[:] = 0
    candidate, first, times, seen = places[0], places[1], places[2], places[3]
    left = begin_grams(hashes, count, candidate, grams, seen)
    for size in range(FIRST_SIZE, LAST_SIZE + 1):
        if left == 0:
            if size < FIRST_DUPLICATE and count >= size:
                out[size - FIRST_SIZE] = _characters(infos, length_shift, 0, size) + size - 1
            continue
        bits = table_bits(left)
        shift = uint64(64 - bits)
        mask = (1 << bits) - 1
        slots[: 1 << bits] = -1
        best, most = 0, 1
        free = 0
        duplicate = int64(0)
        for k in range(left):
            i = candidate[k]
            gram = next_gram(grams[i], hashes[i + size - 1])
            grams[i] = gram
            place = int64(gram >> shift)
            f = slots[place]
            while f >= 0 and grams[f] != gram:
                place = (place + 1) & mask
                f = slots[place]
            if f < 0:
                slots[place] = i
                f = i
                times[i] = 1
            else:
                times[f] += 1
                if times[f] > most or (times[f] == most and f < best):
                    most = times[f]
                    best = f
            first[i] = f
            if size >= FIRST_DUPLICATE and i >= free:
                if seen[f] == size:
                    duplicate += _characters(infos, length_shift, i, size)
                    free = i + size
                else:
                    seen[f] = size
        if size < FIRST_DUPLICATE:
            out[size - FIRST_SIZE] = (_characters(infos, length_shift, best, size) + size - 1) * most
        else:
            out[size - FIRST_DUPLICATE + TOP_SIZES] = duplicate
        left = keep_repeated(candidate, left, first, times)
