"""Where documents repeat the question, the answer and the passage of a reference, by the n-grams of decon's definition
of contamination (allenai/decon)."""

import numpy as np
from numba import int64, uint64

from curation.kernels.compiled import inner, kernel, leaf
from curation.kernels.hashing import mix64
from curation.kernels.shingles import table_size

PLACES = 8
"""Numbers of a match: document, reference, and the first token and the token after the last one of what repeats the
question, the answer and the passage; -1 for a part that is not found."""
SCORES = 4
"""Numbers of a match: the score of the reference, of its question, of its answer and of its passage."""
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@inner
def _slot(tokens, i, width, mask):
    """The first slot of the n-gram tokens[i:i + width]."""
    h = uint64(0)
    for k in range(width):
        h = (h ^ uint64(tokens[i + k])) * _FACTOR
        h ^= h >> uint64(32)
    return int64(mix64(h) & mask)


@inner
def _number(tokens, i, width, own, slots, places):
    """The number of the n-gram tokens[i:i + width], -1 if it is not listed, and its slot. N-gram n is the one at
    places[n] in ``own``."""
    mask = uint64(slots.shape[0] - 1)
    slot = _slot(tokens, i, width, mask)
    while slots[slot] >= 0:
        p = places[slots[slot]]
        k = 0
        while k < width and tokens[i + k] == own[p + k]:
            k += 1
        if k == width:
            return int64(slots[slot]), slot
        slot = (slot + 1) & int64(mask)
    return int64(-1), slot


@kernel
def number_ngrams(tokens, bounds, width):
    """Numbers the different n-grams of ``width`` tokens: (a hash table with their numbers, -1 for an empty slot; the
    first place of each n-gram; the number of the n-gram at each token, -1 if too few tokens follow).

    Text t is tokens[bounds[t]:bounds[t + 1]].
    """
    slots = np.full(table_size(tokens.shape[0]), -1, np.int32)
    places = np.empty(tokens.shape[0], np.int64)
    numbers = np.full(tokens.shape[0], -1, np.int32)
    count = 0
    for t in range(bounds.shape[0] - 1):
        for i in range(bounds[t], bounds[t + 1] - width + 1):
            number, slot = _number(tokens, i, width, tokens, slots, places)
            if number < 0:
                number = count
                slots[slot] = number
                places[number] = i
                count += 1
            numbers[i] = number
    return slots, places[:count].copy(), numbers


@leaf
def _posting(starts, owners, number, reference):
    """The place of ``reference`` in owners[starts[number]:starts[number + 1]], which are sorted, or -1."""
    low, high = starts[number], starts[number + 1]
    while low < high:
        middle = (low + high) // 2
        if owners[middle] < reference:
            low = middle + 1
        else:
            high = middle
    if low < starts[number + 1] and owners[low] == reference:
        return low
    return int64(-1)


@leaf
def _grow(numbers, runs, hit, last, step, most, starts, owners, weights, reference, marks, mark):
    """Grows a match of a question from the n-gram ``hit`` towards the n-gram ``last`` until ``most`` n-grams miss after
    the last one that is new: (the weights of the new n-grams, the furthest n-gram that the question has, the n-gram at
    which growth ended). ``runs`` has how many equal numbers follow in that direction."""
    total, misses, at, edge = int64(0), int64(0), hit, hit
    while misses < most and at != last:
        number = numbers[at + step]
        run = int64(runs[at + step])
        held = _posting(starts, owners, number, reference) if number >= 0 else int64(-1)
        if held >= 0:
            if marks[held] != mark:
                marks[held] = mark
                total += weights[number]
                misses = int64(0)
            at += step * run
            edge = at
        else:
            run = min(run, most - misses)
            misses += run
            at += step * run
    return total, edge, at


@leaf
def _short_answer(documents, start, last, end, answers, first, size):
    """Where an answer of ``size`` tokens begins in documents[start:last] and ends by ``end``, or -1."""
    for i in range(start, min(last, end - size + 1)):
        k = 0
        while k < size and documents[i + k] == answers[first + k]:
            k += 1
        if k == size:
            return i
    return int64(-1)


@leaf
def _long_answer(documents, start, end, width, own, grams, reference, marks, mark):
    """The weights of the answer's different n-grams in documents[start:end], and where they begin and end."""
    slots, places, starts, owners, weights = grams
    total, first, stop = int64(0), int64(-1), int64(-1)
    for i in range(start, end - width + 1):
        number, _ = _number(documents, i, width, own, slots, places)
        if number < 0:
            continue
        held = _posting(starts, owners, number, reference)
        if held < 0:
            continue
        if marks[held] != mark:
            marks[held] = mark
            total += weights[number]
        if first < 0:
            first = i
        stop = i + width
    return total, first, stop


@leaf
def _answer(documents, begin, end, sizes, limits, own, grams, reference, total, marks, mark):
    """The score of an answer in documents[begin:end], behind a question, and where the answer begins and ends, -1 if it
    is not found. ``sizes`` are the answer's first token among those of all answers, ``own``, and its tokens; ``limits``
    as in the settings of `find_overlaps`: the tokens of an n-gram, of a short answer, of its window, and of others."""
    place, size = sizes
    width, short, near, around = limits
    if size == 0:
        return 0.0, int64(-1), int64(-1)
    if size <= short:
        first = _short_answer(documents, begin, begin + near, end, own, place, size)
        return (1.0, first, first + size) if first >= 0 else (0.0, int64(-1), int64(-1))
    window = min(begin + max(2 * size, around), end)
    weight, first, stop = _long_answer(documents, begin, window, width, own, grams, reference, marks, mark)
    return weight / total, first, stop


@leaf
def _passage(documents, start, end, width, most, own, grams, reference, marks, mark):
    """The weights of the passage's different n-grams in documents[start:end], searched backwards until more than
    ``most`` n-grams miss after a match, and where they begin and end."""
    slots, places, starts, owners, weights = grams
    total, first, stop, misses = int64(0), int64(-1), int64(-1), 0
    for i in range(end - width, start - 1, -1):
        number, _ = _number(documents, i, width, own, slots, places)
        held = _posting(starts, owners, number, reference) if number >= 0 else int64(-1)
        if held >= 0:
            if marks[held] != mark:
                marks[held] = mark
                total += weights[number]
            first = i
            if stop < 0:
                stop = i + width
            misses = 0
        elif stop >= 0:
            misses += 1
            if misses > most:
                break
    return total, first, stop


@leaf
def _fill(documents, first, count, width, own, grams, numbers, ahead, behind):
    """Sets the number of each n-gram of a document, and how many equal numbers follow and precede it, itself
    included."""
    slots, places, _, _, _ = grams
    for i in range(count):
        numbers[i], _ = _number(documents, first + i, width, own, slots, places)
        behind[i] = behind[i - 1] + 1 if i and numbers[i] == numbers[i - 1] else 1
    for i in range(count - 1, -1, -1):
        ahead[i] = ahead[i + 1] + 1 if i + 1 < count and numbers[i] == numbers[i + 1] else 1


@kernel
def find_overlaps(documents, offsets, parts, grams, settings, lengths, totals, shares, needs):
    """The best match of each pair of a document and a reference whose question the document repeats far enough: int64
    of shape (pairs, PLACES) and float64 of shape (pairs, SCORES), in the order of documents; the highest score, then
    the first in the document.

    Document d is documents[offsets[d]:offsets[d + 1]]. ``parts`` are the tokens of all questions, answers and passages
    and the bounds of the answers; ``grams`` has for each part the table and places of `number_ngrams`, the references
    of each n-gram, as starts and sorted owners, and the weight of each n-gram. ``settings`` are the tokens of an n-gram
    in each part, the step between samples, the misses that end a question and a passage, the most references of an
    n-gram that begins a match, the tokens of a short answer and of its window, and the least tokens of other windows.
    For each reference, ``lengths`` has the tokens and ``totals`` the weight of each part, ``shares`` the part of the
    score that each part gives, and ``needs`` the least score of the question.
    """
    questions, answers, passages, answer_bounds = parts
    width, answer_width, passage_width, step, most, passage_most, common, short, near, around = settings
    limits = answer_width, short, near, around
    slots, first_places, starts, owners, weights = grams[0]
    marks = np.zeros(owners.shape[0], np.int64)
    answer_marks = np.zeros(grams[1][3].shape[0], np.int64)
    passage_marks = np.zeros(grams[2][3].shape[0], np.int64)
    best = np.full(lengths.shape[0], -1, np.int64)
    found = np.empty((64, PLACES), np.int64)
    scores = np.empty((64, SCORES), np.float64)
    longest = 0
    for d in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[d + 1] - offsets[d])
    numbers, ahead, behind = np.empty(longest, np.int32), np.empty(longest, np.int32), np.empty(longest, np.int32)
    rows = 0
    mark = 0
    for d in range(offsets.shape[0] - 1):
        first, end = offsets[d], offsets[d + 1]
        count = end - first - width + 1
        opened = rows
        filled = False
        at = int64(0)
        while at < count:
            hit, _ = _number(documents, first + at, width, questions, slots, first_places)
            if hit < 0:
                at += step
                continue
            if starts[hit + 1] - starts[hit] > common:
                at += 1
                continue
            if not filled:
                filled = True
                _fill(documents, first, count, width, questions, grams[0], numbers, ahead, behind)
            reach = at
            for posting in range(starts[hit], starts[hit + 1]):
                reference = owners[posting]
                mark += 1
                marks[posting] = mark
                before, left, _ = _grow(
                    numbers, behind, at, 0, -1, most, starts, owners, weights, reference, marks, mark
                )
                after, right, stopped = _grow(
                    numbers, ahead, at, count - 1, 1, most, starts, owners, weights, reference, marks, mark
                )
                reach = max(reach, stopped)
                question = (weights[hit] + before + after) / totals[reference, 0]
                if question < needs[reference]:
                    continue
                start, stop = first + left, first + right + width
                begin = start + min(stop - start, lengths[reference, 0])
                sizes = answer_bounds[reference], lengths[reference, 1]
                answer, answer_start, answer_stop = _answer(
                    documents, begin, end, sizes, limits, answers, grams[1], reference, totals[reference, 1],
                    answer_marks, mark,
                )  # fmt: skip
                passage, passage_start, passage_stop = 0.0, int64(-1), int64(-1)
                if lengths[reference, 2] >= passage_width:
                    window = max(start - max(2 * lengths[reference, 2], around), first)
                    weight, passage_start, passage_stop = _passage(
                        documents, window, start, passage_width, passage_most, passages, grams[2], reference,
                        passage_marks, mark,
                    )  # fmt: skip
                    passage = weight / totals[reference, 2]
                score = 1.0 - (
                    shares[reference, 0] * (1.0 - question)
                    + shares[reference, 1] * (1.0 - answer)
                    + shares[reference, 2] * (1.0 - passage)
                )
                row = best[reference]
                if row >= 0 and score <= scores[row, 0]:
                    continue
                if row < 0:
                    if rows == found.shape[0]:
                        found = np.concatenate((found, np.empty_like(found)))
                        scores = np.concatenate((scores, np.empty_like(scores)))
                    row = rows
                    best[reference] = row
                    rows += 1
                found[row, 0], found[row, 1], found[row, 2], found[row, 3] = d, reference, start - first, stop - first
                found[row, 4], found[row, 5] = answer_start, answer_stop
                found[row, 6], found[row, 7] = passage_start, passage_stop
                for column in range(4, PLACES):
                    if found[row, column] >= 0:
                        found[row, column] -= first
                scores[row, 0], scores[row, 1], scores[row, 2], scores[row, 3] = score, question, answer, passage
            at = reach + 1
        for row in range(opened, rows):
            best[found[row, 1]] = -1
    return found[:rows].copy(), scores[:rows].copy()
