"""E-mail addresses and public IP addresses (version 4 and 6) in a text."""

import ipaddress
import re
from collections.abc import Iterable, Iterator

Span = tuple[int, int]
"""The first character of an address, and the character after its last."""

_NAME = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+/=?^_`{|}~-."
"""Characters of an e-mail address before its at sign."""
_NAME_START = re.compile(r"\b(?=[^.])")
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)"
_IN_BRACKETS = rf"\[(?:(?:{_OCTET}\.){{3}}{_OCTET}|[Ii][Pp][Vv]6:[0-9A-Fa-f:.]{{2,45}})\]"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}|{_IN_BRACKETS}")
_LONGEST_NAME, _LONGEST_DOMAIN = 128, 256
"""Maximum characters of an e-mail address before and after its at sign; RFC 5321 allows 64 and 255."""

_IPV4 = re.compile(rf"(?<![0-9])(?<![0-9]\.)(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9])(?!\.[0-9])")
"""Exactly four numbers: five or more are numbers of sections and versions."""
_NUMBERED = re.compile(
    r"(?:\b(?:section|sec|chapter|clause|article|paragraph|appendix|annex|figure|fig|version|ver|v|release|rev|revision"
    r"|build|firmware|ios|ipados|macos|tvos|watchos|android|windows|chrome|chromium|firefox|safari|opera|edge|explorer"
    r"|java|flash)s?|§)[\s.:#/-]{0,2}\Z",
    re.IGNORECASE,
)
"""Words before a number of four parts that is not an address."""
_LONGEST_BEFORE = 16

_GROUP = "[0-9A-Fa-f]{1,4}"
_IPV6 = re.compile(
    rf"(?<![\w:.])(?:(?:{_GROUP}:){{7}}{_GROUP}|(?:{_GROUP}(?::{_GROUP}){{0,6}})?::(?:{_GROUP}(?::{_GROUP}){{0,6}})?)"
    r"(?![\w])(?!:[\w:])(?!\.[0-9])"
)
_ALLOCATED = ipaddress.ip_network("2000::/3")
"""The allocated part of the public IPv6 internet."""


def replaced(text: str, spans: Iterable[Span], replacement: str) -> str:
    """The text with each span replaced.

    >>> replaced("Write to jo.do@mail.example.org!", email_spans("Write to jo.do@mail.example.org!"), "me@example.com")
    'Write to me@example.com!'
    """
    parts = []
    done = 0
    for start, end in spans:
        parts += [text[done:start], replacement]
        done = end
    return "".join([*parts, text[done:]])


def email_spans(text: str) -> Iterator[Span]:
    """The e-mail addresses of a text, in order; only the surroundings of at signs are inspected.

    >>> [*email_spans("jo.do@mail.example.org, or jo@[192.0.2.1]!")]
    [(0, 22), (27, 41)]
    """
    done = 0
    at = text.find("@")
    while at >= 0:
        name = _name_start(text, max(done, at - _LONGEST_NAME), at)
        domain = None if name is None else _DOMAIN.match(text, at + 1, at + 1 + _LONGEST_DOMAIN)
        if domain and name is not None:
            yield name, domain.end()
            done = domain.end()
            at = text.find("@", done)
        else:
            at = text.find("@", at + 1)


def _name_start(text: str, begin: int, at: int) -> int | None:
    """The start, at or after ``begin``, of the name of an e-mail address with this at sign; None if there is no name.

    A name starts at a word boundary, and has no dot at either end and no two dots in a row.
    """
    if at == begin or text[at - 1] == "." or text[at - 1] not in _NAME:
        return None
    before = text[begin:at]
    start = max(len(before.rstrip(_NAME)), before.rfind("..") + 1)
    found = _NAME_START.search(text, begin + start, at)
    return found and found.start()


def ipv4_spans(text: str) -> Iterator[Span]:
    """The public IPv4 addresses of a text, in order.

    >>> [*ipv4_spans("Ask 8.8.8.8, not 127.0.0.1 (section 8.8.8.8 of 8.8.8.256).")]
    [(4, 11)]
    """
    for found in _IPV4.finditer(text):
        before = text[max(0, found.start() - _LONGEST_BEFORE) : found.start()]
        if is_public(found[0]) and not _NUMBERED.search(before):
            yield found.span()


def ipv6_spans(text: str) -> Iterator[Span]:
    """The public IPv6 addresses of a text, in order.

    >>> [*ipv6_spans("Ask 2001:4860:4860::8888, not fe80::1 or std::dead at 12:30:45.")]
    [(4, 24)]
    """
    return (found.span() for found in _IPV6.finditer(text) if _is_public_ipv6(found[0]))


def is_public(address: str) -> bool:
    """Whether an IP address is that of a single machine on the public internet.

    >>> is_public("8.8.8.8"), is_public("192.168.1.1"), is_public("08.8.8.8"), is_public("224.0.0.1")
    (True, False, False, False)
    """
    try:
        read = ipaddress.ip_address(address)
    except ValueError:  # a number with a leading zero
        return False
    return read.is_global and not read.is_multicast


def _is_public_ipv6(address: str) -> bool:
    """Whether an IPv6 address is public.

    A short form such as a::b must be in the allocated range, since programs contain such names. Eight groups of at most
    two digits are a fingerprint.
    """
    if not is_public(address):
        return False
    if "::" in address:
        return ipaddress.ip_address(address) in _ALLOCATED
    return any(len(group) > 2 for group in address.split(":"))
