"""Expands braces in a glob as shells do: ``{a,b}`` and ``{00..12}``."""

import re
from itertools import product

from schemas.errors import InputError

MOST_PATTERNS = 100_000
"""Maximum number of patterns that a pattern may expand to."""

_NUMBERS = re.compile(r"(-?\d{1,18})\.\.(-?\d{1,18})")


def expand_braces(pattern: str) -> list[str]:
    """The patterns that a pattern with braces expands to, in order; the pattern itself if it has no braces.

    Raises InputError for more than MOST_PATTERNS patterns.

    >>> expand_braces("{a,b}.{json,txt}")
    ['a.json', 'a.txt', 'b.json', 'b.txt']
    >>> expand_braces("part-{08..10}"), expand_braces("{one}")
    (['part-08', 'part-09', 'part-10'], ['{one}'])
    """
    pieces: list[list[str]] = []
    count, at = 1, 0
    while at < len(pattern):
        end = _closing(pattern, at) if pattern[at] == "{" else None
        choices = None if end is None else _choices(pattern[at + 1 : end], pattern)
        if end is None or choices is None:
            pieces.append([pattern[at]])
            at += 1
            continue
        pieces.append(choices)
        count *= len(choices)
        if count > MOST_PATTERNS:
            raise _too_many(pattern)
        at = end + 1
    return ["".join(words) for words in product(*pieces)]


def has_range(pattern: str) -> bool:
    """Whether braces in the pattern contain a range of numbers.

    >>> has_range("part-{08..10}"), has_range("{a,b}..2")
    (True, False)
    """
    return re.search(rf"[{{,]{_NUMBERS.pattern}[}},]", pattern) is not None


def _closing(pattern: str, start: int) -> int | None:
    """The index of the brace that closes the brace at ``start``, or None."""
    depth = 0
    for place in range(start, len(pattern)):
        depth += {"{": 1, "}": -1}.get(pattern[place], 0)
        if not depth:
            return place
    return None


def _choices(inside: str, pattern: str) -> list[str] | None:
    """The alternatives between two braces; None if the braces are ordinary characters."""
    numbers = _NUMBERS.fullmatch(inside)
    if numbers:
        return _range(numbers[1], numbers[2], pattern)
    words, depth, begin = [], 0, 0
    for place, letter in enumerate(inside):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if letter == "," and not depth:
            words.append(inside[begin:place])
            begin = place + 1
    if not words:
        return None
    return [each for word in [*words, inside[begin:]] for each in expand_braces(word)]


def _range(first: str, last: str, pattern: str) -> list[str]:
    """The integers of a range, zero-padded if one of its two ends is."""
    start, stop = int(first), int(last)
    if abs(stop - start) >= MOST_PATTERNS:
        raise _too_many(pattern)
    padded = any(len(end.lstrip("-")) > 1 and end.lstrip("-").startswith("0") for end in (first, last))
    width = max(len(first), len(last)) if padded else 0
    step = 1 if start <= stop else -1
    return [f"{number:0{width}d}" for number in range(start, stop + step, step)]


def _too_many(pattern: str) -> InputError:
    shown = pattern if len(pattern) <= 200 else f"{pattern[:200]}..."
    return InputError(
        f"the braces of the input '{shown}' expand to more than {MOST_PATTERNS:,} patterns: use a wildcard"
    )
