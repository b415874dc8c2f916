"""Cuts parts out of texts, and puts them back."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import int64

from curation.kernels.buffers import text_buffers, text_column
from curation.kernels.compiled import kernel, leaf
from curation.kernels.memory import copy_bytes
from curation.kernels.piece_bounds import Ints, PieceTable


class Parts(NamedTuple):
    """Parts of texts, in columns of equal length: those of one text do not overlap; all are in their order."""

    text: Ints
    """The row of the text."""
    start: Ints
    end: Ints
    """Places in the UTF-8 of the text."""
    copy: Ints
    """The row of the repetition to which a part belongs."""


@leaf
def choose_copies(high, low, row, start, end, limit, out):
    """Decides which repetitions of a piece stay; all columns are sorted by the hash (``high``, ``low``) and the place.

    The first ``limit`` of a hash stay, where those that overlap the last that stayed do not count (2 in ``out``). Those
    that overlap it stay as well (1), and all others go (0).
    """
    stayed = last_row = last_end = int64(0)
    for i in range(high.shape[0]):
        if i == 0 or high[i] != high[i - 1] or low[i] != low[i - 1]:
            stayed = int64(0)
        if stayed > 0 and row[i] == last_row and start[i] < last_end:
            out[i] = 1
        elif stayed < limit[i]:
            out[i] = 2
            stayed += 1
            last_row, last_end = int64(row[i]), int64(end[i])
        else:
            out[i] = 0


@kernel
def _parts_of_pieces(offsets, text, start, end, cut_text, cut_start, cut_end, copy):
    """Sets ``copy`` to the first cut that each piece belongs to, or -1; returns the bounds that the parts get."""
    first, last = start.copy(), end.copy()
    cut = 0
    for p in range(text.shape[0]):
        while cut < cut_text.shape[0] and (
            cut_text[cut] < text[p] or (cut_text[cut] == text[p] and cut_end[cut] < end[p])
        ):
            cut += 1
        inside = cut < cut_text.shape[0] and cut_text[cut] == text[p] and cut_start[cut] <= start[p]
        copy[p] = cut if inside else -1
    for p in range(text.shape[0]):
        if p == 0 or text[p - 1] != text[p]:
            first[p] = 0
        follows = p + 1 < text.shape[0] and text[p + 1] == text[p]
        last[p] = start[p + 1] if follows else offsets[text[p] + 1] - offsets[text[p]]
    trailing = True
    for p in range(text.shape[0] - 1, -1, -1):  # what separates the last piece that stays from the end goes as well
        is_last = p + 1 == text.shape[0] or text[p + 1] != text[p]
        if is_last:
            trailing = True
        trailing &= copy[p] >= 0
        if trailing and p > 0 and text[p - 1] == text[p] and copy[p - 1] < 0:
            first[p] = end[p - 1]
    return first, last


def parts_of_pieces(texts: pa.LargeStringArray, pieces: PieceTable, cuts: Parts) -> Parts:
    """The parts to cut so that the pieces inside ``cuts`` go, each with what separates it from the next piece.

    ``cuts`` are sorted by text and start, their ends as well; they may overlap.
    """
    _, offsets = text_buffers(texts)
    copy = np.empty(len(pieces.text), np.int64)
    first, last = _parts_of_pieces(
        offsets, pieces.text, pieces.start, pieces.end, cuts.text, cuts.start, cuts.end, copy
    )
    gone = copy >= 0
    return Parts(pieces.text[gone], first[gone], last[gone], cuts.copy[copy[gone]])


@kernel
def _cut(data, offsets, text, start, end, out, bounds):
    part = o = 0
    bounds[0] = 0
    for d in range(offsets.shape[0] - 1):
        i = offsets[d]
        while part < text.shape[0] and text[part] == d:
            stop = offsets[d] + start[part]
            copy_bytes(data, int64(i), out, int64(o), int64(stop - i))
            o += stop - i
            i = offsets[d] + end[part]
            part += 1
        copy_bytes(data, int64(i), out, int64(o), int64(offsets[d + 1] - i))
        o += offsets[d + 1] - i
        bounds[d + 1] = o


def cut_parts(texts: pa.LargeStringArray, parts: Parts) -> pa.LargeStringArray:
    """The texts without the parts."""
    data, offsets = text_buffers(texts)
    out = np.empty(int(offsets[-1] - offsets[0] - (parts.end - parts.start).sum()), np.uint8)
    bounds = np.empty(len(texts) + 1, np.int64)
    _cut(data, offsets, parts.text, parts.start, parts.end, out, bounds)
    return text_column(out, bounds)


def texts_of_parts(texts: pa.LargeStringArray, parts: Parts) -> pa.LargeStringArray:
    """The text of each part."""
    data, offsets = text_buffers(texts)
    sizes = parts.end - parts.start
    bounds = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=bounds[1:])
    out = np.empty(int(bounds[-1]), np.uint8)
    _copy_parts(data, offsets, parts.text, parts.start, bounds, out)
    return text_column(out, bounds)


@kernel
def _copy_parts(data, offsets, text, start, bounds, out):
    for p in range(text.shape[0]):
        copy_bytes(data, int64(offsets[text[p]] + start[p]), out, int64(bounds[p]), int64(bounds[p + 1] - bounds[p]))


@kernel
def _restore(data, offsets, text, start, part_data, part_offsets, out, bounds):
    part = o = 0
    bounds[0] = 0
    for d in range(offsets.shape[0] - 1):
        i, begin = offsets[d], o
        while part < text.shape[0] and text[part] == d:
            size = begin + start[part] - o
            copy_bytes(data, int64(i), out, int64(o), int64(size))
            i, o = i + size, o + size
            size = part_offsets[part + 1] - part_offsets[part]
            copy_bytes(part_data, int64(part_offsets[part]), out, int64(o), int64(size))
            o += size
            part += 1
        copy_bytes(data, int64(i), out, int64(o), int64(offsets[d + 1] - i))
        o += offsets[d + 1] - i
        bounds[d + 1] = o


def restore_parts(
    texts: pa.LargeStringArray, text: Ints, start: Ints, parts: pa.LargeStringArray
) -> pa.LargeStringArray:
    """The texts from which ``parts`` were cut: part i of the text in row text[i], where it began at start[i]. Each part
    must begin inside what is restored of its text so far."""
    data, offsets = text_buffers(texts)
    part_data, part_offsets = text_buffers(parts)
    size = int(offsets[-1] - offsets[0] + part_offsets[-1] - part_offsets[0])
    out, bounds = np.empty(size, np.uint8), np.empty(len(texts) + 1, np.int64)
    _restore(data, offsets, text, start, part_data, part_offsets, out, bounds)
    return text_column(out, bounds)
