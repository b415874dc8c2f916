"""64-bit hashes of bytes."""

import numpy as np
from numba import uint64

from curation.kernels.compiled import inline, leaf
from curation.kernels.memory import load64

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@inline
def mix64(x):
    """The finaliser of SplitMix64: every input bit affects every output bit."""
    x = (x ^ (x >> uint64(30))) * _MIX_1
    x = (x ^ (x >> uint64(27))) * _MIX_2
    return x ^ (x >> uint64(31))


@inline
def load_part(data, i, count):
    """The bytes data[i:i + count] (at most 8 of them) as a little-endian number."""
    if i + 8 <= data.shape[0]:
        word = load64(data, i)
        return word if count >= 8 else word & ((uint64(1) << uint64(8 * count)) - uint64(1))
    word = uint64(0)
    for k in range(min(count, 8)):
        word |= uint64(data[i + k]) << uint64(8 * k)
    return word


@inline
def hash_part(h, word):
    """Adds the next (at most) eight bytes to an unfinished hash, which starts at 0."""
    h = (h ^ word) * _MIX_1
    return h ^ (h >> uint64(32))


@inline
def hash_end(h, length):
    """Finishes a hash of ``length`` bytes."""
    return mix64(h + uint64(length) * _PRIME)


@leaf
def hash_bytes(data, start, end):
    """A hash of data[start:end]."""
    h = uint64(0)
    for i in range(start, end, 8):
        h = hash_part(h, load_part(data, i, end - i))
    return hash_end(h, end - start)
