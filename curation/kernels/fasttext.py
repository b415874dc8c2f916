"""Scores texts with the arithmetic of fastText's classifiers (Joulin et al. 2016, arXiv 1607.01759; fastText 0.9.2).

The vector of a text is the mean of the rows of its words, of their n-grams of characters, and of its n-grams of words;
the last two are hashed into buckets. Each output of the model is a product of that vector with a row of the output
matrix. For a model with fewer outputs than dimensions, the products of all rows are made once (`project`), and then
only summed for each text: 2.5 times fastText's own speed for two labels and 100 dimensions, measured by `make bench`.
"""

import numpy as np
from numba import float32, float64, int64, uint64

from curation.kernels.compiled import inner, kernel, leaf
from curation.kernels.fasttext_words import (
    EMPTY_HASH,
    END_HASH,
    add_character,
    begins_character,
    is_label,
    next_word,
    ngram_step,
    row_of,
    word_hash,
)
from curation.kernels.hashing import hash_bytes

SOFTMAX, ONE_VS_ALL, TREE = 0, 1, 2
"""How outputs become probabilities."""
_MEMORY_WORDS, _MEMORY_BYTES = 1 << 14, 1 << 24
"""The sums of at most so many words are kept, in at most so many bytes."""
_SIGMOID_STEPS, _SIGMOID_MOST = 512, 8
"""fastText looks sigmoids of one-vs-all models up in a table of this many steps."""


@kernel
def read_entries(data, place, starts, ends, counts):
    """Fills the arrays with the bounds and counts of the entries of a model's dictionary, which begins at ``place``.

    Returns the place after the dictionary, or -1 if the data end before it.
    """
    for entry in range(starts.shape[0]):
        starts[entry] = place
        while place < data.shape[0] and data[place] != 0:
            place += 1
        ends[entry] = place
        if place + 10 > data.shape[0]:
            return -1
        count = uint64(0)
        for k in range(8):
            count |= uint64(data[place + 1 + k]) << uint64(8 * k)
        counts[entry] = int64(count)
        place += 10
    return place


@kernel
def project(vectors, output, products):
    """Fills ``products`` with the products of each row of ``vectors`` with each row of ``output``, in a fixed order of
    additions: libraries for matrices add in an order that depends on the machine."""
    totals = np.zeros(output.shape[0], np.float64)
    for row in range(vectors.shape[0]):
        totals[:] = 0
        for k in range(vectors.shape[1]):
            for label in range(output.shape[0]):
                totals[label] += float64(vectors[row, k]) * float64(output[label, k])
        for label in range(output.shape[0]):
            products[row, label] = float32(totals[label])


@inner
def _add(vectors, row, total):
    for k in range(total.shape[0]):
        total[k] += float64(vectors[row, k])


@inner
def _add_bucket(h, shape, kept, vectors, total):
    """Adds the row of a hash if the model has it; returns the number of rows added."""
    words, buckets = shape[0], shape[1]
    row = int64(h % uint64(buckets))
    if kept.shape[0] > 0:
        row = int64(kept[row])
        if row < 0:
            return 0
    _add(vectors, words + row, total)
    return 1


@leaf
def _add_characters(data, start, end, shape, kept, vectors, total):
    """Adds the rows of the n-grams of characters of a word; returns their number."""
    shortest, longest = shape[2], shape[3]
    added = 0
    for i in range(start - 1, end + 1):
        if not begins_character(data, i, start, end):
            continue
        h, j = EMPTY_HASH, i
        size = 0
        while j <= end and size < longest:
            h, j = add_character(h, data, j, start, end)
            size += 1
            if size >= shortest and not (size == 1 and (i < start or j > end)):
                added += _add_bucket(uint64(h), shape, kept, vectors, total)
    return added


@leaf
def _add_ngrams(h, open_ngrams, begun, shape, kept, vectors, total):
    """Adds the rows of the n-grams of words that end with a word of hash ``h``; returns their number.

    ``open_ngrams`` are the hashes of the n-grams that this word continues, the latest at ``begun - 1``.
    """
    size = open_ngrams.shape[0]
    added = 0
    for back in range(min(begun, size)):
        place = (begun - 1 - back) % size
        open_ngrams[place] = ngram_step(open_ngrams[place], h)
        added += _add_bucket(open_ngrams[place], shape, kept, vectors, total)
    open_ngrams[begun % size] = uint64(int64(h))
    return added


@kernel
def _word_memory(width):
    """Room for the sums of words: the hash of each, its number of rows, and their sum."""
    slots = 1
    while slots < _MEMORY_WORDS and 2 * slots * width * 8 <= _MEMORY_BYTES:
        slots *= 2
    return np.zeros(slots, np.uint64), np.empty(slots, np.int64), np.empty((slots, width), np.float64)


@leaf
def _add_word(key, row, data, start, end, inputs, memory, total):
    """Adds the rows of a word (at ``row``, or -1) and of its n-grams of characters; returns their number. The sum is
    kept in ``memory``, since most words are repeated."""
    _, _, kept, vectors, shape = inputs
    known, counts, sums = memory
    place = int64(key & uint64(known.shape[0] - 1))
    if known[place] != key:
        known[place], counts[place] = key, 0
        sums[place, :] = 0
        if row >= 0:
            _add(vectors, row, sums[place])
            counts[place] = 1
        counts[place] += _add_characters(data, start, end, shape, kept, vectors, sums[place])
    _add(sums, place, total)
    return counts[place]


@leaf
def _add_text(data, start, end, inputs, open_ngrams, memory, total):
    """Sets ``total`` to the mean of the rows of a text; returns whether the text has a word."""
    keys, rows, kept, vectors, shape = inputs
    longest, end_row, has_buckets = shape[3], shape[4], shape[1] > 0
    ngrams = open_ngrams.shape[0] > 0 and has_buckets
    total[:] = 0
    added, begun = 0, 0
    wordy = False
    i = start
    while True:
        first, i = next_word(data, i, end)
        if first == end:
            break
        key = hash_bytes(data, first, i)
        row = row_of(key, keys, rows)
        if row >= 0 and row == end_row:
            break
        if row < 0 and is_label(data, first, i):
            continue
        wordy = True
        if longest > 0 and has_buckets:
            added += _add_word(key, row, data, first, i, inputs, memory, total)
        elif row >= 0:
            _add(vectors, row, total)
            added += 1
        if ngrams:
            added += _add_ngrams(word_hash(data, first, i), open_ngrams, begun, shape, kept, vectors, total)
            begun += 1
    if end_row >= 0:
        _add(vectors, end_row, total)
        added += 1
    if ngrams:
        added += _add_ngrams(END_HASH, open_ngrams, begun, shape, kept, vectors, total)
    for k in range(total.shape[0]):
        total[k] /= max(added, 1)
    return wordy


@leaf
def _to_softmax(values):
    most = values[0]
    for k in range(1, values.shape[0]):
        most = max(most, values[k])
    total = float64(0)
    for k in range(values.shape[0]):
        values[k] = np.exp(values[k] - most)
        total += values[k]
    for k in range(values.shape[0]):
        values[k] /= total


@leaf
def _table_sigmoid(value):
    if value < -_SIGMOID_MOST:
        return float64(0)
    if value > _SIGMOID_MOST:
        return float64(1)
    step = int64((value + _SIGMOID_MOST) * _SIGMOID_STEPS / _SIGMOID_MOST / 2)
    return 1 / (1 + np.exp(-(step * 2.0 * _SIGMOID_MOST / _SIGMOID_STEPS - _SIGMOID_MOST)))


@leaf
def _to_sigmoids(values):
    for k in range(values.shape[0]):
        values[k] = 1 / (1 + np.exp(-values[k]))


@leaf
def _path_probability(sigmoids, nodes, is_right):
    """The probability of a leaf of a tree, by the sigmoids of the inner nodes on its path (-1 after the last)."""
    share = float64(1)
    k = 0
    while k < nodes.shape[0] and nodes[k] >= 0:
        right = sigmoids[nodes[k]]
        share *= right if is_right[k] else 1 - right
        k += 1
    return share


@leaf
def _multiply(total, output, values):
    """Sets ``values`` to the products of a vector with the columns of the output matrix; the vector itself if the
    matrix has no rows."""
    if output.shape[0] == 0:
        for label in range(values.shape[0]):
            values[label] = total[label]
        return
    values[:] = 0
    for k in range(output.shape[0]):
        for label in range(output.shape[1]):
            values[label] += total[k] * float64(output[k, label])


@kernel
def _room(model):
    """Arrays for `_outputs_of`: the hashes of open n-grams, the memory of words, the sum of a text, and its outputs."""
    _, _, _, vectors, output, _, _, shape = model
    total, values = np.zeros(vectors.shape[1], np.float64), np.zeros(output.shape[1], np.float64)
    return np.zeros(shape[5] - 1, np.uint64), _word_memory(vectors.shape[1]), total, values


@leaf
def _outputs_of(data, start, end, model, room):
    """Sets the outputs in ``room`` to those of a text: the probabilities of labels for softmax, of turns to the right
    for a tree, and what `_table_sigmoid` takes for one-vs-all. Returns whether the text has a word."""
    keys, rows, kept, vectors, output, _, _, shape = model
    open_ngrams, memory, total, values = room
    if not _add_text(data, start, end, (keys, rows, kept, vectors, shape), open_ngrams, memory, total):
        return False
    _multiply(total, output, values)
    if shape[6] == SOFTMAX:
        _to_softmax(values)
    elif shape[6] == TREE:
        _to_sigmoids(values)
    return True


@kernel
def label_probabilities(data, offsets, model, chosen, scores):
    """Fills ``scores`` (float64, a row for each text) with the probabilities of the ``chosen`` labels.

    White space, line feeds included, separates words. A text without words has NaN. ``model`` is
    `curation.fasttext.model.Model.arrays`.
    """
    nodes, is_right, kind = model[5], model[6], model[7][6]
    room = _room(model)
    values = room[3]
    for d in range(offsets.shape[0] - 1):
        if not _outputs_of(data, offsets[d], offsets[d + 1], model, room):
            scores[d, :] = np.nan
            continue
        for k in range(chosen.shape[0]):
            label = chosen[k]
            if kind == SOFTMAX:
                scores[d, k] = values[label]
            elif kind == ONE_VS_ALL:
                scores[d, k] = _table_sigmoid(values[label])
            else:
                scores[d, k] = _path_probability(values, nodes[label], is_right[label])


@kernel
def likeliest_labels(data, offsets, model, labels, scores):
    """Fills ``labels`` and ``scores`` with the number and the probability of the most likely label of each text.

    A text without words has -1 and NaN. ``model`` is that of `label_probabilities`.
    """
    nodes, is_right, kind = model[5], model[6], model[7][6]
    room = _room(model)
    values = room[3]
    for d in range(offsets.shape[0] - 1):
        labels[d], scores[d] = -1, np.nan
        if not _outputs_of(data, offsets[d], offsets[d + 1], model, room):
            continue
        best, most = 0, -np.inf
        for label in range(nodes.shape[0] if kind == TREE else values.shape[0]):
            value = _path_probability(values, nodes[label], is_right[label]) if kind == TREE else values[label]
            if value > most:
                best, most = label, value
        labels[d], scores[d] = best, float32(_table_sigmoid(most) if kind == ONE_VS_ALL else most)
