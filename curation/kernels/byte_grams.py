"""Finds the documents that hold any of many short strings, by the hash of a gram in each string and the hash of the
string: documents that hold none of the strings need not be tokenised, and are found by chance once in 2^64."""

import numpy as np
from numba import int64, uint64

from curation.kernels.compiled import inner, kernel, leaf
from curation.kernels.hashing import hash_bytes, hash_end, hash_part, load_part, mix64
from curation.kernels.memory import load64

SHORTEST, STEP, LONGEST = 4, 8, 32
"""The lengths of grams in bytes: 4, 8, 16, 24 and 32."""
_BITS_EACH, _LEAST_BITS, _MOST_BITS = 64, 16, 26
"""The bits of a filter before the table for each hash, and the logarithms of its least and most bits (8 MB)."""
_BLANK = 32


@inner
def _length(size):
    """The largest length of a gram that fits into ``size`` bytes; 0 if no gram fits."""
    if size >= STEP:
        return min(size // STEP * STEP, LONGEST)
    return SHORTEST if size >= SHORTEST else 0


@leaf
def _hash_gram(data, i, length):
    h = uint64(0)
    for k in range(i, i + length, STEP):
        h = hash_part(h, load_part(data, k, i + length - k))
    return hash_end(h, length)


@kernel
def string_hashes(data, starts, ends):
    """For each string data[starts[w]:ends[w]]: the hash of a gram in it, how many bytes after the string's start the
    gram begins, the gram's length and the hash of the string. The length is 0 if the string is too short for a gram.

    The gram follows the first blank of the string, if at least STEP bytes do, so that a text must be searched for it at
    the starts of words only; else the string begins with the gram, after 0 bytes.
    """
    grams = np.empty(starts.shape[0], np.uint64)
    before = np.empty(starts.shape[0], np.int64)
    lengths = np.empty(starts.shape[0], np.int64)
    strings = np.empty(starts.shape[0], np.uint64)
    for w in range(starts.shape[0]):
        first, end = starts[w], ends[w]
        while first < end and data[first] != _BLANK:
            first += 1
        first += 1
        if end - first < STEP:
            first = starts[w]
        before[w] = first - starts[w]
        lengths[w] = _length(end - first)
        grams[w] = _hash_gram(data, first, lengths[w])
        strings[w] = hash_bytes(data, starts[w], end)
    return grams, before, lengths, strings


@kernel
def gram_filter(hashes):
    """A filter that lets the hashes pass: how far a hash is shifted to number its bit, and the bits."""
    size = _LEAST_BITS
    while size < _MOST_BITS and (1 << size) < _BITS_EACH * hashes.shape[0]:
        size += 1
    shift = uint64(64 - size)
    bits = np.zeros((1 << size) // 64, np.uint64)
    for k in range(hashes.shape[0]):
        at = hashes[k] >> shift
        bits[at >> uint64(6)] |= uint64(1) << (at & uint64(63))
    return shift, bits


@inner
def _find(h, slots, numbers):
    """The number of a hash in a table of `hash_table`; -1 if it is not there."""
    mask = uint64(slots.shape[0] - 1)
    place = mix64(h) & mask
    while numbers[place] >= 0:
        if slots[place] == h:
            return int64(numbers[place])
        place = (place + uint64(1)) & mask
    return int64(-1)


@leaf
def _in_string(data, start, end, i, h, grams):
    """Whether the gram with hash ``h`` at data[i] lies in a string inside of data[start:end]."""
    _, shift, bits, slots, numbers, firsts, places, string_slots, string_numbers = grams
    at = h >> shift
    if not (bits[at >> uint64(6)] >> (at & uint64(63))) & uint64(1):
        return False
    number = _find(h, slots, numbers)
    if number < 0:
        return False
    for k in range(firsts[number], firsts[number + 1]):
        first = i - places[k, 0]
        last = first + places[k, 1]
        if first >= start and last <= end and _find(hash_bytes(data, first, last), string_slots, string_numbers) >= 0:
            return True
    return False


@leaf
def _holds_string(data, start, end, everywhere, grams):
    lengths = grams[0]
    for i in range(start, end - SHORTEST + 1):
        if not everywhere and (i == start or data[i - 1] != _BLANK):
            continue
        if lengths & 1:
            h = hash_end(hash_part(uint64(0), load_part(data, i, SHORTEST)), SHORTEST)
            if _in_string(data, start, end, i, h, grams):
                return True
        h = uint64(0)
        for k in range(1, min(LONGEST, end - i) // STEP + 1):
            h = hash_part(h, load64(data, i + (k - 1) * STEP))
            if (lengths >> k) & 1 and _in_string(data, start, end, i, hash_end(h, k * STEP), grams):
                return True
    return False


@kernel
def hold_strings(data, offsets, everywhere, grams, found):
    """Sets ``found`` for each document data[offsets[d]:offsets[d + 1]] that holds a string. Without ``everywhere`` only
    strings are found whose gram follows a blank.

    ``grams``: the lengths of grams as bits (bit 0 for SHORTEST, bit k for k STEP), the `gram_filter` and the
    `hash_table` (slots, numbers) of the grams' hashes; gram k has places[firsts[k]:firsts[k + 1]] in strings, each the
    bytes before it and the bytes of the string; and the `hash_table` of the hashes of strings.
    """
    for d in range(found.shape[0]):
        if not found[d]:
            found[d] = _holds_string(data, offsets[d], offsets[d + 1], everywhere, grams)
