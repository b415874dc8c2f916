"""Spans of tokens that documents share with samples, up to some mismatches: contamination as in Llama 2 (Touvron et al.
2023, appendix A.6)."""

import numpy as np
from numba import int64, uint64

from curation.kernels.compiled import inner, kernel, leaf
from curation.kernels.hashing import mix64
from curation.kernels.shingles import table_size

_BASE = np.uint64(0x9E3779B97F4A7C15)
"""The factor of the hash of a run of tokens."""
_MANY = 8
"""A window that more places of samples begin with is looked up once for equal tokens around it."""
COLUMNS = 6
"""Numbers of a found span: document, sample, place in the sample, place in the document, tokens, mismatches."""


@leaf
def _power(exponent):
    found = uint64(1)
    for _ in range(exponent):
        found = found * _BASE
    return found


@kernel
def window_hashes(tokens, bounds, width):
    """The hash of each window of ``width`` tokens inside a sample, and where the window begins.

    Sample s is tokens[bounds[s]:bounds[s + 1]].
    """
    hashes = np.empty(tokens.shape[0], np.uint64)
    places = np.empty(tokens.shape[0], np.int64)
    lead = _power(width)
    count = 0
    for s in range(bounds.shape[0] - 1):
        rolling = uint64(0)
        for i in range(bounds[s], bounds[s + 1]):
            rolling = rolling * _BASE + mix64(uint64(tokens[i]) + uint64(1))
            if i - bounds[s] >= width:
                rolling -= mix64(uint64(tokens[i - width]) + uint64(1)) * lead
            if i - bounds[s] >= width - 1:
                hashes[count] = rolling
                places[count] = i - width + 1
                count += 1
    return hashes[:count], places[:count]


@kernel
def hash_table(keys):
    """A table of different keys: (slots, index of the key in each slot, -1 for an empty slot)."""
    size = table_size(keys.shape[0])
    slots = np.zeros(size, np.uint64)
    index = np.full(size, -1, np.int32)
    mask = uint64(size - 1)
    for k in range(keys.shape[0]):
        place = mix64(keys[k]) & mask
        while index[place] >= 0:
            place = (place + uint64(1)) & mask
        slots[place] = keys[k]
        index[place] = k
    return slots, index


@inner
def _find(slots, index, mask, key):
    """The index of a key in a table, or -1."""
    place = mix64(key) & mask
    while index[place] >= 0:
        if slots[place] == key:
            return int64(index[place])
        place = (place + uint64(1)) & mask
    return int64(-1)


@leaf
def _extend(tokens, p, stop, document, j, end, width, budget):
    """The length of the longest span that begins with equal tokens at tokens[p:stop] and document[j:end], with its
    mismatches: the first ``width`` tokens and the last token match, and at most ``budget`` tokens do not. The length is
    0 if the first ``width`` tokens differ."""
    for k in range(width):
        if tokens[p + k] != document[j + k]:
            return 0, 0
    length, mismatches, passed = width, 0, 0
    for k in range(width, min(stop - p, end - j)):
        if tokens[p + k] == document[j + k]:
            length, mismatches = k + 1, passed
        else:
            passed += 1
            if passed > budget:
                break
    return length, mismatches


@kernel
def find_spans(documents, offsets, tokens, bounds, owners, index, width, budget, behind, longest, covered):
    """The best span of each pair of a document and a sample that share a span of more than ``width`` tokens: int64 of
    shape (pairs, COLUMNS), in the order of documents; the longest, then the one with the fewest mismatches, then the
    first in the sample and the document.

    Document d is documents[offsets[d]:offsets[d + 1]]; sample s is tokens[bounds[s]:bounds[s + 1]], and ``owners`` has
    the sample of each token. ``index`` is (slots, index) of `hash_table` over the hashes of windows, the start of each
    window's places in ``places``, and ``places``. Raises ``longest`` of each token of a sample to the length of the
    longest span that it lies in, if it is not among the last ``behind`` tokens of the span (at most ``width``), and
    sets ``covered`` for each token of a document that lies in a span.
    """
    slots, numbers, starts, places = index
    mask = uint64(slots.shape[0] - 1)
    best = np.full(bounds.shape[0], -1, np.int64)
    found = np.empty((64, COLUMNS), np.int64)
    rows = 0
    lead = _power(width)
    reach = 0
    for s in range(bounds.shape[0] - 1):
        reach = max(reach, bounds[s + 1] - bounds[s])
    around = _power(reach + 1)
    sums = np.empty(1, np.uint64)
    seen = np.empty(1, np.uint64)
    extents = np.empty(1, np.int64)
    for d in range(offsets.shape[0] - 1):
        first, end = offsets[d], offsets[d + 1]
        opened = rows
        summed = False
        rolling = uint64(0)
        for last in range(first, end):
            rolling = rolling * _BASE + mix64(uint64(documents[last]) + uint64(1))
            if last - first >= width:
                rolling -= mix64(uint64(documents[last - width]) + uint64(1)) * lead
            if last - first < width - 1:
                continue
            number = _find(slots, numbers, mask, rolling)
            if number < 0:
                continue
            j = last - width + 1
            noted = int64(-1)
            if starts[number + 1] - starts[number] > _MANY and j > first and j + reach <= end:
                if not summed:
                    summed = True
                    sums = np.empty(end - first + 1, np.uint64)
                    sums[0] = uint64(0)
                    for i in range(first, end):
                        sums[i - first + 1] = sums[i - first] * _BASE + mix64(uint64(documents[i]) + uint64(1))
                    seen = np.empty(table_size(end - first), np.uint64)
                    extents = np.full(seen.shape[0], -1, np.int64)
                context = sums[j + reach - first] - sums[j - 1 - first] * around
                slot = mix64(context) & uint64(seen.shape[0] - 1)
                while extents[slot] >= 0 and seen[slot] != context:
                    slot = (slot + uint64(1)) & uint64(seen.shape[0] - 1)
                if extents[slot] >= 0:
                    for k in range(j, j + extents[slot]):
                        covered[k] = 1
                    continue
                seen[slot] = context
                extents[slot] = 0
                noted = int64(slot)
            for at in range(starts[number], starts[number + 1]):
                p = places[at]
                s = owners[p]
                if j > first and p > bounds[s] and tokens[p - 1] == documents[j - 1]:
                    continue  # inside the span that begins a token earlier
                length, mismatches = _extend(tokens, p, bounds[s + 1], documents, j, end, width, budget)
                if length <= width:
                    continue
                for k in range(p, p + length - behind):
                    longest[k] = max(longest[k], length)
                for k in range(j, j + length):
                    covered[k] = 1
                if noted >= 0:
                    extents[noted] = max(extents[noted], length)
                row = best[s]
                if row < 0:
                    if rows == found.shape[0]:
                        larger = np.empty((2 * rows, COLUMNS), np.int64)
                        larger[:rows] = found
                        found = larger
                    row = rows
                    best[s] = row
                    rows += 1
                    found[row, 4] = 0
                held = found[row]
                place = p - bounds[s]
                if length > held[4] or (
                    length == held[4] and (mismatches, place, j - first) < (held[5], held[2], held[3])
                ):
                    held[0], held[1], held[2], held[3] = d, s, place, j - first
                    held[4], held[5] = length, mismatches
        for row in range(opened, rows):
            best[found[row, 1]] = -1
    return found[:rows].copy()
