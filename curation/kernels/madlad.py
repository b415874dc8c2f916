"""MADLAD-400's rules on sentences, as a kernel that tells which rules each sentence breaks."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels import unicode
from curation.kernels.buffers import text_buffers
from curation.kernels.character_counts import CAPITAL, character_kinds
from curation.kernels.compiled import kernel
from curation.kernels.unicode import SPACE, decode
from curation.kernels.word_splitters import words_in

CASE, LENGTH, TECHNICAL = 1, 2, 4
_TECHNICAL = np.zeros(128, np.bool_)
_TECHNICAL[list(b"0123456789{}+/()>")] = True


@kernel
def _judge(data, offsets, firsts, starts, kinds, least, most, tokens, case, technical, out):
    for s in range(offsets.shape[0] - 1):
        i, end = offsets[s], offsets[s + 1]
        characters = odd = capitals = 0
        while i < end:
            point, i = decode(data, i)
            characters += 1
            odd += point < 128 and _TECHNICAL[point]
        words = firsts[s + 1] - firsts[s]
        for k in range(firsts[s], firsts[s + 1]):
            capitals += kinds[decode(data, starts[k])[0]] & CAPITAL != 0
        broken = 0
        if words >= tokens and capitals > words * case:
            broken |= CASE
        if characters < least or characters > most:
            broken |= LENGTH
        if odd > characters * technical:
            broken |= TECHNICAL
        out[s] = broken


@kernel
def _bounds(data, offsets, classes, starts, ends, sentences):
    """The bounds of the sentences, which end at runs of . ! ? before white space; blank sentences do not count."""
    count = 0
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        before = count
        start = i
        blank = True
        while i < end:
            byte = data[i]
            if byte == 0x2E or byte == 0x21 or byte == 0x3F:
                stop = i
                while i < end and (data[i] == 0x2E or data[i] == 0x21 or data[i] == 0x3F):
                    i += 1
                behind = i
                while behind < end:
                    point, after = decode(data, behind)
                    if not classes[point] & SPACE:
                        break
                    behind = after
                if behind == i:
                    blank = False
                    continue
                if not blank:
                    starts[count], ends[count] = start, stop
                    count += 1
                i = start = behind
                blank = True
                continue
            point, i = decode(data, i)
            blank &= classes[point] & SPACE != 0
        if not blank:
            starts[count], ends[count] = start, end
            count += 1
        sentences[d] = count - before
    return count


def split_sentences(texts: pa.LargeStringArray) -> tuple[pa.LargeStringArray, npt.NDArray[np.int64]]:
    """The sentences of all texts, and the number of sentences of each text.

    A sentence ends at . ! or ?, any number of them, before white space; it does not include them (as in datamap-rs).
    """
    data, offsets = text_buffers(texts)
    most = sum(int(np.count_nonzero(data[offsets[0] : offsets[-1]] == mark)) for mark in b".!?") + len(texts)
    starts, ends = np.empty(most, np.int64), np.empty(most, np.int64)
    counts = np.empty(len(texts), np.int64)
    found = _bounds(data, offsets, unicode.tables().classes, starts, ends, counts)
    bounds = np.zeros(2 * found + 1, np.int64)
    bounds[0::2][:found], bounds[1::2] = starts[:found], ends[:found]
    if found:
        bounds[2 * found] = bounds[2 * found - 1]
    whole = pa.LargeStringArray.from_buffers(2 * found, pa.py_buffer(bounds), pa.py_buffer(data))
    return whole.take(pa.array(np.arange(0, 2 * found, 2))), counts


def broken_rules(
    sentences: pa.LargeStringArray, *, least: int, most: int, tokens: int, case: float, technical: float
) -> npt.NDArray[np.int64]:
    """The rules that each sentence breaks, as bits: ``CASE`` if it has ``tokens`` words of which more than the share
    ``case`` begin with a capital, ``LENGTH`` if it has under ``least`` or over ``most`` characters, ``TECHNICAL`` if
    more than the share ``technical`` of its characters are among 0-9 { } + / ( ) >."""
    data, offsets = text_buffers(sentences)
    words = words_in(sentences, "uax29")
    out = np.empty(len(sentences), np.int64)
    kinds = character_kinds()
    _judge(data, offsets, words.firsts, words.starts, kinds, least, most, tokens, case, technical, out)
    return out
