"""Finds where two nearly equal texts differ."""

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

_WORD = re.compile(r"\w+|[^\w\s]")
_ALIKE = 0.8
"""The least share of equal words of two texts that are nearly equal."""
_LONGEST = 3000
"""Most words of a text, and most words that differ: the comparison takes time by their product."""
_LONGEST_CHANGE = 300

Span = tuple[int, int]


def find_differences(first: str, second: str) -> tuple[list[Span], list[Span]]:
    """(start, end) of the words of each text that the other lacks there; none unless the texts are nearly equal.

    The result does not depend on the order of the texts, which therefore says nothing of their models.

    >>> find_differences("a stone grinds fine flour", "a stone grinds coarse flour")
    ([(15, 19)], [(15, 21)])
    """
    if second < first:
        return find_differences(second, first)[::-1]
    one, two = ([found.span() for found in _WORD.finditer(text)] for text in (first, second))
    words = [first[begin:end] for begin, end in one], [second[begin:end] for begin, end in two]
    if not _may_be_alike(*words):
        return [], []
    before = _count_equal(*words)
    after = _count_equal(words[0][before:][::-1], words[1][before:][::-1])
    middles = [each[before : len(each) - after] for each in words]
    if max(map(len, middles)) > _LONGEST_CHANGE:
        return [], []
    matcher = SequenceMatcher(None, middles[0], middles[1], autojunk=False)
    equal = before + after + sum(block.size for block in matcher.get_matching_blocks())
    if 2 * equal < _ALIKE * (len(one) + len(two)):
        return [], []
    changes = [code[1:] for code in matcher.get_opcodes() if code[0] != "equal"]
    return (
        [(one[before + begin][0], one[before + end - 1][1]) for begin, end, _, _ in changes if begin < end],
        [(two[before + begin][0], two[before + end - 1][1]) for _, _, begin, end in changes if begin < end],
    )


def _may_be_alike(one: Sequence[str], two: Sequence[str]) -> bool:
    """Whether the words, in any order, are equal enough; quick, since most pairs are not."""
    total = len(one) + len(two)
    if one == two or max(len(one), len(two)) > _LONGEST or 2 * min(len(one), len(two)) < _ALIKE * total:
        return False
    return 2 * (Counter(one) & Counter(two)).total() >= _ALIKE * total


def _count_equal(one: Sequence[str], two: Sequence[str]) -> int:
    """The number of equal words at the beginning."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(two)))
