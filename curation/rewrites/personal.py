"""Finds personal information in texts: its kinds, where each value is, and which values are equal."""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.kernels import personal_numbers as numbers
from curation.kernels.buffers import text_buffers
from curation.kernels.contacts import MAY_HAVE_EMAIL, MAY_HAVE_IPV4, MAY_HAVE_IPV6, notice_contacts
from curation.kernels.personal_numbers import find_numbers
from curation.kernels.prefixes import find_prefixes
from curation.rewrites.contacts import email_spans, ipv4_spans, ipv6_spans
from curation.rewrites.phones import classes, least_digits, phones_around
from curation.rewrites.service_keys import PREFIXES, keys_at

Kind = Literal["key", "email", "ip", "iban", "card", "ssn", "phone"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Where two kinds overlap, the kind that comes first here is found."""
DESCRIPTIONS: dict[Kind, str] = {
    "key": "keys and tokens of services",
    "email": "e-mail addresses",
    "ip": "public IP addresses",
    "iban": "bank account numbers (IBAN)",
    "card": "payment card numbers",
    "ssn": "US social security numbers",
    "phone": "telephone numbers",
}
_NUMBERS: dict[Kind, int] = {
    "iban": numbers.IBAN,
    "card": numbers.CARD,
    "ssn": numbers.SSN,
    "phone": numbers.PHONE,
}
_KIND_OF: dict[int, Kind] = {bit: kind for kind, bit in _NUMBERS.items()}
_NO_CLASSES, _NO_LEAST = np.zeros(0, np.uint8), np.zeros(2, np.int64)
_SEPARATORS = dict.fromkeys(map(ord, " -"))


class Found(NamedTuple):
    """A value: the bounds of its bytes, its kind, and a form that is the same for equal values."""

    start: int
    end: int
    kind: Kind
    value: str


class Personal(NamedTuple):
    """A text in UTF-8, with the values in it from left to right, which do not overlap."""

    text: bytes
    spans: Sequence[Found]


def find_personal(
    texts: pa.LargeStringArray, kinds: frozenset[Kind], regions: tuple[str, ...]
) -> Iterator[tuple[int, Personal]]:
    """The texts in which something was found, with their rows in ascending order."""
    data, offsets = text_buffers(texts)
    flags = np.zeros(len(texts), np.uint8)
    if kinds & {"email", "ip"}:
        notice_contacts(data, offsets, flags)
        wanted = (MAY_HAVE_EMAIL if "email" in kinds else 0) | (MAY_HAVE_IPV4 | MAY_HAVE_IPV6 if "ip" in kinds else 0)
        flags &= np.uint8(wanted)
    written = _numbers(data, offsets, kinds, regions)
    places = _key_places(data, offsets) if "key" in kinds else np.zeros((0, 2), np.int64)
    candidates = np.unique(np.concatenate([np.flatnonzero(flags), written[:, 0], places[:, 0]]))
    first_written, first_place = (np.searchsorted(rows[:, 0], candidates) for rows in (written, places))
    last_written, last_place = (np.searchsorted(rows[:, 0], candidates, "right") for rows in (written, places))
    for n, row in enumerate(candidates.tolist()):
        start = int(offsets[row])
        text = data[start : offsets[row + 1]].tobytes()
        keys = (places[first_place[n] : last_place[n], 1] - start).tolist()
        found = [Found(*bounds, "key", text[slice(*bounds)].decode()) for bounds in keys_at(text, keys)]
        found += _contacts(text, int(flags[row]))
        for _, begin, end, bit in written[first_written[n] : last_written[n]].tolist():
            found += _number(text, begin - start, end - start, _KIND_OF[bit], regions)
        if spans := _without_overlaps(found):
            yield row, Personal(text, spans)


def _numbers(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], kinds: frozenset[Kind], regions: tuple[str, ...]
) -> npt.NDArray[np.int64]:
    wanted = sum(_NUMBERS[kind] for kind in kinds if kind in _NUMBERS)
    phone = bool(wanted & numbers.PHONE)
    of_phones = (classes(), least_digits(regions)) if phone else (_NO_CLASSES, _NO_LEAST)
    found = np.empty((1024 if wanted else 0, 4), np.int64)
    while wanted:
        size = find_numbers(data, offsets, wanted, *of_phones, found)
        if size <= len(found):
            return found[:size]
        found = np.empty((size, 4), np.int64)
    return found


def _key_places(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    found = np.empty((1024, 2), np.int64)
    while True:
        size = find_prefixes(data, offsets, *PREFIXES, found)
        if size <= len(found):
            return found[:size]
        found = np.empty((size, 2), np.int64)


def _contacts(text: bytes, flags: int) -> Iterator[Found]:
    """The e-mail and IP addresses of a text with these flags."""
    if not flags:
        return
    decoded = text.decode()
    done, place = 0, 0
    spans: list[tuple[int, int, Kind, str]] = []
    if flags & MAY_HAVE_EMAIL:
        spans += [(start, end, "email", decoded[start:end].lower()) for start, end in email_spans(decoded)]
    for bit, addresses in ((MAY_HAVE_IPV6, ipv6_spans), (MAY_HAVE_IPV4, ipv4_spans)):
        if flags & bit:
            spans += [
                (start, end, "ip", str(ipaddress.ip_address(decoded[start:end]))) for start, end in addresses(decoded)
            ]
    for start, end, kind, value in sorted(spans):
        place += len(decoded[done:start].encode())
        done = start
        yield Found(place, place + len(decoded[start:end].encode()), kind, value)


def _number(text: bytes, start: int, end: int, kind: Kind, regions: tuple[str, ...]) -> Iterator[Found]:
    if kind == "phone":
        for begin, stop, value in phones_around(text, start, end, regions):
            yield Found(begin, stop, kind, value)
    else:
        yield Found(start, end, kind, text[start:end].decode().translate(_SEPARATORS))


def _without_overlaps(found: Sequence[Found]) -> list[Found]:
    """The values from left to right, without those that overlap a value of a kind that comes before theirs, or an
    earlier value of their kind."""
    kept: list[Found] = []
    taken = bytearray(max((each.end for each in found), default=0))
    for each in sorted(found, key=lambda one: (KINDS.index(one.kind), one.start, -one.end)):
        if taken.find(1, each.start, each.end) < 0:
            taken[each.start : each.end] = b"\1" * (each.end - each.start)
            kept.append(each)
    return sorted(kept)
