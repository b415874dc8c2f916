"""The lines, paragraphs and sentences of texts, with a 128-bit hash of each.

White space is as in `str.isspace`, and line ends as in `str.splitlines`. A piece has no white space at its ends, and at
least one character; what separates it from the next piece belongs to neither.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import int64, uint64

from curation.kernels.buffers import text_buffers
from curation.kernels.compiled import kernel, leaf
from curation.kernels.hashing import load_part, mix64
from curation.kernels.lines import count_characters, line_end, strip
from curation.kernels.unicode import decode
from curation.kernels.word_classes import SPACE
from curation.kernels.word_tables import word_tables

LINES, PARAGRAPHS, SENTENCES = range(3)
END_MARKS = ".!?\u2026\u3002\uff01\uff1f"
"""What ends a sentence, the last three also if no white space follows."""
CLOSING_MARKS = "\"')]}\u2019\u201d\u00bb\u300d\u300f\uff09"
"""What may stand between the end mark and the end of the sentence."""
_ENDS, _CLOSING = (np.array(list(map(ord, marks)), np.uint32) for marks in (END_MARKS, CLOSING_MARKS))
_WIDE = 0x3000
_PRIMES = np.array([0xBF58476D1CE4E5B9, 0xD6E8FEB86659FD93, 0x9E3779B97F4A7C15], np.uint64)
_FIRST, _SECOND, _LENGTH = _PRIMES

Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]


class PieceTable(NamedTuple):
    """Pieces in their order, in columns of equal length."""

    text: Ints
    """The row of the text."""
    start: Ints
    end: Ints
    """Places in the UTF-8 of the text."""
    characters: Ints
    high: Hashes
    low: Hashes
    """The halves of the hash of the piece."""


@leaf
def hash128(data, start, end):
    """Two hashes of data[start:end], which differ in their factors and shifts."""
    high, low = uint64(0), uint64(1)
    for i in range(start, end, 8):
        word = load_part(data, i, end - i)
        high = (high ^ word) * _FIRST
        high ^= high >> uint64(32)
        low = (low ^ word) * _SECOND
        low ^= low >> uint64(29)
    length = uint64(end - start) * _LENGTH
    return mix64(high + length), mix64(low + length)


@leaf
def _is_among(point, marks):
    found = False
    for k in range(marks.shape[0]):
        found |= point == marks[k]
    return found


@leaf
def _sentence_end(data, i, end, kinds, ends, closing):
    """The end of the sentence that begins at i, in a line that ends at ``end``."""
    while i < end:
        point, i = decode(data, i)
        if not _is_among(point, ends):
            continue
        wide = point >= _WIDE
        while i < end:
            point, behind = decode(data, i)
            if not _is_among(point, ends) and not _is_among(point, closing):
                break
            wide |= _is_among(point, ends) and point >= _WIDE
            i = behind
        if i == end or wide or kinds[decode(data, i)[0]] & SPACE:
            return i
    return end


@leaf
def _next_piece(data, i, line, end, unit, kinds, ends, closing):
    """The start and the end of the first piece at or after i, where to go on, and the end of the line that holds the
    piece, for the next call as ``line``; the start is -1 after the last piece."""
    while i < end:
        stop = following = line
        if i >= line:
            stop, following = line_end(data, i, end, kinds)
        first, last = strip(data, i, stop, kinds)
        if first == last:
            i = following
            continue
        if unit == SENTENCES:
            stop = _sentence_end(data, first, last, kinds, ends, closing)
            return first, stop, stop, last
        while unit == PARAGRAPHS and following < end:
            stop, behind = line_end(data, following, end, kinds)
            start, final = strip(data, following, stop, kinds)
            if start == final:
                break
            last, following = final, behind
        return first, last, following, following
    return int64(-1), int64(-1), end, end


@kernel
def _find(data, offsets, unit, least, kinds, ends, closing):
    places = np.empty((64, 4), np.int64)
    hashes = np.empty((64, 2), np.uint64)
    count = 0
    for d in range(offsets.shape[0] - 1):
        begin, end = offsets[d], offsets[d + 1]
        i = line = begin
        while True:
            first, last, i, line = _next_piece(data, i, line, end, unit, kinds, ends, closing)
            if first < 0:
                break
            characters = count_characters(data, first, last)
            if characters < least:
                continue
            if count == places.shape[0]:
                more_places, more_hashes = np.empty((2 * count, 4), np.int64), np.empty((2 * count, 2), np.uint64)
                more_places[:count] = places
                more_hashes[:count] = hashes
                places, hashes = more_places, more_hashes
            places[count, 0] = d
            places[count, 1] = first - begin
            places[count, 2] = last - begin
            places[count, 3] = characters
            hashes[count, 0], hashes[count, 1] = hash128(data, first, last)
            count += 1
    return places[:count], hashes[:count]


def find_pieces(texts: pa.LargeStringArray, unit: int, least: int = 1) -> PieceTable:
    """The lines, paragraphs (lines between blank lines) or sentences of the texts, as ``unit`` says, of at least
    ``least`` characters.

    A sentence ends at the end of its line, and after end marks with closing marks, before white space.
    """
    data, offsets = text_buffers(texts)
    places, hashes = _find(data, offsets, unit, least, word_tables().kinds, _ENDS, _CLOSING)
    return PieceTable(*np.ascontiguousarray(places.T), *np.ascontiguousarray(hashes.T))


def select_pieces(pieces: PieceTable, chosen: npt.NDArray[np.bool_]) -> PieceTable:
    """The chosen pieces."""
    return PieceTable(*(column[chosen] for column in pieces))  # type: ignore[arg-type]


def spans(pieces: PieceTable, length: int) -> PieceTable:
    """Every ``length`` pieces in a row of one text, as pieces; what separates them does not count."""
    count = max(len(pieces.text) - length + 1, 0)
    inside = pieces.text[:count] == pieces.text[length - 1 :][:count]
    first = np.flatnonzero(inside)
    high: Hashes = np.zeros(len(first), np.uint64)
    low: Hashes = np.ones(len(first), np.uint64)
    characters = np.zeros(len(first), np.int64)
    for step in range(length):
        high = _join(high, pieces.high[first + step], _FIRST)
        low = _join(low, pieces.low[first + step], _SECOND)
        characters += pieces.characters[first + step]
    return PieceTable(pieces.text[first], pieces.start[first], pieces.end[first + length - 1], characters, high, low)


def _join(hashes: Hashes, others: Hashes, factor: np.uint64) -> Hashes:
    mixed = (hashes ^ others) * factor
    return mixed ^ (mixed >> np.uint64(31))
