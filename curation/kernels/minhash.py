"""Shingles and MinHash over Arrow string buffers.

A word is a run of word characters (letters, digits, underscore, combining marks), lower-cased; in scripts written
without spaces each character is a word. A shingle is ``ngram`` consecutive words. Signatures follow datasketch 2.0's
``affine32`` scheme: the shingle's 32-bit hash goes through MurmurHash3's finaliser, then each permutation is
``a * h + b mod 2**32`` with ``a`` odd, and the signature holds the smallest value of each permutation.
"""

import numpy as np
import numpy.typing as npt
from numba import njit, uint32, uint64

from curation.kernels.unicode import SPACELESS, WORD, decode

_BASIS = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)

Uint32s = npt.NDArray[np.uint32]
Uint64s = npt.NDArray[np.uint64]


def permutations(count: int, seed: int) -> tuple[Uint32s, Uint32s]:
    """The factors and offsets of ``count`` permutations, as datasketch 2.0 draws them for ``affine32``."""
    draw = np.random.RandomState(seed)
    factors = draw.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    offsets = draw.randint(0, 1 << 32, count, dtype=np.uint32)
    return factors, offsets


@njit(inline="always")
def mix64(x):
    """The finaliser of SplitMix64: every input bit reaches every output bit."""
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    return x ^ (x >> np.uint64(31))


@njit(inline="always")
def _finalise32(h):
    h = uint32(h ^ (h >> np.uint32(16)))
    h = uint32(h * np.uint32(0x85EBCA6B))
    h = uint32(h ^ (h >> np.uint32(13)))
    h = uint32(h * np.uint32(0xC2B2AE35))
    return uint32(h ^ (h >> np.uint32(16)))


@njit(inline="always")
def _fold(classes, lower):
    """For each ASCII byte its lower-case letter, digit or underscore, 0 for what separates words."""
    fold = np.zeros(256, np.uint8)
    for byte in range(0x80):
        if classes[byte] & WORD:
            fold[byte] = lower[byte]
    return fold


@njit(nogil=True, cache=True)
def _word_hashes(data, start, end, fold, classes, lower, out):
    """Hashes of the words in data[start:end], FNV-1a over lower-cased code points; returns their number."""
    count = 0
    inside = False
    h = _BASIS
    i = start
    while i < end:
        byte = data[i]
        if byte < 0x80:
            letter = fold[byte]
            while letter:
                h = (h ^ uint64(letter)) * _PRIME
                inside = True
                i += 1
                if i == end:
                    break
                byte = data[i]
                letter = fold[byte]
            if byte < 0x80 and i < end:
                i += 1
                if inside:
                    out[count] = mix64(h)
                    count += 1
                    inside = False
                    h = _BASIS
            continue
        point, i = decode(data, i)
        kind = classes[point]
        if kind & SPACELESS:
            if inside:
                out[count] = mix64(h)
                count += 1
                inside = False
                h = _BASIS
            out[count] = mix64((_BASIS ^ uint64(lower[point])) * _PRIME)
            count += 1
        elif kind & WORD:
            h = (h ^ uint64(lower[point])) * _PRIME
            inside = True
        elif inside:
            out[count] = mix64(h)
            count += 1
            inside = False
            h = _BASIS
    if inside:
        out[count] = mix64(h)
        count += 1
    return count


@njit(nogil=True, cache=True, error_model="numpy")
def signatures(data, offsets, ngram, factors, shifts, classes, lower, out, shingles):
    """Fills ``out`` (documents x permutations) and ``shingles`` (words - ngram + 1, 0 when there are fewer words).

    ``data`` holds UTF-8, document d at data[offsets[d]:offsets[d + 1]].
    """
    longest = 0
    for d in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[d + 1] - offsets[d])
    fold = _fold(classes, lower)
    words = np.empty(longest + 1, np.uint64)
    hashes = np.empty(longest + 4, np.uint32)
    lead = uint64(1)
    for _ in range(ngram):
        lead = lead * _BASE
    count = factors.shape[0]
    for d in range(offsets.shape[0] - 1):
        row = out[d]
        row[:] = np.uint32(0xFFFFFFFF)
        n = _word_hashes(data, offsets[d], offsets[d + 1], fold, classes, lower, words)
        if n < ngram:
            shingles[d] = 0
            continue
        total = n - ngram + 1
        shingles[d] = total
        rolling = uint64(0)
        for i in range(n):
            rolling = rolling * _BASE + words[i]
            if i >= ngram:
                rolling -= words[i - ngram] * lead
            if i >= ngram - 1:
                hashes[i - ngram + 1] = _finalise32(uint32(mix64(rolling) >> np.uint64(32)))
        padded = (total + 3) // 4 * 4
        for i in range(total, padded):
            hashes[i] = hashes[total - 1]
        for i in range(0, padded, 4):
            h0 = hashes[i]
            h1 = hashes[i + 1]
            h2 = hashes[i + 2]
            h3 = hashes[i + 3]
            for p in range(count):
                a = factors[p]
                b = shifts[p]
                low = min(uint32(a * h0 + b), uint32(a * h1 + b))
                high = min(uint32(a * h2 + b), uint32(a * h3 + b))
                row[p] = min(row[p], min(low, high))


@njit(nogil=True, cache=True)
def band_keys(signature, bands, rows, out):
    """Fills ``out`` (documents x bands) with a 64-bit key of each band of ``rows`` consecutive values."""
    for d in range(signature.shape[0]):
        for band in range(bands):
            h = uint64(band + 1) * _BASE
            for r in range(rows):
                h = (h ^ uint64(signature[d, band * rows + r])) * _MIX_1
                h = h ^ (h >> np.uint64(32))
            out[d, band] = mix64(h)


@njit(nogil=True, cache=True)
def equal_shares(left, right, out):
    """Fills ``out`` with the share of equal values in each pair of signature rows: MinHash's estimate of Jaccard."""
    width = left.shape[1]
    for i in range(left.shape[0]):
        equal = 0
        for p in range(width):
            equal += left[i, p] == right[i, p]
        out[i] = equal / width


@njit(nogil=True, cache=True)
def count_words(data, offsets, classes, out):
    """Fills ``out`` with the number of words of each document (the words that shingles are made of)."""
    ascii_word = np.zeros(256, np.uint8)
    for byte in range(0x80):
        ascii_word[byte] = (classes[byte] & WORD) != 0
    for d in range(offsets.shape[0] - 1):
        count = 0
        before = np.uint8(0)
        i = offsets[d]
        end = offsets[d + 1]
        while i < end:
            byte = data[i]
            if byte < 0x80:
                now = ascii_word[byte]
                count += now & (before ^ np.uint8(1))
                before = now
                i += 1
                continue
            point, i = decode(data, i)
            kind = classes[point]
            if kind & SPACELESS:
                count += 1
                before = np.uint8(0)
            else:
                now = np.uint8((kind & WORD) != 0)
                count += now & (before ^ np.uint8(1))
                before = now
        out[d] = count
