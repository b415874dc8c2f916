"""Unicode's normal forms in linear time.

`unicodedata` and utf8proc sort combining marks by insertion: a run of n marks takes n squared steps, which is hours for
a million marks. This module first sorts long runs with a stable sort, which does not change the normal form: the text
before and the text after are canonically equivalent.
"""

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Literal

Form = Literal["NFD", "NFKD"]
LONG_RUN = 32
"""Minimum length of a run of marks that is sorted here. The Stream-Safe Text Format (UAX 15) allows 30 marks, more than
any language uses."""
_EVERY, _IN_A_ROW = 16, 8
"""A run is detected by 8 marks in a row among every 16th character, which costs almost nothing. A run too short to be
detected (under 144 marks) takes about 100 steps per mark."""
_BEHIND_LATIN = re.compile(f"[^\x00-\u02ff]{{{_IN_A_ROW}}}")
"""All marks are among these characters; a search for one range is faster than a search for many."""


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
    """Sorts long runs of combining marks; the text stays canonically (NFD) or compatibility (NFKD) equivalent."""
    sample = text[::_EVERY]
    if not _BEHIND_LATIN.search(sample):
        return text
    few, long = _runs(form)
    return long.sub(_mark_sorter(form), text) if few.search(sample) else text


@cache
def _runs(form: Form) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns for short and for long runs of characters that decompose to combining marks only."""
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


def _mark_sorter(form: Form) -> Callable[[re.Match[str]], str]:
    def sort(found: re.Match[str]) -> str:
        marks = "".join(unicodedata.normalize(form, character) for character in found[0])
        return "".join(sorted(marks, key=unicodedata.combining))

    return sort
