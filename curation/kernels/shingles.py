"""Sets of shingles, and the exact Jaccard similarity of pairs of sets.

A shingle is ``ngram`` consecutive words, as in `minhash`; a set holds a 64-bit hash of each distinct shingle of a
document. Hash tables with linear probing count the common shingles: each of two sets is read once, without a sort.
"""

import numpy as np
from numba import uint64

from curation.kernels.compiled import kernel, leaf
from curation.kernels.hashing import mix64
from curation.kernels.minhash import leading_factor, rolled, word_hashes


@leaf
def table_size(count):
    """The slots of a hash table for ``count`` values: a power of two, at most half full."""
    size = 16
    while size < 2 * count:
        size *= 2
    return size


@leaf
def insert(table, mask, value):
    """Inserts a value (not 0) into a table, in which 0 is an empty slot; returns whether it was not there."""
    place = value & mask
    while table[place] != uint64(0):
        if table[place] == value:
            return False
        place = (place + uint64(1)) & mask
    table[place] = value
    return True


@leaf
def count_common(table, mask, values, start, end):
    """How many of values[start:end], which are distinct, are in a table."""
    common = 0
    for i in range(start, end):
        value = values[i]
        place = value & mask
        while table[place] != uint64(0):
            if table[place] == value:
                common += 1
                break
            place = (place + uint64(1)) & mask
    return common


@leaf
def fill_table(table, size, values, start, end):
    """Empties the first ``size`` slots of a table and inserts values[start:end]."""
    for i in range(size):
        table[i] = uint64(0)
    mask = uint64(size - 1)
    for i in range(start, end):
        insert(table, mask, values[i])


@kernel
def shingle_sets(data, offsets, ngram, classes, lower, out, bounds):
    """Fills ``out`` with the sets of all documents, and ``bounds`` with their bounds: document d has
    out[bounds[d]:bounds[d + 1]], in the order in which the shingles occur first.

    ``data`` is UTF-8, document d is data[offsets[d]:offsets[d + 1]]; ``out`` has room for all words.
    """
    longest = 0
    for d in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[d + 1] - offsets[d])
    words = np.empty(longest + 1, np.uint64)
    points = np.empty(longest + 1, np.uint32)
    table = np.empty(1 << 12, np.uint64)
    lead = leading_factor(ngram)
    count = 0
    bounds[0] = 0
    for d in range(offsets.shape[0] - 1):
        n = word_hashes(data, offsets[d], offsets[d + 1], classes, lower, points, words)
        size = table_size(n)
        if size > table.shape[0]:
            table = np.empty(size, np.uint64)
        for i in range(size):
            table[i] = uint64(0)
        mask = uint64(size - 1)
        rolling = uint64(0)
        for i in range(n):
            rolling = rolled(rolling, words, i, ngram, lead)
            if i >= ngram - 1:
                value = mix64(rolling)
                if value == uint64(0):
                    value = uint64(1)
                if insert(table, mask, value):
                    out[count] = value
                    count += 1
        bounds[d + 1] = count


@kernel
def jaccard_similarities(left, left_bounds, left_at, right, right_bounds, right_at, out):
    """Fills ``out`` with the Jaccard similarity of each pair: the sets ``left_at[i]`` of ``left`` and ``right_at[i]``
    of ``right``. Pairs with the same left set should follow one another: its table is made once for them.
    """
    table = np.empty(1 << 12, np.uint64)
    held = -1
    size = 0
    for i in range(out.shape[0]):
        start, end = left_bounds[left_at[i]], left_bounds[left_at[i] + 1]
        if left_at[i] != held:
            held = left_at[i]
            size = table_size(end - start)
            if size > table.shape[0]:
                table = np.empty(size, np.uint64)
            fill_table(table, size, left, start, end)
        begin, until = right_bounds[right_at[i]], right_bounds[right_at[i] + 1]
        common = count_common(table, uint64(size - 1), right, begin, until)
        every = (end - start) + (until - begin) - common
        out[i] = common / every if every else 0.0
