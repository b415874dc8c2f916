"""Telephone numbers, as Google's libphonenumber finds them."""

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from curation.kernels.personal_numbers import PHONE_DIGIT, PHONE_PUNCTUATION
from schemas.errors import UserError
from schemas.settings import unknown

PACKAGE = "phonenumbers"
"""The port of libphonenumber to Python. What it finds depends on its version."""
_BEFORE, _AFTER = 12, 24
"""Bytes before and after a run of digits that the library sees: signs, extensions, and what rules a number out."""
_TYPES = (
    *("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost"),
    *("personal_number", "voip", "pager", "uan", "voicemail"),
)
_LEAST_AFTER_PLUS = 6
"""The least number of digits of an international number, with its country's code (a test checks this)."""
_CLASSES = 0x10000
PUNCTUATION = (
    " ()-./[]x~\xa0\xad\u200b\u2010\u2011\u2012\u2013\u2014\u2015\u2053\u2060\u2212\u223c\u3000\u30fc"
    "\uff08\uff09\uff0d\uff0e\uff0f\uff3b\uff3d\uff5e"
)
"""What may stand between the digits of a number, as in the library (a test checks this)."""


def _library() -> Any:
    """The library, imported when the first number is looked for (0.1 s)."""
    import phonenumbers

    return phonenumbers


def package_version() -> str:
    return version(PACKAGE)


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
    lengths = [getattr(of, kind).possible_length for of in metadata for kind in _TYPES if getattr(of, kind) is not None]
    least = min(length for each in lengths for length in each if length > 0)
    return np.array([least, min(least, _LEAST_AFTER_PLUS)], np.int64)


def phones_around(text: bytes, start: int, end: int, regions: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    """The valid numbers that begin in the run of digits text[start:end] or just before it, with their bounds and the
    number in the form of E.164; where the regions' numbers overlap, the longest one from the left."""
    low, high = _boundary(text, max(0, start - _BEFORE)), _boundary(text, min(len(text), end + _AFTER))
    window = text[low:high].decode()
    first, last = len(text[low:start].decode()), len(text[low:end].decode())
    digits = sum(map(str.isdecimal, window[first:last]))
    abroad = not {"+", "\uff0b"}.isdisjoint(window[:first])
    wanted = [region for region in regions if abroad or digits >= least_digits((region,))[0]]
    matches = sorted((begin, -stop, value) for region in wanted for begin, stop, value in _phones(window, region))
    done = 0
    for begin, minus_stop, value in matches:
        stop = -minus_stop
        if begin >= done and stop > first and begin < last:
            done = stop
            place = low + len(window[:begin].encode())
            yield place, place + len(window[begin:stop].encode()), value


@lru_cache(maxsize=1 << 16)
def _phones(text: str, region: str) -> tuple[tuple[int, int, str], ...]:
    """The valid numbers of a short text. Pages of a site have many of these in common."""
    library, e164 = _library(), _library().PhoneNumberFormat.E164
    return tuple(
        (match.start, match.end, library.format_number(match.number, e164))
        for match in library.PhoneNumberMatcher(text, region)
    )


def _boundary(text: bytes, place: int) -> int:
    """The start of the character at ``place``."""
    while 0 < place < len(text) and text[place] & 0xC0 == 0x80:
        place -= 1
    return place
