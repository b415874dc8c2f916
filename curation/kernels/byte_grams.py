"""Finds the documents that hold any of many short strings, by hashes of the start and the end of each string: documents
that hold none of the strings need not be tokenised. A document that holds none is found by chance once in 2^64."""

import numpy as np
from numba import int64, uint64

from curation.kernels.compiled import inner, kernel, leaf
from curation.kernels.hashing import hash_end, hash_part, load_part, mix64
from curation.kernels.memory import load64, lowest_bit

SHORTEST, STEP, LONGEST = 4, 8, 32
"""The lengths of grams in bytes: 4, 8, 16, 24 and 32."""
BITS = 1 << 26
"""Bits of a filter before the table: 8 MB."""
_SHIFT = uint64(38)
_FARTHEST = 63
"""A string is known by the gram at its end and by the gram that begins at most this many bytes earlier."""


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


@inner
def _join(end, distance, start):
    """The hash of a string from the hashes of the grams at its end and start."""
    return mix64(end + mix64(start + uint64(distance)))


@kernel
def string_hashes(data, starts, ends):
    """For each string data[starts[w]:ends[w]]: the hash of the gram at its end, how many bytes before that gram
    the gram at its start begins, and the hash of both. Whether every string is long enough to hold a gram."""
    lasts = np.empty(starts.shape[0], np.uint64)
    distances = np.empty(starts.shape[0], np.int64)
    joined = np.empty(starts.shape[0], np.uint64)
    for w in range(starts.shape[0]):
        size = ends[w] - starts[w]
        length = _length(size)
        if length == 0:
            return lasts[:0], distances[:0], joined[:0], False
        last = ends[w] - length
        distances[w] = min(size - length, _FARTHEST)
        lasts[w] = _hash_gram(data, last, length)
        joined[w] = _join(lasts[w], distances[w], _hash_gram(data, last - distances[w], length))
    return lasts, distances, joined, True


@kernel
def gram_filter(hashes):
    """The bits of a filter that lets the hashes pass."""
    bits = np.zeros(BITS // 64, np.uint64)
    for k in range(hashes.shape[0]):
        at = hashes[k] >> _SHIFT
        bits[at >> uint64(6)] |= uint64(1) << (at & uint64(63))
    return bits


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
def _ends_string(data, start, i, length, h, grams):
    """Whether a string ends with the gram with hash ``h`` at data[i:i + length] and begins after data[start - 1]."""
    bits, slots, numbers, masks, joined_slots, joined_numbers = grams
    at = h >> _SHIFT
    if not (bits[at >> uint64(6)] >> (at & uint64(63))) & uint64(1):
        return False
    number = _find(h, slots, numbers)
    if number < 0:
        return False
    mask = masks[number]
    while mask:
        distance = lowest_bit(mask)
        mask &= mask - uint64(1)
        if i - distance < start:
            continue
        joined = _join(h, distance, _hash_gram(data, i - distance, length))
        if _find(joined, joined_slots, joined_numbers) >= 0:
            return True
    return False


@leaf
def _holds_string(data, start, end, grams):
    for i in range(start, end - SHORTEST + 1):
        h = hash_end(hash_part(uint64(0), load_part(data, i, SHORTEST)), SHORTEST)
        if _ends_string(data, start, i, SHORTEST, h, grams):
            return True
        h = uint64(0)
        for length in range(STEP, min(LONGEST, end - i) + 1, STEP):
            h = hash_part(h, load64(data, i + length - STEP))
            if _ends_string(data, start, i, length, hash_end(h, length), grams):
                return True
    return False


@kernel
def hold_strings(data, offsets, grams, found):
    """Sets ``found`` for each document data[offsets[d]:offsets[d + 1]] that holds a string.

    ``grams``: the `gram_filter` and the `hash_table` (slots, numbers) of the hashes of the grams at the ends of
    strings, for each of these hashes the distances as bits, and the `hash_table` of the hashes of strings.
    """
    for d in range(found.shape[0]):
        found[d] = _holds_string(data, offsets[d], offsets[d + 1], grams)
