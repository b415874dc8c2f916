"""Windows of ``length`` bytes of UTF-8 that begin at each character of a text, and anchors by which equal windows meet.

Of all parts of half the length that begin at a character inside a window, the one with the smallest hash is the
window's anchor, the last among equals (minimizers: Roberts et al. 2004; winnowing: Schleimer et al. 2003). Its hash
depends on the window's bytes alone, so equal windows have equal anchors, and about one character in ``length / 4`` is
the anchor of any window. A span is all windows in a row whose anchors have the same hash, except that windows that
repeat with a period are a span of their own: texts of one character or of a short period have few spans.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import int64, uint64

from curation.kernels.buffers import text_buffers
from curation.kernels.compiled import inline, kernel, leaf
from curation.kernels.cuts import Parts
from curation.kernels.hashing import mix64
from curation.kernels.piece_bounds import Hashes, Ints, hash128

_BASE = np.uint64(0x2545F4914F6CDD1D)
_MERSENNE = np.uint64((1 << 61) - 1)
_FACTOR = np.uint64(0x12B9B0A1F3C5D7E9 % ((1 << 61) - 1))
_ONE = np.uint64(1)
_LARGEST = np.uint64((1 << 64) - 1)
RUN_WIDTH = 6
"""A run is (key, hash of the span, first and last window of the run, counted in bytes from the first window of the
span, row id and start of the first window that equals the run's first window)."""
ENTRY_HEAD = 5
"""An entry is (key, hash of the span, row id, start, number of bytes), and for each of these bytes the hash of the
window that begins there, 0 where no character begins."""


class Spans(NamedTuple):
    """Spans of texts, in columns of equal length, in their order."""

    text: Ints
    """The row of the text."""
    first: Ints
    last: Ints
    """The starts of the first and of the last window."""
    key: Hashes
    """The hash of the anchor."""
    period: Ints
    """The windows behind the first ``period`` equal those ``period`` bytes before, and are neither hashed nor sent."""


@inline
def _begins(data, i):
    """Whether a character begins at i."""
    return data[i] & 0xC0 != 0x80


@leaf
def _hash_parts(data, begin, end, width, values):
    """Sets ``values`` to a hash of the ``width`` bytes at each character that has so many bytes behind it; _LARGEST
    inside of characters."""
    leaving = uint64(1)  # of the first byte, when the next one comes
    for _ in range(width - 1):
        leaving *= _BASE
    rolling = uint64(0)
    for i in range(begin, min(begin + width - 1, end)):
        rolling = rolling * _BASE + uint64(data[i]) + _ONE
    for i in range(begin + width - 1, end):
        part = i - width + 1
        rolling = rolling * _BASE + uint64(data[i]) + _ONE
        values[part - begin] = mix64(rolling) if _begins(data, part) else _LARGEST
        rolling -= (uint64(data[part]) + _ONE) * leaving


@leaf
def _equal_before(data, first, last, apart, most):
    """How many bytes up to ``last`` equal those ``apart`` before, up to ``most``, not before ``first``."""
    count = int64(0)
    while count < most and last - count - apart >= first and data[last - count] == data[last - count - apart]:
        count += 1
    return count


@leaf
def _next_span(data, begin, values, start, windows, newest, length):
    """The span that begins at or after ``start``, of ``windows``: its first and last window, its anchor, its period,
    and whether the anchor occurs in it more than once. ``newest`` is the place of the last part in a window."""
    while start < windows and not _begins(data, begin + start):
        start += 1
    first, smallest = start, _LARGEST
    anchor = start
    for k in range(start, min(start, windows - 1) + newest + 1):
        value = values[k]
        if value <= smallest:
            anchor, smallest = int64(k), value
    last = start
    apart = equal = period = int64(0)
    for after in range(start + 1, windows):
        value = values[after + newest]
        if after > anchor or value < smallest:
            break
        if value == smallest:
            if after + newest - anchor != apart:
                apart = int64(after + newest - anchor)
                equal = _equal_before(data, begin, begin + after + length - 2, apart, length)
            anchor = int64(after + newest)
        if apart > 0:
            byte = begin + after + length - 1
            equal = equal + 1 if data[byte] == data[byte - apart] else int64(0)
            repeats = equal >= length and (period == 0 or period == apart)
            if repeats and period == 0 and after - apart > first:
                last = int64(after - apart - 1)  # the windows that repeat are the next span
                break
            if repeats:
                period = apart
            elif period > 0:
                break
        if _begins(data, begin + after):
            last = int64(after)
    count = last - first + 1
    return first, last, anchor, min(period, count) if period > 0 else count, apart > 0


@kernel
def _find(data, offsets, length):
    width = length // 2
    values = np.empty(0, np.uint64)
    places, keys = np.empty((64, 5), np.int64), np.empty(64, np.uint64)
    count = 0
    for d in range(offsets.shape[0] - 1):
        size = offsets[d + 1] - offsets[d]
        if size >= length and values.shape[0] < size:
            values = np.empty(size, np.uint64)
        if size >= length:
            _hash_parts(data, offsets[d], offsets[d + 1], width, values)
        last = int64(-1)
        while size >= length:
            first, last, anchor, period, recurs = _next_span(
                data, offsets[d], values, last + 1, size - length + 1, length - width, length
            )
            if first > size - length:
                break
            if count == keys.shape[0]:
                more_places, more_keys = np.empty((2 * count, 5), np.int64), np.empty(2 * count, np.uint64)
                more_places[:count] = places
                more_keys[:count] = keys
                places, keys = more_places, more_keys
            places[count, 0], places[count, 1], places[count, 2] = d, first, last
            places[count, 3], places[count, 4] = period, recurs
            keys[count] = values[anchor]
            count += 1
    return places[:count], keys[:count]


def find_spans(texts: pa.LargeStringArray, length: int) -> Spans:
    """The spans of all windows of ``length`` bytes (at least 2) of the texts."""
    data, offsets = text_buffers(texts)
    places, keys = _find(data, offsets, length)
    text, first, last, period, _ = np.ascontiguousarray(places.T)
    return Spans(text, first, last, keys.copy(), period)


def span_keys(texts: pa.LargeStringArray, length: int) -> Hashes:
    """The keys of the spans, each as often as its anchor occurs in the span, but at most twice."""
    data, offsets = text_buffers(texts)
    places, keys = _find(data, offsets, length)
    return np.repeat(keys, places[:, 4] + 1)


@leaf
def _hash_spans(data, offsets, text, first, period, length, out):
    for s in range(text.shape[0]):
        begin = offsets[text[s]] + first[s]
        _, out[s] = hash128(data, begin, begin + period[s] - 1 + length)


def span_hashes(texts: pa.LargeStringArray, spans: Spans, length: int) -> Hashes:
    """A hash of the bytes of each span's windows, of those that repeat only the first ``period``."""
    data, offsets = text_buffers(texts)
    out = np.empty(len(spans.text), np.uint64)
    _hash_spans(data, offsets, spans.text, spans.first, spans.period, length, out)
    return out


@inline
def _reduce(x):
    """x modulo 2**61 - 1, for x below 2**64."""
    x = (x & _MERSENNE) + (x >> uint64(61))
    return x - _MERSENNE if x >= _MERSENNE else x


@leaf
def _times(a, b):
    """a * b modulo 2**61 - 1, for factors below it."""
    a_high, a_low = a >> uint64(31), a & uint64(0x7FFFFFFF)
    b_high, b_low = b >> uint64(31), b & uint64(0x7FFFFFFF)
    middle = a_low * b_high + a_high * b_low
    middle_high, middle_low = middle >> uint64(30), middle & uint64(0x3FFFFFFF)
    return _reduce(((a_high * b_high) << _ONE) + middle_high + (middle_low << uint64(31)) + a_low * b_low)


@leaf
def _write_entries(data, offsets, spans, rows, hashes, length, out):
    """Writes the entries of some spans (Spans, as a tuple) to ``out``."""
    text, first, _, key, period = spans
    leaving = uint64(1)
    for _ in range(length):
        leaving = _times(leaving, _FACTOR)
    o = 0
    for s in range(text.shape[0]):
        count = period[s]
        out[o] = key[s]
        out[o + 1] = hashes[s]
        out[o + 2] = rows[s]
        out[o + 3] = uint64(first[s])
        out[o + 4] = uint64(count)
        o += ENTRY_HEAD
        start = offsets[text[s]] + first[s]
        rolling = uint64(0)
        for i in range(start, start + count - 1 + length):
            rolling = _reduce(_times(rolling, _FACTOR) + uint64(data[i]) + _ONE)
            begin = i - length + 1
            if begin > start:
                rolling = _reduce(rolling + _MERSENNE - _times(uint64(data[begin - 1]) + _ONE, leaving))
            if begin >= start:
                out[o] = rolling + _ONE if _begins(data, begin) else uint64(0)
                o += 1


def entries(texts: pa.LargeStringArray, spans: Spans, rows: Hashes, hashes: Hashes, length: int) -> Hashes:
    """The packed entries of the spans; ``rows`` are the row ids of their texts, ``hashes`` the `span_hashes`."""
    data, offsets = text_buffers(texts)
    out = np.empty(int((spans.period + ENTRY_HEAD).sum()), np.uint64)
    _write_entries(data, offsets, tuple(spans), rows, hashes, length, out)
    return out


@kernel
def _entry_starts(packed):
    count = i = 0
    while i < packed.shape[0]:
        i += ENTRY_HEAD + int64(packed[i + 4])
        count += 1
    starts = np.empty(count, np.int64)
    i = 0
    for k in range(count):
        starts[k] = i
        i += ENTRY_HEAD + int64(packed[i + 4])
    return starts


@kernel
def _match(packed, starts):
    most = windows = int64(0)
    for e in range(starts.shape[0]):
        if e > 0 and packed[starts[e]] != packed[starts[e - 1]]:
            windows = int64(0)
        windows += int64(packed[starts[e] + 4])
        most = max(most, windows)
    size = 64
    while 2 * size < 3 * most:
        size *= 2
    mask = uint64(size - 1)
    table = np.zeros((size, 2), np.uint32)  # the entry of a window, counted from 1, and its place there
    used = np.empty(most, np.uint32)
    filled = 0
    runs, of = np.empty((64, RUN_WIDTH), np.uint64), np.empty(64, np.int64)
    count = 0
    for e in range(starts.shape[0]):
        i = starts[e]
        if e > 0 and packed[i] != packed[starts[e - 1]]:
            for k in range(filled):
                table[used[k], 0] = 0
            filled = 0
        own = count
        for k in range(int64(packed[i + 4])):
            window = packed[i + ENTRY_HEAD + k]
            if window == uint64(0):
                continue
            slot = int64(mix64(window) & mask)
            while table[slot, 0] != 0:
                if packed[starts[int64(table[slot, 0]) - 1] + ENTRY_HEAD + int64(table[slot, 1])] == window:
                    break
                slot = int64(uint64(slot + 1) & mask)
            if table[slot, 0] == 0:
                table[slot, 0], table[slot, 1] = e + 1, k
                used[filled] = slot
                filled += 1
            first = starts[int64(table[slot, 0]) - 1]
            row, start = packed[first + 2], packed[first + 3] + uint64(table[slot, 1])
            goes_on = count > own and runs[count - 1, 4] == row
            if goes_on and runs[count - 1, 5] + uint64(k) == start + runs[count - 1, 2]:
                runs[count - 1, 3] = uint64(k)
                continue
            if count == of.shape[0]:
                more_runs, more_of = np.empty((2 * count, RUN_WIDTH), np.uint64), np.empty(2 * count, np.int64)
                more_runs[:count] = runs
                more_of[:count] = of
                runs, of = more_runs, more_of
            runs[count, 0], runs[count, 1] = packed[i], packed[i + 1]
            runs[count, 2] = runs[count, 3] = uint64(k)
            runs[count, 4], runs[count, 5] = row, start
            of[count] = e
            count += 1
    return runs[:count], of[:count]


def match_windows(packed: Hashes) -> tuple[Hashes, Hashes]:
    """Runs of windows of the packed entries, each with the first window that it equals, which may be itself; and the
    row id of each run's entry."""
    starts = _entry_starts(packed)
    order = np.lexsort((packed[starts + 3], packed[starts + 2], packed[starts]))
    starts = starts[order]
    runs, of = _match(packed, starts)
    return runs, packed[starts[of] + 2]


@kernel
def _choose(spans, group, bounds, runs, length):
    chosen = np.empty((64, 5), np.uint64)
    count = 0
    reach = uint64(0)
    for s in range(group.shape[0]):
        row, last = spans[s, 2], spans[s, 4]
        for ahead in range(uint64(0), last - spans[s, 3] + _ONE, spans[s, 5]):
            for run in range(bounds[group[s]], bounds[group[s] + 1]):
                start = spans[s, 3] + uint64(ahead) + runs[run, 2]
                if start > last:
                    break
                end = min(spans[s, 3] + uint64(ahead) + runs[run, 3], last) + length
                other, first = runs[run, 4], runs[run, 5]
                if other == row and start - first < length:
                    continue
                newest = count - 1
                follows = count > 0 and chosen[newest, 0] == row
                goes_on = follows and chosen[newest, 3] == other and start <= chosen[newest, 2]
                if goes_on and start - first == chosen[newest, 1] - chosen[newest, 4]:
                    chosen[newest, 2] = end
                    continue
                if not follows or start > reach:
                    reach = max(start, chosen[newest, 2]) if follows else start
                    count += 1
                if count > chosen.shape[0]:
                    more = np.empty((2 * count, 5), np.uint64)
                    more[: count - 1] = chosen
                    chosen = more
                newest = count - 1
                chosen[newest, 0], chosen[newest, 1], chosen[newest, 2] = row, start, end
                chosen[newest, 3], chosen[newest, 4] = other, first
    return chosen[:count]


def choose_cuts(spans: Hashes, group: Ints, bounds: Ints, runs: Hashes, length: int) -> Hashes:
    """The cuts (row id, start, end, row id and start of the first copy) of the spans, sorted by place.

    A copy is windows in a row that equal windows in a row of one text, each the first of all; a window that overlaps
    the first that it equals is in no copy. Of copies that overlap, the one that reaches furthest is cut: first the copy
    at the first byte, and then of those that begin before or at the end of the last cut the one with the last end. So
    two cuts in a row have ``2 * length`` bytes or more, however many copies overlap.

    ``spans`` are (key, hash, row id, first and last window, period); the runs of a span are those from
    ``bounds[group]`` to ``bounds[group + 1]``, sorted by their first window.
    """
    return np.asarray(_choose(spans, group, bounds, runs, np.uint64(length)).copy())


@kernel
def _parts(data, offsets, text, start, end, first_row, first_start, found):
    count = 0
    last_text, last_end = int64(-1), int64(0)
    for c in range(text.shape[0]):
        begin = offsets[text[c]]
        stop = end[c]
        while begin + stop < offsets[text[c] + 1] and not _begins(data, begin + stop):
            stop -= 1
        first = max(start[c], last_end) if text[c] == last_text else start[c]
        goes_on = count > 0 and text[c] == last_text and first == last_end
        last_text = text[c]
        last_end = max(first, stop)
        if first >= stop:
            continue
        if goes_on:
            other = found[count - 1, 3]
            goes_on = first_row[c] == first_row[other]
            goes_on &= start[c] - first_start[c] == start[other] - first_start[other]
        if goes_on:
            found[count - 1, 2] = stop
            continue
        found[count, 0], found[count, 1], found[count, 2], found[count, 3] = text[c], first, stop, c
        count += 1
    return count


def parts_of_substrings(texts: pa.LargeStringArray, cuts: Parts, first_row: Ints, first_start: Ints) -> Parts:
    """The parts to cut so that all characters that lie in ``cuts`` go, each part in one cut, the first that holds it.

    ``cuts`` are sorted by text and start, their ends as well; they may overlap. Parts that go on from one to the next,
    also in the text with the first copy (``first_row`` and ``first_start`` of each cut), are one.
    """
    data, offsets = text_buffers(texts)
    found = np.empty((len(cuts.text), 4), np.int64)
    count = _parts(data, offsets, cuts.text, cuts.start, cuts.end, first_row, first_start, found)
    text, start, end, copy = np.ascontiguousarray(found[:count].T)
    return Parts(text, start, end, cuts.copy[copy])
