"""The scores of decon's definition, word for word, with sets of n-grams and one word at a time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.curation.contamination.naive import ngrams, word_list

Parts = tuple[str, str, str]
Ngram = tuple[str, ...]
SIZES = (5, 3, 4)


@dataclass(frozen=True)
class Match:
    """A match of a reference, with the words [start, stop) of the document that repeat its question."""

    score: float
    question: float
    answer: float
    passage: float
    start: int
    stop: int


def is_left_out(parts: Parts) -> bool:
    words = [word for part in parts for word in word_list(part)]
    return len(words) < 20 or len(set(words)) < 4 or len(word_list(parts[0])) < 5


def threshold(length: int, least: float = 0.8) -> float:
    """1 up to 20 words, ``least`` from 50."""
    return 1 - (1 - least) * min(max(length - 20, 0) / 30, 1)


def shares(question: list[str], answer: list[str], has_passage: bool) -> tuple[float, float, float]:
    sure = 0.5 + 0.5 * min(len(set(ngrams(question, 5))) / 20, 1)
    if answer and has_passage:
        lost = 0.7 * (1 - sure)
        certain = 0.5 + 0.5 * min(len(set(answer)) / 4, 1)
        kept = (0.2 + lost / 2) * certain
        return 0.7 - lost, kept, 0.1 + lost / 2 + (0.2 + lost / 2) * (1 - certain)
    if answer:
        return 0.75 * sure, 0.25 + 0.75 * (1 - sure), 0.0
    if has_passage:
        return 0.85 * sure, 0.0, 0.15 + 0.85 * (1 - sure)
    return 1.0, 0.0, 0.0


def matches(references: Sequence[Parts], document: str) -> dict[int, Match]:
    """The best match of a document with each reference, by the reference's number."""
    own = [() if is_left_out(parts) else tuple(map(word_list, parts)) for parts in references]
    held = [[set(ngrams(part, size)) for part, size in zip(each, SIZES, strict=False)] for each in own]
    used = sum(map(bool, own))

    def weight(part: int, found: set[Ngram]) -> float:
        having = [sum(gram in each[part] for each in held if each) for gram in found]
        return sum(max(1, round(math.log(used / count) * 2**20)) for count in having)

    words = word_list(document)
    document_grams = ngrams(words, 5)
    best: dict[int, Match] = {}
    at = 0
    while at < len(document_grams):
        hit = [number for number, each in enumerate(held) if each and document_grams[at] in each[0]]
        if not hit:
            at += 10
            continue
        reach = at
        for number in hit:
            found, ends = {document_grams[at]}, []
            for step in (-1, 1):
                place, edge, misses = at, at, 0
                while misses < 11 and 0 <= place + step < len(document_grams):
                    place += step
                    if document_grams[place] not in held[number][0]:
                        misses += 1
                        continue
                    misses = misses if document_grams[place] in found else 0
                    found.add(document_grams[place])
                    edge = place
                ends.append(edge)
            reach = max(reach, place)
            question, answer, passage = own[number]
            overlap = weight(0, found) / weight(0, held[number][0])
            if overlap < threshold(len(question), 0.5 / 0.7):
                continue
            start, stop = ends[0], ends[1] + 5
            after = start + min(stop - start, len(question))
            answered = 0.0
            if 0 < len(answer) <= 3:
                answered = float(any(words[i : i + len(answer)] == answer for i in range(after, after + 50)))
            elif answer:
                near = set(ngrams(words[after : after + max(100, 2 * len(answer))], 3))
                answered = weight(1, near & held[number][1]) / weight(1, held[number][1])
            quoted = 0.0
            if len(passage) >= 4:
                near_ones, misses = set(), 0
                before = words[max(0, start - max(100, 2 * len(passage))) : start]
                for gram in reversed(ngrams(before, 4)):
                    if gram in held[number][2]:
                        near_ones.add(gram)
                        misses = 0
                    elif near_ones:
                        misses += 1
                    if misses > 2:
                        break
                quoted = weight(2, near_ones) / weight(2, held[number][2])
            parts = shares(question, answer, len(passage) >= 4)
            score = sum(share * part for share, part in zip(parts, (overlap, answered, quoted), strict=True))
            if number not in best or score > best[number].score + 1e-9:
                best[number] = Match(score, overlap, answered, quoted, start, stop)
        at = reach + 1
    return best
