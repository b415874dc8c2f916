"""C4's rules for lines, as a kernel that writes the remaining lines."""

import numpy as np
from numba import int64

from curation.kernels.compiled import leaf
from curation.kernels.lines import before, find_byte, line_end, strip
from curation.kernels.memory import copy_bytes
from curation.kernels.unicode import decode
from curation.kernels.word_classes import SPACE

_NEWLINE, _OPEN, _CLOSE, _DOT = np.uint8(0x0A), np.uint8(0x5B), np.uint8(0x5D), np.uint8(0x2E)
_CURLY = np.uint8(0x7B)
_ANCHORS = np.zeros(256, np.uint8)
"""Bytes that show that a phrase may follow: 1 for javascript, 2 to 4 for phrases of policies."""
_ANCHORS[list(b"jJ")] = 1
_ANCHORS[list(b"fF")] = 2
_ANCHORS[list(b"vV")] = 3
_ANCHORS[list(b"kK")] = 4


@leaf
def _stands(data, start, i, end, phrase):
    """Whether a phrase (given in lower case) is at i in data[start:end], in upper or lower case."""
    if i < start or i + len(phrase) > end:
        return False
    for k in range(len(phrase)):
        byte = data[i + k]
        if byte != phrase[k] and (byte | 0x20 != phrase[k] or byte < 0x41):
            return False
    return True


@leaf
def _speaks_of_cookies(data, start, i, end):
    """Whether the k at i is in a phrase about cookies."""
    if not _stands(data, start, i - 3, end, b"cookie"):
        return False
    return (
        _stands(data, start, i - 3, end, b"cookie policy")
        or _stands(data, start, i - 8, end, b"uses cookies")
        or _stands(data, start, i - 10, end, b"use of cookies")
        or _stands(data, start, i - 7, end, b"use cookies")
    )


@leaf
def _is_notice(data, start, end, javascript, policy):
    """Whether the line is about JavaScript, policies or cookies."""
    for i in range(start, end):
        anchor = _ANCHORS[data[i]]
        if anchor == 0:
            continue
        if anchor == 1:
            if javascript and _stands(data, start, i, end, b"javascript"):
                return True
        elif not policy:
            continue
        elif (
            (anchor == 2 and _stands(data, start, i - 7, end, b"terms of use"))
            or (anchor == 3 and _stands(data, start, i - 3, end, b"privacy policy"))
            or (anchor == 4 and _speaks_of_cookies(data, start, i, end))
        ):
            return True
    return False


@leaf
def _condemns(data, start, end, javascript, lorem_ipsum, curly_brackets):
    """Whether C4's code rejects the page for the notice data[start:end] before it removes the line.

    That code checks in this order: lorem ipsum (rejects the page), JavaScript (removes the line), a curly bracket
    (rejects the page), policies and cookies (removes the line).
    """
    if lorem_ipsum:
        for i in range(start, end):
            if _stands(data, start, i, end, b"lorem ipsum"):
                return True
    if not curly_brackets or find_byte(data, start, end, _CURLY) == end:
        return False
    return not (javascript and _is_notice(data, start, end, True, False))


@leaf
def _has_words(data, start, end, kinds, least, longest):
    """Whether the line has enough words, and no word longer than ``longest`` characters (0 for no limit)."""
    words = 0
    i = start
    every = 0 < longest < end - start
    while i < end and (words < least or every):
        length = 0
        while i < end:
            point, behind = decode(data, i)
            if kinds[point] & SPACE:
                break
            length += 1
            i = behind
        words += length > 0
        if 0 < longest < length:
            return False
        while i < end:
            point, behind = decode(data, i)
            if not kinds[point] & SPACE:
                break
            i = behind
    return words >= least


@leaf
def _citation(data, i, end):
    """The index after the citation mark at i, such as [12], [edit] or [citation needed]; without a mark, i."""
    k = i + 1
    while k < end and 0x30 <= data[k] <= 0x39:
        k += 1
    if k < end and data[k] == _CLOSE:
        return k + 1
    for mark in (b"[edit]", b"[citation needed]"):
        same = i + len(mark) <= end
        k = 0
        while same and k < len(mark):
            same = data[i + k] == mark[k]
            k += 1
        if same:
            return i + len(mark)
    return i


@leaf
def _copy(data, start, end, citations, out, o):
    """Copies a line to ``out`` from o on (without citation marks if ``citations``); returns the index after it."""
    i = start
    while i < end:
        stop = find_byte(data, i, end, _OPEN) if citations else end
        copy_bytes(data, i, out, o, stop - i)
        o += stop - i
        i = stop
        if i < end:
            i = _citation(data, stop, end)
            if i == stop:
                out[o] = data[i]
                o += 1
                i += 1
    return o


@leaf
def _is_ended(out, start, end, ends, ellipsis):
    """Whether the line ends in one of the code points ``ends``, and not in three dots unless ``ellipsis``."""
    if start == end:
        return False
    if not ellipsis and end - start >= 3 and out[end - 1] == _DOT and out[end - 2] == _DOT and out[end - 3] == _DOT:
        return False
    last = decode(out, before(out, end))[0]
    ended = False
    for mark in ends:
        ended |= mark == last
    return ended


@leaf
def keep_lines(
    data,
    offsets,
    kinds,
    out,
    bounds,
    terminal,
    ends,
    ellipsis,
    least_words,
    longest,
    citations,
    words_after_citations,
    javascript,
    policy,
    lorem_ipsum,
    curly_brackets,
):
    """Writes the remaining lines, joined by newlines, to ``out`` (as long as the texts), and the texts' ``bounds``.

    ``terminal`` keeps only lines that end in one of the code points ``ends``, and not in three dots unless
    ``ellipsis``. Lines need ``least_words`` words, of at most ``longest`` characters. ``citations`` removes citation
    marks; ``words_after_citations`` counts words after that. ``javascript`` and ``policy`` remove notices, except those
    for which C4's code rejects the page because of ``lorem_ipsum`` or ``curly_brackets``.
    """
    o = int64(0)
    bounds[0] = 0
    for d in range(offsets.shape[0] - 1):
        first_out = o
        lines = 0
        i, end = offsets[d], offsets[d + 1]
        while i < end:
            stop, following = line_end(data, i, end, kinds)
            first, last = strip(data, i, stop, kinds)
            i = following
            if not _has_words(data, first, last, kinds, 0 if words_after_citations else least_words, longest):
                continue
            line = o
            if lines:
                out[o] = _NEWLINE
                line += 1
            behind = _copy(data, first, last, citations, out, line)
            if terminal and not _is_ended(out, line, behind, ends, ellipsis):
                continue
            if words_after_citations and not _has_words(out, line, behind, kinds, least_words, 0):
                continue
            notice = (javascript or policy) and _is_notice(out, line, behind, javascript, policy)
            if notice and not _condemns(out, line, behind, javascript, lorem_ipsum, curly_brackets):
                continue
            lines += 1
            o = behind
        lead, behind = strip(out, first_out, o, kinds)
        if lead > first_out:
            for k in range(behind - lead):
                out[first_out + k] = out[lead + k]
        o = first_out + behind - lead
        bounds[d + 1] = o
