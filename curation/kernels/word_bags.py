"""Bags of words of texts (the words of shingles), and comparison of bags."""

import numpy as np
from numba import uint64

from curation.kernels.compiled import kernel, leaf
from curation.kernels.hashing import hash_bytes, hash_end, hash_part
from curation.kernels.minhash import word_hashes

_ALL_PAIRS = 16
"""Maximum size of a bucket in which all members are compared with each other."""
_WINDOW = 4
"""In a larger bucket, each member is compared with the first member and with this many members before it."""
_NO_WORDS = np.uint64(0x9E3779B97F4A7C15)


@leaf
def _without_space(data, start, end):
    while start < end and data[start] <= 0x20:
        start += 1
    while start < end and data[end - 1] <= 0x20:
        end -= 1
    return start, end


@kernel
def word_bags(data, offsets, classes, lower):
    """The key of each text (equal for texts with the same words in the same order), and its sorted word hashes.

    Returns (keys, hashes, bounds): the words of text d are hashes[bounds[d]:bounds[d + 1]]. The key of a text without
    words is the key of its bytes without surrounding ASCII white space.
    """
    count = offsets.shape[0] - 1
    longest = 0
    for d in range(count):
        longest = max(longest, offsets[d + 1] - offsets[d])
    words = np.empty(longest + 1, np.uint64)
    points = np.empty(longest + 1, np.uint32)
    keys = np.empty(count, np.uint64)
    bounds = np.zeros(count + 1, np.int64)
    bags = np.empty(1024, np.uint64)
    total = 0
    for d in range(count):
        n = word_hashes(data, offsets[d], offsets[d + 1], classes, lower, points, words)
        if total + n > bags.shape[0]:
            wider = np.empty(2 * (total + n), np.uint64)
            wider[:total] = bags[:total]
            bags = wider
        key = uint64(0)
        for i in range(n):
            key = hash_part(key, words[i])
        if n:
            keys[d] = hash_end(key, 8 * n)
        else:
            start, end = _without_space(data, offsets[d], offsets[d + 1])
            keys[d] = hash_bytes(data, start, end) ^ _NO_WORDS
        bag = bags[total : total + n]
        bag[:] = words[:n]
        bag.sort()
        total += n
        bounds[d + 1] = total
    return keys, bags[:total], bounds


@leaf
def _enough(bags, bounds, left, right, part, whole):
    """Whether two bags share at least ``part / whole`` of their union; repeated words count each time."""
    i = bounds[left]
    j = bounds[right]
    i_end = bounds[left + 1]
    j_end = bounds[right + 1]
    m = i_end - i
    n = j_end - j
    if whole * min(m, n) < part * max(m, n):
        return False
    least = (part * (m + n) + part + whole - 1) // (part + whole)
    lost = min(m, n) - least  # words of the smaller bag that may be missing in the other: stop beyond that
    if m > n:
        i, j, i_end, j_end = j, i, j_end, i_end
    shared = 0
    while i < i_end and j < j_end:
        if bags[i] == bags[j]:
            shared += 1
            i += 1
            j += 1
        elif bags[i] < bags[j]:
            i += 1
            lost -= 1
            if lost < 0:
                return False
        else:
            j += 1
    return whole * shared >= part * (m + n - shared)


@leaf
def _root(parent, node):
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@leaf
def join_alike(members, starts, bags, bounds, part, whole, parent):
    """Unites texts of one bucket that are alike, in the union-find forest ``parent``; the smallest number is the root.

    Bucket k holds the texts members[starts[k]:starts[k + 1]].
    """
    for k in range(starts.shape[0] - 1):
        first = starts[k]
        size = starts[k + 1] - first
        for i in range(first + 1, starts[k + 1]):
            low = first if size <= _ALL_PAIRS else max(first, i - _WINDOW)
            for step in range(i - low + 1):
                j = i - 1 - step
                if step == i - low:
                    if low == first:
                        break
                    j = first
                a = _root(parent, members[i])
                b = _root(parent, members[j])
                if a != b and _enough(bags, bounds, members[i], members[j], part, whole):
                    parent[max(a, b)] = min(a, b)


@kernel
def alike_to_any(bags, bounds, count, order, sizes, part, whole, out):
    """Sets ``out[d]`` for each of the first ``count`` texts that is alike to a text in ``order``.

    The texts in ``order`` are sorted by their ``sizes`` in words. All pairs are compared, except pairs whose sizes rule
    it out.
    """
    for d in range(count):
        n = bounds[d + 1] - bounds[d]
        low = np.searchsorted(sizes, (part * n + whole - 1) // whole)
        high = np.searchsorted(sizes, whole * n // part, side="right")
        for k in range(low, high):
            if _enough(bags, bounds, d, order[k], part, whole):
                out[d] = True
                break
