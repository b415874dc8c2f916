"""Identifies the most likely language of a text, with the arithmetic of fastText's compressed model.

The vector of a text is the mean of the vectors of its words and of their n-grams of 2 to 4 characters (with < and >
around a word). The probability of a label is the product of the choices on its path through a binary tree. The vectors
of each word are summed first, and the sums are kept while a column is measured, since most words are repeated: sums
differ from fastText's in the last bits of a float, at 5 times its speed, measured by `make bench`.
"""

import numpy as np
import numpy.typing as npt
from numba import float32, int64, uint32, uint64

from curation.kernels.compiled import inner, kernel, leaf
from curation.kernels.fasttext_words import EMPTY_HASH, add_character, begins_character, is_label, next_word, row_of
from curation.kernels.hashing import hash_bytes
from curation.kernels.memory import count_bits

DIMENSIONS, PARTS, BUCKETS = 16, 8, 2_000_000
_WIDTH = DIMENSIONS // PARTS
WORD_SLOTS = 1 << 15
_SHORTEST, _LONGEST = 2, 4
_MEMORY_BITS = 14
"""Sums of 2 ** 14 words are kept."""


def bucket_ranks(buckets: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
    """A set of buckets (ascending) as rows of 64 bits, each with the number of buckets in the rows before."""
    table = np.zeros((BUCKETS // 64 + 1, 2), np.uint64)
    np.bitwise_or.at(table[:, 0], buckets // 64, np.uint64(1) << (buckets % 64).astype(np.uint64))
    table[1:, 1] = np.cumsum(np.bincount(buckets // 64, minlength=len(table)))[:-1]
    return table


@inner
def _add_row(row, codes, centroids, norms, total):
    norm = norms[codes[row, PARTS]]
    for part in range(PARTS):
        code = codes[row, part]
        for k in range(_WIDTH):
            total[part * _WIDTH + k] += norm * centroids[part, code, k]


@inner
def _add_bucket(h, words, buckets, codes, centroids, norms, total):
    """Adds the row of an n-gram's hash if the model has it; returns the number of rows added."""
    bucket = h % uint32(BUCKETS)
    bits = buckets[bucket >> uint32(6), 0]
    bit = uint64(1) << uint64(bucket & uint32(63))
    if bits & bit == 0:
        return 0
    rank = buckets[bucket >> uint32(6), 1] + count_bits(bits & (bit - uint64(1)))
    _add_row(words + int64(rank), codes, centroids, norms, total)
    return 1


@leaf
def _add_word(data, start, end, row, words, buckets, codes, centroids, norms, total):
    """Sets ``total`` to the sum of the vectors of a word (at a row, or -1) and of its n-grams; returns their number."""
    total[:] = 0
    added = 0
    if row >= 0:
        _add_row(row, codes, centroids, norms, total)
        added = 1
    for i in range(start - 1, end + 1):
        if not begins_character(data, i, start, end):
            continue
        h, j = EMPTY_HASH, i
        size = 0
        while j <= end and size < _LONGEST:
            h, j = add_character(h, data, j, start, end)
            size += 1
            if size >= _SHORTEST:
                added += _add_bucket(h, words, buckets, codes, centroids, norms, total)
    return added


@leaf
def _best_leaf(vector, output, tree, stack, scores):
    """The most likely leaf and the logarithm of its probability."""
    leaves = tree.shape[0] + 1
    best, best_score = 0, float32(-np.inf)
    depth = 1
    stack[0] = 2 * leaves - 2
    scores[0] = 0
    while depth > 0:
        depth -= 1
        node, score = stack[depth], scores[depth]
        if score < best_score:
            continue
        if node < leaves:
            best, best_score = node, score
            continue
        dot = float32(0)
        for k in range(DIMENSIONS):
            dot += output[node - leaves, k] * vector[k]
        right = float32(1 / (1 + np.exp(-dot)))
        likely = 1 if right > 0.5 else 0
        for turn in range(2):  # the more likely child last, to be visited first
            side = likely if turn == 1 else 1 - likely
            share = right if side == 1 else float32(1 - right)
            stack[depth] = tree[node - leaves, side]
            scores[depth] = float32(score + np.log(share + 1e-5))
            depth += 1
    return best, best_score


@leaf
def _text_vector(data, start, end, inputs, known, sums, counts, vector):
    """Sets ``vector`` to the mean over data[start:end]; returns whether there are words.

    ``known``, ``sums`` and ``counts`` are the kept sums of words.
    """
    word_keys, word_rows, buckets, codes, centroids, norms, end_row, words = inputs
    vector[:] = 0
    added = 0
    wordy = False
    i = start
    while True:
        first, i = next_word(data, i, end)
        if first == end:
            break
        wordy = True
        key = hash_bytes(data, first, i)
        place = int64(key >> uint64(64 - _MEMORY_BITS))
        if known[place] != key:
            row = row_of(key, word_keys, word_rows)
            if row == end_row:
                break
            if row < 0 and is_label(data, first, i):
                continue
            known[place] = key
            counts[place] = _add_word(data, first, i, row, words, buckets, codes, centroids, norms, sums[place])
        for k in range(DIMENSIONS):
            vector[k] += sums[place, k]
        added += counts[place]
    _add_row(end_row, codes, centroids, norms, vector)
    for k in range(DIMENSIONS):
        vector[k] *= float32(1) / float32(added + 1)
    return wordy


@kernel
def identify_languages(data, offsets, characters, model, labels, scores):
    """Fills ``labels`` and ``scores`` with the most likely label and its probability (0 to 1) for each text.

    Only the first ``characters`` of a text are read. A text without words has label -1 and score NaN. ``model`` is a
    `LanguageModel` without its labels.
    """
    word_keys, word_rows, buckets, codes, centroids, norms, output, tree, end_row = model
    known = np.zeros(1 << _MEMORY_BITS, np.uint64)
    sums = np.empty((1 << _MEMORY_BITS, DIMENSIONS), np.float32)
    counts = np.empty(1 << _MEMORY_BITS, np.int32)
    vector = np.empty(DIMENSIONS, np.float32)
    stack, path_scores = np.empty(2 * len(tree) + 2, np.int64), np.empty(2 * len(tree) + 2, np.float32)
    words = codes.shape[0] - int64(buckets[-1, 1]) - int64(count_bits(buckets[-1, 0]))
    inputs = (word_keys, word_rows, buckets, codes, centroids, norms, end_row, words)
    for d in range(offsets.shape[0] - 1):
        start, end = offsets[d], offsets[d + 1]
        if characters < end - start:
            left = characters
            i = start
            while i < end and (left > 0 or data[i] & 0xC0 == 0x80):
                left -= (data[i] & 0xC0) != 0x80
                i += 1
            end = i
        wordy = _text_vector(data, start, end, inputs, known, sums, counts, vector)
        label, score = _best_leaf(vector, output, tree, stack, path_scores)
        labels[d] = label if wordy else -1
        scores[d] = min(float32(np.exp(score)), float32(1)) if wordy else np.nan
