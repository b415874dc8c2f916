"""Trains fastText's classifier (Joulin et al. 2016): splits texts into words, and descends the gradient."""

import numpy as np
from numba import float32, int64, uint64

from curation.kernels.compiled import kernel, leaf
from curation.kernels.fasttext_words import END_HASH, is_label, next_word, ngram_step, word_hash
from curation.kernels.hashing import hash_bytes, mix64


@kernel
def split_words(data, offsets, end_key, keys, hashes, bounds, stops):
    """Fills the arrays with each word's key, fastText's hash and bounds, and ``stops`` with the number of words up to
    the end of each text. Returns the number of all words.

    Each text ends with </s> (its key is ``end_key``, its bounds are equal). Words that begin with __label__ are left
    out, as is all that follows a </s> in a text.
    """
    count = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        while True:
            first, i = next_word(data, i, end)
            if first == end:
                break
            key = hash_bytes(data, first, i)
            if key == end_key:
                break
            if is_label(data, first, i):
                continue
            keys[count], hashes[count] = key, word_hash(data, first, i)
            bounds[count, 0], bounds[count, 1] = first, i
            count += 1
        keys[count], hashes[count] = end_key, END_HASH
        bounds[count, 0], bounds[count, 1] = end, end
        count += 1
        stops[d] = count
    return count


@kernel
def random_rows(seed, inputs):
    """Fills ``inputs`` with numbers from -1 to 1, divided by the dimensions, from a seed."""
    dimensions = inputs.shape[1]
    for row in range(inputs.shape[0]):
        for k in range(dimensions):
            drawn = mix64(uint64(seed) * uint64(0x9E3779B97F4A7C15) + uint64(row * dimensions + k + 1))
            inputs[row, k] = float32((int64(drawn >> uint64(40)) / 8388608.0 - 1.0) / dimensions)


@leaf
def _find_rows(rows, hashes, start, stop, words, buckets, ngrams, found):
    """Sets ``found`` to the rows of a text's words and n-grams of words; returns their number."""
    count = 0
    for i in range(start, stop):
        if rows[i] >= 0:
            found[count] = rows[i]
            count += 1
    for i in range(start, stop if buckets > 0 else start):
        h = uint64(int64(hashes[i]))
        for j in range(i + 1, min(stop, i + ngrams)):
            h = ngram_step(h, hashes[j])
            found[count] = words + int64(h % uint64(buckets))
            count += 1
    return count


@leaf
def _step(found, count, label, rate, inputs, outputs, hidden, gradient, shares):
    """Moves the rows of one text, and the outputs, along the gradient of the softmax loss."""
    dimensions = inputs.shape[1]
    hidden[:] = 0
    gradient[:] = 0
    for n in range(count):
        for k in range(dimensions):
            hidden[k] += inputs[found[n], k]
    for k in range(dimensions):
        hidden[k] /= float32(count)
    total = float32(0)
    for each in range(outputs.shape[0]):
        shares[each] = 0
        for k in range(dimensions):
            shares[each] += outputs[each, k] * hidden[k]
    most = shares[0]
    for each in range(outputs.shape[0]):
        most = max(most, shares[each])
    for each in range(outputs.shape[0]):
        shares[each] = np.exp(shares[each] - most)
        total += shares[each]
    for each in range(outputs.shape[0]):
        alpha = rate * (float32(each == label) - shares[each] / total)
        for k in range(dimensions):
            gradient[k] += alpha * outputs[each, k]
            outputs[each, k] += alpha * hidden[k]
    for k in range(dimensions):
        gradient[k] /= float32(count)
    for n in range(count):
        for k in range(dimensions):
            inputs[found[n], k] += gradient[k]


@kernel
def learn(rows, hashes, starts, stops, labels, order, shape, rates, inputs, outputs):
    """One step for each text of ``order``, with falling rates.

    ``rows`` and ``hashes`` are those of all words; the text t has the words from ``starts[t]`` to ``stops[t]`` and the
    label ``labels[t]``. ``shape`` is (words of the vocabulary, buckets, longest n-gram of words).
    """
    words, buckets, ngrams = shape
    longest = 1
    for t in order:
        longest = max(longest, stops[t] - starts[t])
    found = np.empty(longest * max(ngrams, 1), np.int64)
    hidden, gradient = np.empty(inputs.shape[1], np.float32), np.empty(inputs.shape[1], np.float32)
    shares = np.empty(outputs.shape[0], np.float32)
    for place in range(order.shape[0]):
        t = order[place]
        count = _find_rows(rows, hashes, starts[t], stops[t], words, buckets, ngrams, found)
        if count > 0:
            _step(found, count, labels[t], rates[place], inputs, outputs, hidden, gradient, shares)
