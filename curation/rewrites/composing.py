"""Unicode's normal forms in time that grows with the text.

`unicodedata` and utf8proc put combining marks into their canonical order by insertion: a run of n marks takes n squared
steps, and hours where n is a million. Long runs are put in order here first, by a stable sort, which leaves the normal
form the same: the text before and the text after are canonically equivalent.
"""

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Literal

Form = Literal["NFD", "NFKD"]
LONG_RUN = 32
"""Marks in a row that are sorted here. The Stream-Safe Text Format (UAX 15) allows 30; no language has so many."""
_EVERY, _IN_A_ROW = 16, 8
"""A run is noticed by so many marks in a row among every 16th character, which costs next to nothing. A run that is too
short for it, under 144 marks, takes some 100 steps a mark."""
_BEHIND_LATIN = re.compile(f"[^\x00-\u02ff]{{{_IN_A_ROW}}}")
"""All marks are among these characters; a single range is searched for faster than many."""


def nfc(text: str) -> str:
    """The text in Normalization Form C.

    >>> nfc("cafe\\u0301")
    'café'
    """
    text = sort_marks(text, "NFD")
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def nfkc(text: str) -> str:
    """The text in Normalization Form KC.

    >>> nfkc("ﬁne")
    'fine'
    """
    return text if text.isascii() else unicodedata.normalize("NFKC", sort_marks(text, "NFKD"))


def sort_marks(text: str, form: Form) -> str:
    """A canonically equivalent text (NFD) or one of equal compatibility (NFKD) without long runs out of order."""
    sample = text[::_EVERY]
    if not _BEHIND_LATIN.search(sample):
        return text
    few, long = _runs(form)
    return long.sub(_in_order(form), text) if few.search(sample) else text


@cache
def _runs(form: Form) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns of a few and of many characters in a row that are nothing but combining marks in a decomposed form."""
    points = [point for point in range(0x300, sys.maxunicode + 1) if _is_marks(chr(point), form)]
    ranges: list[list[int]] = []
    for point in points:
        if ranges and point == ranges[-1][1] + 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    inside = "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
    return re.compile(f"[{inside}]{{{_IN_A_ROW}}}"), re.compile(f"[{inside}]{{{LONG_RUN},}}")


def _is_marks(character: str, form: Form) -> bool:
    if unicodedata.combining(character):
        return True
    if not unicodedata.decomposition(character):
        return False
    return all(map(unicodedata.combining, unicodedata.normalize(form, character)))


def _in_order(form: Form) -> Callable[[re.Match[str]], str]:
    def sort(found: re.Match[str]) -> str:
        marks = "".join(unicodedata.normalize(form, character) for character in found[0])
        return "".join(sorted(marks, key=unicodedata.combining))

    return sort
