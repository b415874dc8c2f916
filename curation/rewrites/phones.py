"""Telephone numbers, as Google's libphonenumber finds them."""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.metadata import version
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from curation.kernels.personal_numbers import PHONE_DIGIT, PHONE_PUNCTUATION
from curation.rewrites.phone_plans import TYPES, plan_of
from schemas.errors import UserError
from schemas.settings import unknown

PACKAGE = "phonenumbers"
"""The port of libphonenumber to Python. What it finds depends on its version."""
_BEFORE, _AFTER = 12, 24
"""Bytes before and after a run of digits that the library sees: signs, extensions, and what rules a number out."""
_LEAST_AFTER_PLUS = 6
"""The least number of digits of an international number, with its country's code (a test checks this)."""
_CLASSES = 0x10000
PUNCTUATION = (
    " ()-./[]x~\xa0\xad\u200b\u2010\u2011\u2012\u2013\u2014\u2015\u2053\u2060\u2212\u223c\u3000\u30fc"
    "\uff08\uff09\uff0d\uff0e\uff0f\uff3b\uff3d\uff5e"
)
"""What may stand between the digits of a number, as in the library (a test checks this)."""

_PLAIN = re.compile(r"[0-9 ()\[\]./\xa0-]*")
"""Candidates without signs of an extension, a carrier or another country."""
_NO_PUNCTUATION = dict.fromkeys(map(ord, " ()[]./\xa0-"))
_DIGITS = re.compile("[0-9]+")
_SIGN = re.compile(r"[+\uff0b]|\d\D*([#\uff03~\uff5e]|[^\W\d_])\D*$")
"""A plus sign, or what may be the label of an extension behind other digits: part of the run may belong to it."""
_MOST_GROUPS, _LONGEST_GROUP = 5, 20
"""How many groups of digits are joined in every way, and the longest group that the library does not split."""
_CACHED = 100
"""The longest text in characters for which numbers are remembered."""


def _library() -> Any:
    """The library, imported when the first number is looked for (0.1 s)."""
    import phonenumbers

    return phonenumbers


def versions_for(regions: Sequence[str]) -> dict[str, str]:
    """The version of the package that finds telephone numbers, by its name; empty without regions."""
    return {PACKAGE: version(PACKAGE)} if regions else {}


def check_regions(regions: Sequence[str], where: str) -> None:
    """Raises UserError, which names the setting ``where``, for a region that the library does not know."""
    for region in regions:
        if region not in _library().SUPPORTED_REGIONS:
            raise UserError(unknown(f"{where} cannot have", region, sorted(_library().SUPPORTED_REGIONS)))


@cache
def classes() -> npt.NDArray[np.uint8]:
    """The PHONE_DIGIT and PHONE_PUNCTUATION of code points, as in the library's expressions."""
    found = np.zeros(_CLASSES, np.uint8)
    found[[point for point in range(_CLASSES) if chr(point).isdecimal()]] = PHONE_DIGIT
    found[list(map(ord, PUNCTUATION))] = PHONE_PUNCTUATION
    return found


@cache
def least_digits(regions: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """The least number of digits of a valid number of one of the regions, and of an international number."""
    metadata = [_library().PhoneMetadata.metadata_for_region(region) for region in regions]
    lengths = [getattr(of, kind).possible_length for of in metadata for kind in TYPES if getattr(of, kind) is not None]
    least = min(length for each in lengths for length in each if length > 0)
    return np.array([least, min(least, _LEAST_AFTER_PLUS)], np.int64)


def phones_around(text: bytes, start: int, end: int, regions: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    """The valid numbers that begin in the run of digits text[start:end] or just before it, with their bounds and the
    number in the form of E.164; where the regions' numbers overlap, the longest one from the left."""
    low, high = _boundary(text, max(0, start - _BEFORE)), _boundary(text, min(len(text), end + _AFTER))
    before, run = text[low:start].decode(), text[start:end].decode()
    if not _SIGN.search(before):
        regions = tuple(region for region in regions if may_hold_number(run, region))
    if not regions:
        return
    window = text[low:high].decode()
    first, last = len(before), len(before) + len(run)
    find = _phones if len(window) <= _CACHED else _phones.__wrapped__
    matches = sorted(
        (begin, -stop, value) for region in regions for begin, stop, value in find(window, first, last, region)
    )
    done = 0
    for begin, minus_stop, value in matches:
        stop = -minus_stop
        if begin >= done:
            done = stop
            place = low + len(window[:begin].encode())
            yield place, place + len(window[begin:stop].encode()), value


def may_hold_number(run: str, region: str) -> bool:
    """Whether a run of digits may hold a number, if no sign stands before it."""
    return (_may_hold_number if len(run) <= _CACHED else _may_hold_number.__wrapped__)(run, region)


@lru_cache(maxsize=1 << 16)
def _may_hold_number(run: str, region: str) -> bool:
    """The library splits a run without signs at punctuation alone: every number is some groups of digits in a row."""
    groups = _DIGITS.findall(run)
    if not _PLAIN.fullmatch(run) or len(groups) > _MOST_GROUPS or max(map(len, groups)) > _LONGEST_GROUP:
        return bool(sum(map(str.isdecimal, run)) >= least_digits((region,))[0])
    plan, bounds = plan_of(region), range(len(groups) + 1)
    return any(plan.may_be_number("".join(groups[begin:stop])) for begin, stop in combinations(bounds, 2))


@lru_cache(maxsize=1 << 16)
def _phones(text: str, first: int, last: int, region: str) -> tuple[tuple[int, int, str], ...]:
    """The valid numbers of a short text that end behind ``first`` and begin before ``last``. Pages of a site have many
    of these in common."""
    library, e164 = _library(), _library().PhoneNumberFormat.E164
    return tuple(
        (match.start, match.end, library.format_number(match.number, e164))
        for match in _matcher()(text, region, first, last)
        if match.end > first and match.start < last
    )


@cache
def _matcher() -> Any:
    """The library's matcher, which parses only candidates that may be a number and lie in the run of digits. (Parsing
    takes 50 to 100 times as long as `Plan.may_be_number`.)"""

    class Matcher(_library().PhoneNumberMatcher):  # type: ignore[misc]
        def __init__(self, text: str, region: str, first: int, last: int):
            super().__init__(text, region)
            self._first, self._last, self._plan = first, last, plan_of(region)

        def _extract_match(self, candidate: str, offset: int) -> Any:
            if offset >= self._last or offset + len(candidate) <= self._first:
                return None
            return super()._extract_match(candidate, offset)

        def _parse_and_verify(self, candidate: str, offset: int) -> Any:
            if _PLAIN.fullmatch(candidate) and not self._plan.may_be_number(candidate.translate(_NO_PUNCTUATION)):
                return None
            return super()._parse_and_verify(candidate, offset)

    return Matcher


def _boundary(text: bytes, place: int) -> int:
    """The start of the character at ``place``."""
    while 0 < place < len(text) and text[place] & 0xC0 == 0x80:
        place -= 1
    return place
