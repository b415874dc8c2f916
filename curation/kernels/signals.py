"""The kernels that measure texts: one for Gopher's rules, one for the rules of C4 and FineWeb.

Each kernel splits a text into words once, and measures while the words are in the CPU cache. An undefined value (such
as a share of 0 lines) is NaN.
"""

from collections.abc import Collection

import numpy as np
import pyarrow as pa
from numba import int64

from curation.kernels.affixes import CHUNK_ROWS
from curation.kernels.buffers import text_buffers
from curation.kernels.compiled import kernel, leaf
from curation.kernels.lines import (
    compare_texts,
    count_characters,
    count_marked_lines,
    count_symbols,
    find_byte,
    judge_lines,
    split_at_newlines,
    strip,
)
from curation.kernels.measured import NGRAM_SIGNALS, PIECE_SIGNALS, QUALITY_SIGNALS, Measured, share
from curation.kernels.repetition import MOST_WORDS, count_duplicates, measure_ngrams
from curation.kernels.word_tables import word_tables
from curation.kernels.words import (
    AFTER_BREAK,
    AFTER_SPACES,
    CHUNK_ROOM,
    ENDS_SENTENCE,
    HAS_LETTER,
    IS_PUNCTUATION,
    LENGTH_SHIFT,
    NOT_SYMBOL,
    STOP_WORD_SHIFT,
    split_words,
)

GOPHER = (*QUALITY_SIGNALS, *PIECE_SIGNALS, *NGRAM_SIGNALS, "tokens", "sentences")
"""Rows of `measure_gopher`; the last two are for texts that `measure_page` measures again."""
_PARAGRAPHS = len(QUALITY_SIGNALS)
_LINES, _NGRAMS = _PARAGRAPHS + 2, _PARAGRAPHS + len(PIECE_SIGNALS)
_TOKENS, _SENTENCES = len(GOPHER) - 2, len(GOPHER) - 1
QUALITY, PIECES, NGRAMS, COUNTS = 1, 2, 4, 8
"""Parts of `GOPHER`, as bits: the rows before _PARAGRAPHS, those before _NGRAMS, those before _TOKENS, and the last."""
PAGE = (
    "sentences",
    "lorem_ipsum",
    "curly_brackets",
    "lines",
    "line_punctuation",
    "short_lines",
    "duplicate_characters",
    "newlines_per_word",
)
"""Rows of `measure_page`."""
SENTENCES, PHRASES, LINES = 1, 2, 4
"""Parts of `PAGE`, as bits: the first row, the next two, and the rest."""
_CURLY, _P, _CAPITAL_P = np.uint8(0x7B), np.uint8(0x70), np.uint8(0x50)
_AT_LINES, _AT_PARAGRAPHS = np.int64(1), np.int64(2)
"""Minimum number of newlines between lines and between paragraphs."""
_ROOM = 1024


@leaf
def _word_values(infos, count, out):
    """The number of words, their mean length, the share with a letter, and the number of different stop words."""
    words = letters = 0
    characters = int64(0)
    stops = 0
    for k in range(count):
        info = infos[k]
        letters += info & HAS_LETTER
        if info & NOT_SYMBOL:
            words += 1
            characters += info >> LENGTH_SHIFT
        stops |= 1 << ((info >> STOP_WORD_SHIFT) & 15)
    different = 0
    for bit in range(1, 16):
        different += (stops >> bit) & 1
    out[0] = words
    out[1] = share(characters, words)
    out[6] = share(letters, count)
    out[7] = different


@leaf
def _count_sentences(infos, count):
    """The number of sentences, line by line. A sentence ends after a full stop or similar, and its punctuation."""
    sentences = 0
    ended = False
    for k in range(count):
        info = infos[k]
        if info & AFTER_BREAK:
            sentences += 1
            ended = False
        if ended and info & AFTER_SPACES:
            sentences += 1
            ended = False
        if info & ENDS_SENTENCE:
            ended = True
        elif ended and not info & IS_PUNCTUATION:
            sentences += 1
            ended = False
    return sentences


@kernel
def measure_gopher(data, offsets, kinds, tags, specials, parts, out):
    """Fills a column of ``out`` (rows as in `GOPHER`) for each text; only some ``parts``, the other rows are NaN."""
    chunk = np.empty((CHUNK_ROWS, CHUNK_ROOM), np.int64)
    hashes, infos = np.empty(_ROOM, np.uint64), np.empty(_ROOM, np.uint32)
    keys, lengths = np.empty(_ROOM, np.uint64), np.empty(_ROOM, np.int64)
    slots = np.empty(4 * _ROOM, np.int32)
    grams, places = np.empty(_ROOM, np.uint64), np.empty((4, _ROOM), np.int32)
    values = np.full(len(GOPHER), np.nan, np.float64)
    count = int64(0)
    for d in range(offsets.shape[0] - 1):
        start, end = offsets[d], offsets[d + 1]
        if parts != PIECES:
            count, chunk, hashes, infos = split_words(data, start, end, kinds, tags, specials, chunk, hashes, infos)
        if parts & QUALITY:
            _word_values(infos, count, values)
            marks, ellipses = count_symbols(data, start, end)
            values[2] = share(marks, count)
            values[3] = share(ellipses, count)
            lines, bullets, dotted = count_marked_lines(data, start, end, kinds)
            values[4] = share(bullets, lines)
            values[5] = share(dotted, lines)

        length = count_characters(data, start, end) if parts & (PIECES | NGRAMS) else int64(0)
        if parts & PIECES:
            first, last = strip(data, start, end, kinds)
            pieces, keys, lengths = split_at_newlines(data, first, last, _AT_PARAGRAPHS, keys, lengths)
            again, characters, slots = count_duplicates(keys, lengths, pieces, slots)
            values[_PARAGRAPHS] = share(again, pieces if length else 0)
            values[_PARAGRAPHS + 1] = share(characters, length)
            pieces, keys, lengths = split_at_newlines(data, start, end, _AT_LINES, keys, lengths)
            again, characters, slots = count_duplicates(keys, lengths, pieces, slots)
            values[_LINES] = share(again, pieces if length else 0)
            values[_LINES + 1] = share(characters, length)

        if parts & COUNTS:
            values[_TOKENS] = count
            values[_SENTENCES] = _count_sentences(infos, count)
        if parts & NGRAMS:
            count = min(count, MOST_WORDS)
            if count > grams.shape[0]:
                grams, places = np.empty(2 * count, np.uint64), np.empty((4, 2 * count), np.int32)
            if slots.shape[0] < 4 * count:
                slots = np.empty(4 * count, np.int32)
            measure_ngrams(hashes, infos, LENGTH_SHIFT, count, slots, grams, places, values[_NGRAMS:_TOKENS])
            for row in range(_NGRAMS, _TOKENS):
                values[row] = share(values[row], length)
        out[:, d] = values


@leaf
def _count_lorem_ipsum(data, start, end):
    """The number of occurrences of "lorem ipsum", in upper or lower case."""
    found = 0
    phrase = b"lorem ipsum"
    for capital in range(2):
        i = find_byte(data, start, end, _CAPITAL_P if capital else _P)
        while i < end:
            k = i - 7
            if k >= start and k + len(phrase) <= end:
                same = 0
                while same < len(phrase) and (data[k + same] | 0x20) == phrase[same]:
                    same += 1
                found += same == len(phrase)
            i = find_byte(data, i + 1, end, _CAPITAL_P if capital else _P)
    return found


@kernel
def measure_page(data, offsets, kinds, tags, specials, tokens, sentences, parts, out):
    """Fills a column of ``out`` (rows as in `PAGE`) for each text; only some ``parts``, the other rows are NaN.

    ``tokens`` and ``sentences`` are the numbers for each text, or -1 if unknown.
    """
    chunk = np.empty((CHUNK_ROWS, CHUNK_ROOM), np.int64)
    hashes, infos = np.empty(_ROOM, np.uint64), np.empty(_ROOM, np.uint32)
    keys, lengths = np.empty(_ROOM, np.uint64), np.empty(_ROOM, np.int64)
    slots = np.empty(4 * _ROOM, np.int32)
    for d in range(offsets.shape[0] - 1):
        start, end = offsets[d], offsets[d + 1]
        if tokens[d] < 0 and parts != PHRASES:
            count, chunk, hashes, infos = split_words(data, start, end, kinds, tags, specials, chunk, hashes, infos)
            tokens[d] = count
            sentences[d] = _count_sentences(infos, count)
        out[:, d] = np.nan
        if parts & SENTENCES:
            out[0, d] = sentences[d]
        if parts & PHRASES:
            out[1, d] = _count_lorem_ipsum(data, start, end)
            brackets = 0
            i = find_byte(data, start, end, _CURLY)
            while i < end:
                brackets += 1
                i = find_byte(data, i + 1, end, _CURLY)
            out[2, d] = brackets
        if not parts & LINES:
            continue
        lines, punctuated, short, newlines, keys, lengths = judge_lines(data, start, end, kinds, keys, lengths)
        _, characters, slots = count_duplicates(keys, lengths, lines, slots)
        length = count_characters(data, start, end) - newlines
        out[3, d] = lines
        out[4, d] = share(punctuated, lines)
        out[5, d] = share(short, lines)
        out[6, d] = share(characters, length)
        out[7, d] = share(newlines, tokens[d])


def gopher_parts(names: Collection[str]) -> int:
    """The parts of `GOPHER` with any of these names; names of `PAGE` that depend on words ask for COUNTS."""
    bounds = ((QUALITY, 0, _PARAGRAPHS), (PIECES, _PARAGRAPHS, _NGRAMS), (NGRAMS, _NGRAMS, _TOKENS))
    parts = sum(part for part, first, end in bounds if not set(names).isdisjoint(GOPHER[first:end]))
    return parts | COUNTS if parts and not {"sentences", "newlines_per_word"}.isdisjoint(names) else parts


def page_parts(names: Collection[str]) -> int:
    """The parts of `PAGE` with any of these names."""
    bounds = ((SENTENCES, 0, 1), (PHRASES, 1, 3), (LINES, 3, len(PAGE)))
    return sum(part for part, first, end in bounds if not set(names).isdisjoint(PAGE[first:end]))


def gopher_values(texts: pa.LargeStringArray, parts: int = gopher_parts((*GOPHER, *PAGE))) -> Measured:
    """Measures a column for Gopher's rules."""
    data, offsets = text_buffers(texts)
    values = np.empty((len(GOPHER), len(texts)), np.float64)
    measure_gopher(data, offsets, *word_tables(), parts, values)
    return Measured(texts, GOPHER, values, parts)


def page_values(texts: pa.LargeStringArray, before: Measured | None = None, parts: int = page_parts(PAGE)) -> Measured:
    """Measures a column for the rules of C4 and FineWeb.

    Only texts that changed since they were measured for Gopher's rules are split into words again.
    """
    data, offsets = text_buffers(texts)
    tokens = np.full(len(texts), -1.0)
    sentences = tokens.copy()
    if before is not None and before.parts & COUNTS and len(before.texts) == len(texts):
        same = np.empty(len(texts), np.bool_)
        compare_texts(data, offsets, *text_buffers(before.texts), same)
        tokens[same] = before.row("tokens")[same]
        sentences[same] = before.row("sentences")[same]
    values = np.empty((len(PAGE), len(texts)), np.float64)
    measure_page(data, offsets, *word_tables(), tokens, sentences, parts, values)
    return Measured(texts, PAGE, values, parts)
