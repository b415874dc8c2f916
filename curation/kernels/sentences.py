"""Counting sentences without splitting a text into words: by the rules of Punkt, or by the marks alone."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels.buffers import text_buffers
from curation.kernels.compiled import kernel, leaf
from curation.kernels.lines import before, line_end, strip
from curation.kernels.unicode import decode
from curation.kernels.word_classes import SPACE, UPPER
from curation.kernels.word_tables import word_tables

PUNKT, MARKS = 1, 2
_ABBREVIATIONS = (
    "adj adm al apr approx assoc assn asst aug av ave bldg blvd bros capt cf cmdr co col comdr comm conn corp cpl ct "
    "dec dept dir dist div dr ed eds est etc ext feb fig figs fl fr ft gen gov hon inc ins jan jr lt ltd maj mar "
    "messrs mfg mgr misc mr mrs ms mt natl nov nr oct op pa pl pp ph pres prof pt pvt rd rep reps res ret rev rm rt "
    "sci sec sen sens sept sgt spc sq sr st ste supt tel tr univ vol vols vs wm"
)
"""English abbreviations, of at most eight letters; each of the months, titles and kinds of companies and streets."""
_DOT, _QUESTION, _EXCLAMATION = np.uint8(0x2E), np.uint8(0x3F), np.uint8(0x21)
_AFTER = b")\";}]*:@'({["
"""What may follow the mark at the end of a sentence, beside white space."""
_OPENING = b"\"'([{"


def _packed(word: str) -> int:
    return int.from_bytes(word.encode(), "little")


_KEYS = np.array(sorted(_packed(word) for word in _ABBREVIATIONS.split()), np.uint64)


@leaf
def _is_abbreviation(data, start, dot, keys):
    """Whether the word data[start:dot], before a full stop, is an abbreviation: listed, or letters between dots."""
    while start < dot and not (data[start] | 0x20 >= 0x61 and data[start] | 0x20 <= 0x7A):
        if data[start] >= 0x80:
            return False
        start += 1
    key = np.uint64(0)
    dots = single = True
    for i in range(start, dot):
        byte = data[i] | 0x20
        letter = byte >= 0x61 and byte <= 0x7A
        if i - start < 8:
            key |= np.uint64(byte) << np.uint64(8 * (i - start))
        single &= letter
        dots &= letter if (i - start) % 2 == 0 else data[i] == 0x2E
    if dot - start >= 3 and (dot - start) % 2 == 1 and dots:
        return True
    if not single or dot - start > 8 or dot == start:
        return False
    place = np.searchsorted(keys, key)
    return place < keys.shape[0] and keys[place] == key


@leaf
def _is_open(data, i, end, start, kinds, keys):
    """Whether the sentence goes on after the full stop at i: an abbreviation, an initial or an ellipsis inside it."""
    k = i + 1
    while k < end:
        point, behind = decode(data, k)
        opening = kinds[point] & SPACE != 0
        for mark in _OPENING:
            opening |= point == mark
        if not opening:
            break
        k = behind
    capital = k < end and kinds[decode(data, k)[0]] & UPPER != 0
    if i > start and data[i - 1] == _DOT:
        return not capital
    word = i
    while word > start:
        place = before(data, word)
        if kinds[decode(data, place)[0]] & SPACE:
            break
        word = place
    if _is_abbreviation(data, word, i, keys):
        return True
    letters = digits = 0
    for k in range(word, i):
        digits += data[k] >= 0x30 and data[k] <= 0x39
        letters += 1
    if letters == 1 and digits == 0 and data[word] >= 0x41 and data[word] <= 0x5A:
        return capital
    return digits == letters and letters > 0 and not capital


@leaf
def _punkt_line(data, start, end, kinds, keys):
    """The number of sentences in the line data[start:end], which has no white space at its ends."""
    sentences = 0
    i = start
    while i < end:
        byte = data[i]
        i += 1
        if byte != _DOT and byte != _QUESTION and byte != _EXCLAMATION:
            continue
        if i == end:
            break
        point = decode(data, i)[0]
        follows = kinds[point] & SPACE != 0
        for mark in _AFTER:
            follows |= point == mark
        if not follows or (byte == _DOT and _is_open(data, i - 1, end, start, kinds, keys)):
            continue
        k = i
        while k < end and (data[k] == 0x22 or data[k] == 0x27 or data[k] == 0x29 or data[k] == 0x5D or data[k] == 0x7D):
            k += 1
        if k < end:
            sentences += 1
        else:
            break
        if kinds[decode(data, k)[0]] & SPACE:
            i = k
    return sentences + 1


@kernel
def _count(data, offsets, kinds, keys, rule, out):
    for d in range(offsets.shape[0] - 1):
        i, end = offsets[d], offsets[d + 1]
        sentences = 0
        if rule == MARKS:
            for k in range(i, end):
                byte = data[k]
                sentences += byte in (_DOT, _QUESTION, _EXCLAMATION)
        else:
            while i < end:
                stop, following = line_end(data, i, end, kinds)
                first, last = strip(data, i, stop, kinds)
                if first < last:
                    sentences += _punkt_line(data, first, last, kinds, keys)
                i = following
        out[d] = sentences


def sentence_counts(texts: pa.LargeStringArray, rule: int) -> npt.NDArray[np.int32]:
    """The number of sentences of each text: with ``PUNKT`` line by line, with ``MARKS`` the number of . ! and ?."""
    data, offsets = text_buffers(texts)
    out = np.empty(len(texts), np.int32)
    _count(data, offsets, word_tables().kinds, _KEYS, rule, out)
    return out
