"""The meanings of a field's values: of single values, and of ranges of numbers such as ``<1.5``."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

from annotation.imports import fields

_RANGE = re.compile(r"(<=|>=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+))")


class _Range(NamedTuple):
    """All numbers below or above a bound. ``inclusive``: the bound belongs to the range."""

    below: bool
    inclusive: bool
    bound: float
    meaning: str

    def holds(self, number: float) -> bool:
        if number == self.bound:
            return self.inclusive
        return (number < self.bound) == self.below

    def overlaps(self, other: "_Range") -> bool:
        """Whether a number is in both ranges; one range must go up from its bound, the other down."""
        low, high = (other, self) if self.below else (self, other)
        return low.bound < high.bound or (low.bound == high.bound and low.inclusive and high.inclusive)


def meanings(table: Mapping[str, str]) -> Callable[[object, str], str | None]:
    """A function of a value and its path that returns the meaning of the value, or None if ``table`` has no meaning.

    An exact entry of the table comes first; otherwise the range that holds the number decides, of several ranges the
    range with the nearest bound. The function raises RowError for a list or an object.

    >>> preferred = meanings({"<1.5": "first", ">1.5": "second", "1.5": "tie"})
    >>> [preferred(value, "preference") for value in (1, 1.4999, 1.5, "2", "neither")]
    ['first', 'first', 'tie', 'second', None]
    """
    ranges = [each for each in (_range(name, meaning) for name, meaning in table.items()) if each is not None]

    def of(value: object, path: str) -> str | None:
        word = fields.word(value, path)
        if word in table:
            return table[word]
        number = _number(word) if ranges else None
        if number is None:
            return None
        holding = [each for each in ranges if each.holds(number)]
        if not holding:
            return None
        return min(holding, key=lambda each: (abs(each.bound - number), each.inclusive)).meaning

    return of


def mistakes(name: str, table: Mapping[str, str]) -> Iterator[str]:
    """The conflicts between the ranges of a table, a sentence each."""
    ranges = [(key, found) for key, meaning in table.items() if (found := _range(key, meaning)) is not None]
    for (one, first), (other, second) in combinations(ranges, 2):
        same = first[:3] == second[:3]
        if first.meaning != second.meaning and (same or (first.below != second.below and first.overlaps(second))):
            yield f"{one!r} and {other!r} of {name} overlap and mean different things"


def _range(key: str, meaning: str) -> _Range | None:
    found = _RANGE.fullmatch(key.strip())
    if found is None:
        return None
    sign, bound = found.groups()
    return _Range(sign[0] == "<", len(sign) == 2, float(bound), meaning)


def _number(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
