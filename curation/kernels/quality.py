"""Measures the words and lines of texts by any definition of Gopher's quality rules.

`signals.py` measures them by the default definition, in one pass with the repetition of words.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import int64, uint64

from curation.kernels import unicode
from curation.kernels.buffers import Texts, text_buffers
from curation.kernels.compiled import kernel, leaf
from curation.kernels.hashing import hash_part, load_part
from curation.kernels.lines import find_byte, strip
from curation.kernels.measured import QUALITY_SIGNALS, Measured, share
from curation.kernels.pieces import begins_with, count_mark, counts_as, ends_with, is_mark, piece_end
from curation.kernels.unicode import decode
from curation.kernels.word_classes import LETTER, SYMBOL
from curation.kernels.word_splitters import Words
from curation.kernels.word_tables import word_tables
from curation.kernels.words import letters_at_start

EACH, SUMMED, CONTAINING, ALONE = range(4)
"""How symbols are counted: apart, together, as words that hold one, as words that are one."""
LONGEST_MEDIAN = 4095
"""Medians of the length of words are cut off here."""
_HASH = np.uint8(0x23)
_SPACED = b". . ."
_DOT = np.uint8(0x2E)


class QualitySettings(NamedTuple):
    """The numbers and switches (0 or 1) of a definition, for the kernel."""

    median: int
    in_bytes: int
    count_punctuation: int
    alpha_punctuation: int
    symbol_punctuation: int
    symbols: int
    join_spaced: int
    """Whether ". . ." is one word among those that symbols are divided by."""
    breaks: int
    stripped: int
    bullet_kept: int
    ellipsis_kept: int
    ignore_case: int
    """Whether stop words match in any case."""
    every_stop_word: int
    """Whether each occurrence of a stop word counts."""


class StopWords(NamedTuple):
    """Stop words in a hash table (open addressing, a power of two of slots)."""

    keys: npt.NDArray[np.uint64]
    numbers: npt.NDArray[np.int32]
    """-1 for a free slot."""
    longest: int
    """In characters."""
    listed: int


@leaf
def letters_key(data, start, end, lower, ignore_case):
    """A hash of the characters of data[start:end], in lower case if asked."""
    key = uint64(0)
    i = start
    while i < end:
        point, i = decode(data, i)
        key = hash_part(key, uint64((lower[point] if ignore_case else point) + 1))
    return key


@leaf
def _stop_word(key, keys, numbers):
    """The number of the stop word, or -1."""
    mask = keys.shape[0] - 1
    slot = int64(key & uint64(mask))
    while numbers[slot] >= 0:
        if keys[slot] == key:
            return numbers[slot]
        slot = (slot + 1) & mask
    return -1


@leaf
def _has_mark(data, start, end, marks, firsts, whole):
    """Whether the word data[start:end] holds a mark, or is one."""
    bounds = marks[1]
    for i in range(start, start + 1 if whole else end):
        if firsts[data[i]]:
            for m in range(bounds.shape[0] - 1):
                if is_mark(data, i, end, marks, m) and (not whole or i + bounds[m + 1] - bounds[m] == end):
                    return True
    return False


@leaf
def _median(histogram, count):
    """The median of values that were counted by value."""
    low, high = int64(-1), int64(-1)
    seen = int64(0)
    for value in range(histogram.shape[0]):
        seen += histogram[value]
        if low < 0 and 2 * seen >= count:
            low = value
        if 2 * seen > count:
            high = value
            break
    return (low + high) / 2


@leaf
def _word_values(data, starts, ends, kinds, lower, settings, stops, marks, firsts, histogram, met, out):
    """Fills the rows of words, and returns the numbers of words and symbols for the rows of symbols."""
    histogram[:] = 0
    met[:] = 0
    words = letters = proper = symbols = stopped = 0
    units = int64(0)
    longest = int64(0)
    for k in range(starts.shape[0]):
        start, end = starts[k], ends[k]
        any_, every = int64(0), int64(-1)
        length = int64(0)
        i = start
        while i < end:
            plain = letters_at_start(load_part(data, i, end - i))
            if plain:
                any_ |= LETTER
                every &= LETTER
                length += plain
                i += plain
                if i == end:
                    break
            if data[i] < 0x80:
                kind = int64(kinds[data[i]])
                i += 1
            else:
                point, i = decode(data, i)
                kind = int64(kinds[point])
            any_ |= kind
            every &= kind
            length += 1
        symbol = every & SYMBOL != 0
        proper += not symbol
        letters += any_ & LETTER != 0 and (settings.alpha_punctuation or not symbol)
        if settings.count_punctuation or not symbol:
            words += 1
            size = end - start if settings.in_bytes else length
            units += size
            size = min(size, LONGEST_MEDIAN)
            longest = max(longest, size)
            histogram[size] += 1
        if length <= stops.longest:
            key = letters_key(data, start, end, lower, settings.ignore_case)
            number = _stop_word(key, stops.keys, stops.numbers)
            if number >= 0:
                stopped += settings.every_stop_word or met[number] == 0
                met[number] = 1
        if settings.symbols >= CONTAINING:
            symbols += _has_mark(data, start, end, marks, firsts, settings.symbols == ALONE)
    every_word = starts.shape[0]
    out[0] = words
    out[1] = share(units, words)
    if settings.median:
        out[1] = _median(histogram[: longest + 1], words) if words else np.nan
    out[6] = share(letters, every_word if settings.alpha_punctuation else proper)
    out[7] = stopped
    return every_word if settings.symbol_punctuation else proper, symbols


@leaf
def _symbol_values(data, start, end, marks, settings, words, symbols, out):
    """Fills the rows of symbols. The last of the marks is the hash sign."""
    last = marks[1].shape[0] - 2
    hashes = ellipses = 0
    if settings.symbols <= SUMMED:
        hashes = count_mark(data, start, end, marks, last)
        for m in range(last):
            ellipses += count_mark(data, start, end, marks, m)
    if settings.join_spaced:
        i = find_byte(data, start, end, _DOT)
        while i < end:
            same = 0
            while same < len(_SPACED) and i + same < end and data[i + same] == _SPACED[same]:
                same += 1
            if same == len(_SPACED):
                words -= 2
                i += 4
            i = find_byte(data, i + 1, end, _DOT)
    if settings.symbols == EACH:
        out[2] = share(hashes, words)
        out[3] = share(ellipses, words)
    else:
        out[2] = share(hashes + ellipses if settings.symbols == SUMMED else symbols, words)
        out[3] = np.nan


@leaf
def _line_values(data, start, end, kinds, settings, marks, bullets, out):
    """Fills the rows of lines. The last of the marks, the hash sign, ends no line."""
    bullet_lines = ellipsis_lines = bulleted = dotted = 0
    ellipses = (marks[0], marks[1][:-1])
    i = int64(start if start < end else -1)
    while i >= 0:
        stop, following = piece_end(data, i, end, settings.breaks, kinds)
        first, last = int64(i), int64(stop)
        if settings.stripped:
            first, last = strip(data, i, stop, kinds)
        if counts_as(data, first, last, settings.bullet_kept, kinds):
            bullet_lines += 1
            bulleted += begins_with(data, first, last, bullets)
        if counts_as(data, first, last, settings.ellipsis_kept, kinds):
            ellipsis_lines += 1
            dotted += ends_with(data, first, last, ellipses)
        i = following
    out[4] = share(bulleted, bullet_lines)
    out[5] = share(dotted, ellipsis_lines)


@kernel
def measure_quality(data, offsets, words, kinds, lower, settings, stops, marks, bullets, out):
    """Fills a column of ``out`` (rows as in `QUALITY_SIGNALS`) for each text. An undefined value is NaN."""
    histogram = np.empty(LONGEST_MEDIAN + 1, np.int32)
    met = np.empty(max(stops.listed, 1), np.uint8)
    firsts = np.zeros(256, np.bool_)
    for m in range(marks[1].shape[0] - 1):
        firsts[marks[0][marks[1][m]]] = True
    for byte in range(0x61, 0x7B):
        firsts[byte - 0x20] = firsts[byte]
    values = np.empty(len(QUALITY_SIGNALS), np.float64)
    for d in range(offsets.shape[0] - 1):
        start, end = offsets[d], offsets[d + 1]
        at, behind = words.firsts[d], words.firsts[d + 1]
        starts, ends = words.starts[at:behind], words.ends[at:behind]
        count, symbols = _word_values(
            data, starts, ends, kinds, lower, settings, stops, marks, firsts, histogram, met, values
        )
        _symbol_values(data, start, end, marks, settings, count, symbols, values)
        _line_values(data, start, end, kinds, settings, marks, bullets, values)
        out[:, d] = values


def stop_table(words: tuple[str, ...], ignore_case: bool) -> StopWords:
    """The table of stop words, whose case matters unless it is ignored."""
    data, offsets = text_buffers(pa.array(words, pa.large_string()))
    lower = unicode.tables().lower
    size = 1 << (4 * len(words) + 4).bit_length()
    keys, numbers = np.zeros(size, np.uint64), np.full(size, -1, np.int32)
    for number in range(len(words)):
        key = int(letters_key(data, offsets[number], offsets[number + 1], lower, ignore_case))
        slot = key % size
        while numbers[slot] >= 0 and int(keys[slot]) != key:
            slot = (slot + 1) % size
        keys[slot], numbers[slot] = key, number
    return StopWords(keys, numbers, max(map(len, words), default=0), len(words))


def quality_values(
    texts: pa.LargeStringArray,
    words: Words,
    settings: QualitySettings,
    stops: StopWords,
    ellipses: Texts,
    bullets: Texts,
) -> Measured:
    """Measures a column, with its words by any splitter. The last of ``ellipses`` is the hash sign."""
    data, offsets = text_buffers(texts)
    values = np.empty((len(QUALITY_SIGNALS), len(texts)), np.float64)
    measure_quality(
        data, offsets, words, word_tables().kinds, unicode.tables().lower, settings, stops, ellipses, bullets, values
    )
    return Measured(texts, QUALITY_SIGNALS, values)
