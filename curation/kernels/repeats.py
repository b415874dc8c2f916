"""Measures the repetition of texts by any definition of Gopher's rules: of paragraphs, lines and n-grams of words.

`repetition.py` has the default definition, fused with the splitting of English words.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import int64, uint64

from curation.kernels.buffers import text_buffers
from curation.kernels.compiled import inner, kernel, leaf
from curation.kernels.hashing import hash_end, hash_part, load_part
from curation.kernels.lines import count_characters, find_byte
from curation.kernels.measured import NGRAM_SIGNALS, PIECE_SIGNALS, Measured, share
from curation.kernels.memory import count_bits
from curation.kernels.pieces import split_pieces
from curation.kernels.repetition import (
    FIRST_DUPLICATE,
    FIRST_SIZE,
    LAST_SIZE,
    MOST_WORDS,
    begin_grams,
    count_duplicates,
    keep_repeated,
    next_gram,
    table_bits,
)
from curation.kernels.word_splitters import Words
from curation.kernels.word_tables import word_tables

REPETITION = (*PIECE_SIGNALS, *NGRAM_SIGNALS)
"""Rows of `measure_repetition`."""
_NGRAMS = len(PIECE_SIGNALS)
_HIGH_BITS = np.uint64(0x8080808080808080)
OVER_TEXT, OVER_PIECES, OVER_WORDS = range(3)
TWICE, ONCE, REPLACED = range(3)
"""How the characters of the top n-gram count: those of each occurrence; of each word once; those that vanish if the
n-gram, with single spaces, is removed from the text."""
GREEDY, LATER, ALL, COVERED = range(4)
"""Which n-grams are duplicates: later ones from left to right without overlap; later ones, each word once; all
occurrences of repeated ones, over the characters of all n-grams; all occurrences, each word once."""


class RepetitionSettings(NamedTuple):
    """The numbers and switches (0 or 1) of a definition, for the kernel."""

    in_bytes: int
    line_breaks: int
    line_kept: int
    paragraph_breaks: int
    paragraph_kept: int
    stripped: int
    all_pieces: int
    """Whether the first occurrence of a repeated piece is a duplicate too."""
    pieces_over: int
    top_once: int
    """Whether an n-gram may be the top one if it occurs once."""
    top_longest: int
    """Whether the longest of equally frequent n-grams is the top one."""
    top_counted: int
    spaces: int
    """Whether the spaces between the words of an n-gram count."""
    duplicates: int
    ngrams_over: int
    """`OVER_TEXT` or `OVER_WORDS`."""
    short_is_one: int
    """Whether a text of fewer than n words has the value 1, not 0."""


@inner
def _hash_word(data, start, end):
    """The hash of data[start:end], and its length in characters."""
    key = uint64(0)
    behind = int64(0)
    for i in range(start, end, 8):
        part = load_part(data, i, end - i)
        key = hash_part(key, part)
        if part & _HIGH_BITS:
            behind += count_bits(part & ~(part << uint64(1)) & _HIGH_BITS)
    return hash_end(key, end - start), end - start - behind


@leaf
def _hash_words(data, starts, ends, in_bytes, hashes, sums):
    """Writes the hash of each word, and the length of the first k words for each k."""
    sums[0] = 0
    for k in range(starts.shape[0]):
        key, characters = _hash_word(data, starts[k], ends[k])
        hashes[k] = key
        sums[k + 1] = sums[k] + (ends[k] - starts[k] if in_bytes else characters)


@kernel
def _count_all(keys, lengths, count, slots, times):
    """As `count_duplicates`, with the first occurrence of each repeated piece. ``times`` has room for all pieces."""
    bits = table_bits(count)
    if slots.shape[0] < 1 << bits:
        slots = np.empty(1 << bits, np.int32)
    shift = uint64(64 - bits)
    slots[: 1 << bits] = -1
    duplicates = 0
    characters = int64(0)
    for k in range(count):
        place = int64(keys[k] >> shift)
        while slots[place] >= 0 and keys[slots[place]] != keys[k]:
            place = (place + 1) & ((1 << bits) - 1)
        first = slots[place]
        if first < 0:
            slots[place] = k
            times[k] = 1
            continue
        repeated = times[first] == 1
        times[first] = 2
        duplicates += 2 if repeated else 1
        characters += lengths[k] * (2 if repeated else 1)
    return duplicates, characters, slots


@leaf
def _covered(candidate, first, left, chosen, size, times, later, sums, spaces):
    """The characters of the words in some of the n-grams, each word once.

    The n-grams are the occurrences of the one that begins at ``chosen``, or of all repeated ones if that is -1; with
    ``later``, without their first occurrences. Spaces count between the words that an occurrence adds, and before them.
    """
    total = int64(0)
    free = int64(0)
    for k in range(left):
        i = int64(candidate[k])
        f = first[i]
        if times[f] < 2 if chosen < 0 else f != chosen:
            continue
        if later and f == i:
            continue
        begin = max(free, i)
        total += sums[i + size] - sums[begin]
        if spaces:
            total += min(i + size - begin, size - 1)
        free = i + size
    return total


@leaf
def _removed(data, start, end, starts, ends, i, size, room):
    """The bytes that vanish from data[start:end] if the n-gram at word i, with single spaces, is removed from it.

    Returns the number of occurrences and the number of characters of one. ``room`` holds the n-gram.
    """
    length = 0
    for k in range(i, i + size):
        if k > i:
            room[length] = 0x20
            length += 1
        for at in range(starts[k], ends[k]):
            room[length] = data[at]
            length += 1
    found = int64(0)
    at = find_byte(data, start, end, room[0])
    while at < end:
        same = 0
        if at + length <= end:
            while same < length and data[at + same] == room[same]:
                same += 1
        if same == length:
            found += 1
            at += length - 1
        at = find_byte(data, at + 1, end, room[0])
    return found, count_characters(room, 0, length)


@leaf
def _top(candidate, first, left, count, size, times, sums, settings):
    """The word at which the top n-gram begins, and how often it occurs."""
    best, most = int64(-1), int64(1)
    for k in range(left):
        i = int64(candidate[k])
        if first[i] != i or times[i] < 2:
            continue
        longer = best >= 0 and sums[i + size] - sums[i] > sums[best + size] - sums[best]
        if times[i] > most or (times[i] == most and settings.top_longest and longer):
            best, most = i, int64(times[i])
    if best < 0 and settings.top_once and count >= size:
        best = int64(0)
        for i in range(1, count - size + 1 if settings.top_longest else 0):
            if sums[i + size] - sums[i] > sums[best + size] - sums[best]:
                best = int64(i)
    return best, most


@leaf
def _greedy(candidate, first, left, size, seen, sums):
    """The characters of n-grams seen before, from left to right without overlap."""
    total = int64(0)
    free = int64(0)
    for k in range(left):
        i = int64(candidate[k])
        if i < free:
            continue
        if seen[first[i]] == size:
            total += sums[i + size] - sums[i]
            free = i + size
        else:
            seen[first[i]] = size
    return total


@leaf
def _every(candidate, first, left, size, times, sums):
    """The characters of all occurrences of repeated n-grams, overlaps counted again."""
    total = int64(0)
    for k in range(left):
        i = int64(candidate[k])
        if times[first[i]] > 1:
            total += sums[i + size] - sums[i]
    return total


@leaf
def _grams_length(sums, count, size):
    total = int64(0)
    for i in range(count - size + 1):
        total += sums[i + size] - sums[i]
    return total


@leaf
def _find_repeats(hashes, candidate, left, size, grams, first, times, slots):
    """Finds for each candidate where its n-gram occurs first, and how often."""
    bits = table_bits(left)
    shift = uint64(64 - bits)
    mask = (1 << bits) - 1
    slots[: 1 << bits] = -1
    for k in range(left):
        i = candidate[k]
        gram = next_gram(grams[i], hashes[i + size - 1])
        grams[i] = gram
        place = int64(gram >> shift)
        f = slots[place]
        while f >= 0 and grams[f] != gram:
            place = (place + 1) & mask
            f = slots[place]
        if f < 0:
            slots[place] = i
            f = i
            times[i] = 1
        else:
            times[f] += 1
        first[i] = f


@leaf
def _ngram_values(data, start, end, starts, ends, hashes, sums, settings, length, slots, grams, places, room, out):
    """Fills the rows of n-grams of one text, whose words have ``hashes``; ``sums[k]`` is the length of the first k."""
    candidate, first, times, seen = places[0], places[1], places[2], places[3]
    count = min(starts.shape[0], MOST_WORDS)
    over = sums[count] if settings.ngrams_over == OVER_WORDS else length
    left = begin_grams(hashes, count, candidate, grams, seen)
    for size in range(FIRST_SIZE, LAST_SIZE + 1):
        row = _NGRAMS + size - FIRST_SIZE
        if count < size:
            out[row] = share(over if settings.short_is_one else 0, over)
            continue
        if left > 0:
            _find_repeats(hashes, candidate, left, size, grams, first, times, slots)
        if size < FIRST_DUPLICATE:
            best, most = _top(candidate, first, left, count, size, times, sums, settings)
            if best < 0:
                part = int64(0)
            elif settings.top_counted == REPLACED:
                found, characters = _removed(data, start, end, starts, ends, best, size, room)
                part = int64(found * characters)
            elif settings.top_counted == ONCE and most > 1:
                part = _covered(candidate, first, left, best, size, times, False, sums, settings.spaces)
            else:
                part = most * (sums[best + size] - sums[best] + (size - 1 if settings.spaces else 0))
            out[row] = share(part, over)
        elif settings.duplicates == GREEDY:
            out[row] = share(_greedy(candidate, first, left, size, seen, sums), over)
        elif settings.duplicates == ALL:
            part = _every(candidate, first, left, size, times, sums)
            out[row] = share(part, _grams_length(sums, count, size))
        else:
            later = settings.duplicates == LATER
            part = _covered(candidate, first, left, int64(-1), size, times, later, sums, settings.spaces)
            out[row] = share(part, over)
        left = keep_repeated(candidate, left, first, times)


@kernel
def measure_repetition(data, offsets, words, kinds, settings, out):
    """Fills a column of ``out`` (rows as in `REPETITION`) for each text. An undefined value is NaN."""
    keys, lengths = np.empty(64, np.uint64), np.empty(64, np.int64)
    hashes, sums, grams = np.empty(0, np.uint64), np.empty(1, np.int64), np.empty(0, np.uint64)
    places, slots, times = np.empty((4, 0), np.int32), np.empty(16, np.int32), np.empty(64, np.int32)
    room = np.empty(0, np.uint8)
    values = np.empty(len(REPETITION), np.float64)
    for d in range(offsets.shape[0] - 1):
        start, end = offsets[d], offsets[d + 1]
        at, behind = words.firsts[d], words.firsts[d + 1]
        starts, ends = words.starts[at:behind], words.ends[at:behind]
        count = starts.shape[0]
        limit = min(count, MOST_WORDS)
        if sums.shape[0] <= count:
            hashes, sums = np.empty(2 * count, np.uint64), np.empty(2 * count + 1, np.int64)
        if grams.shape[0] < limit:
            grams, places = np.empty(2 * limit, np.uint64), np.empty((4, 2 * limit), np.int32)
        if slots.shape[0] < 4 * limit:
            slots = np.empty(8 * limit, np.int32)
        if settings.top_counted == REPLACED and room.shape[0] < end - start + LAST_SIZE:
            room = np.empty(2 * (end - start) + LAST_SIZE, np.uint8)
        _hash_words(data, starts, ends, settings.in_bytes, hashes, sums)
        length = end - start if settings.in_bytes else count_characters(data, start, end)
        for part in range(2):
            pieces, keys, lengths = split_pieces(
                data,
                start,
                end,
                settings.line_breaks if part else settings.paragraph_breaks,
                settings.stripped,
                settings.line_kept if part else settings.paragraph_kept,
                settings.in_bytes,
                kinds,
                keys,
                lengths,
            )
            if settings.all_pieces:
                if times.shape[0] < pieces:
                    times = np.empty(2 * pieces, np.int32)
                again, characters, slots = _count_all(keys, lengths, pieces, slots, times)
            else:
                again, characters, slots = count_duplicates(keys, lengths, pieces, slots)
            over = length
            if settings.pieces_over == OVER_PIECES:
                over = lengths[:pieces].sum()
            elif settings.pieces_over == OVER_WORDS:
                over = sums[count]
            values[2 * part] = share(again, pieces if length else 0)
            values[2 * part + 1] = share(characters, over if pieces else 0)
        _ngram_values(
            data, start, end, starts, ends, hashes, sums, settings, length, slots, grams, places, room, values
        )
        out[:, d] = values


def repetition_values(texts: pa.LargeStringArray, words: Words, settings: RepetitionSettings) -> Measured:
    """Measures a column, with its words by any splitter."""
    data, offsets = text_buffers(texts)
    values = np.empty((len(REPETITION), len(texts)), np.float64)
    measure_repetition(data, offsets, words, word_tables().kinds, settings, values)
    return Measured(texts, REPETITION, values)
