"""The words of plain texts (see `plain_texts`) as numbers in a vocabulary. In scripts written without spaces each
character is a word, as in `minhash`."""

import numpy as np
from numba import int64

from curation.kernels.compiled import kernel, leaf
from curation.kernels.host_table import slot_of
from curation.kernels.unicode import SPACELESS, decode

_BLANK = 0x20


@leaf
def _next_word(data, i, end, classes):
    """Where the first word in data[i:end] begins and ends; both are ``end`` if there is no word."""
    while i < end and data[i] == _BLANK:
        i += 1
    first = i
    while i < end and data[i] != _BLANK:
        if data[i] < 0x80:
            i += 1
            continue
        point, after = decode(data, i)
        if classes[point] & SPACELESS:
            if i == first:
                i = after
            break
        i = after
    return first, i


@kernel
def word_places(data, offsets, classes):
    """The bytes [starts, ends) of all words, in ``data``.

    Document d is data[offsets[d]:offsets[d + 1]], a plain text in UTF-8.
    """
    count = 0
    for d in range(offsets.shape[0] - 1):
        first, i = _next_word(data, offsets[d], offsets[d + 1], classes)
        while first < i:
            count += 1
            first, i = _next_word(data, i, offsets[d + 1], classes)
    starts, ends = np.empty(count, np.int64), np.empty(count, np.int64)
    count = 0
    for d in range(offsets.shape[0] - 1):
        first, i = _next_word(data, offsets[d], offsets[d + 1], classes)
        while first < i:
            starts[count], ends[count] = first, i
            count += 1
            first, i = _next_word(data, i, offsets[d + 1], classes)
    return starts, ends


@kernel
def known_words(data, offsets, classes, listed, bounds, slots):
    """The number of each word in a vocabulary, -1 for a word that is not in it, and the bounds of documents' words.

    Document d is data[offsets[d]:offsets[d + 1]], a plain text in UTF-8. Word n of the vocabulary is
    listed[bounds[n]:bounds[n + 1]], and ``slots`` are those of `host_table`.
    """
    documents = offsets.shape[0] - 1
    numbers = np.empty((offsets[documents] - offsets[0]) // 2 + documents, np.int32)
    stops = np.empty(documents + 1, np.int64)
    count = 0
    stops[0] = 0
    for d in range(documents):
        first, i = _next_word(data, offsets[d], offsets[d + 1], classes)
        while first < i:
            numbers[count] = int64(slots[slot_of(data, first, i, listed, bounds, slots)]) - 1
            count += 1
            first, i = _next_word(data, i, offsets[d + 1], classes)
        stops[d + 1] = count
    return numbers[:count], stops
