"""Replaces personal addresses: e-mail addresses and public IP addresses.

The patterns are FineWeb's (datatrove's), with added boundaries and IPv6. The time is linear in the length of a text.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.kernels.buffers import text_buffers
from curation.kernels.contacts import MAY_HAVE_EMAIL, MAY_HAVE_IPV4, MAY_HAVE_IPV6, notice_contacts

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


@dataclass(frozen=True, kw_only=True)
class Redact:
    """Replaces e-mail addresses and public IP addresses (version 4 and 6); None keeps them."""

    use: Literal["redact"] = "redact"
    email: str | None = "email@example.com"
    ip: str | None = "22.214.171.124"
    """The first of FineWeb's replacements; none of these addresses responded when they were chosen."""

    def rewrite(self, texts: pa.LargeStringArray) -> pa.LargeStringArray:
        flags = np.empty(len(texts), np.uint8)
        notice_contacts(*text_buffers(texts), flags)
        rows = np.flatnonzero(flags)
        before = texts.take(pa.array(rows)).to_pylist()
        after = [self._redact(text, flag) for text, flag in zip(before, flags[rows].tolist(), strict=True)]
        changed = [new != old for new, old in zip(after, before, strict=True)]
        mask = np.zeros(len(texts), np.bool_)
        mask[rows[changed]] = True
        if not mask.any():
            return texts
        replacements = pa.array([text for text, new in zip(after, changed, strict=True) if new], texts.type)
        return pc.replace_with_mask(texts, pa.array(mask), replacements)

    def _redact(self, text: str, flag: int) -> str:
        if self.email is not None and flag & MAY_HAVE_EMAIL:
            text = replace_emails(text, self.email)
        if self.ip is not None and flag & MAY_HAVE_IPV6:
            text = replace_ipv6(text, self.ip)
        if self.ip is not None and flag & MAY_HAVE_IPV4:
            text = replace_ipv4(text, self.ip)
        return text


def replace_emails(text: str, replacement: str) -> str:
    """The text with each e-mail address replaced; only the surroundings of at signs are inspected.

    >>> replace_emails("Write to jo.do@mail.example.org, or to jo@[192.0.2.1]!", "me@example.com")
    'Write to me@example.com, or to me@example.com!'
    """
    parts = []
    done = 0
    at = text.find("@")
    while at >= 0:
        name = _name_start(text, max(done, at - _LONGEST_NAME), at)
        domain = None if name is None else _DOMAIN.match(text, at + 1, at + 1 + _LONGEST_DOMAIN)
        if domain:
            parts += [text[done:name], replacement]
            done = domain.end()
            at = text.find("@", done)
        else:
            at = text.find("@", at + 1)
    return "".join([*parts, text[done:]])


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


def replace_ipv4(text: str, replacement: str) -> str:
    """The text with each public IPv4 address replaced.

    >>> replace_ipv4("Ask 8.8.8.8, not 127.0.0.1 (section 8.8.8.8 of 8.8.8.256).", "1.1.1.1")
    'Ask 1.1.1.1, not 127.0.0.1 (section 8.8.8.8 of 8.8.8.256).'
    """

    def replace(found: re.Match[str]) -> str:
        before = text[max(0, found.start() - _LONGEST_BEFORE) : found.start()]
        return replacement if is_public(found[0]) and not _NUMBERED.search(before) else found[0]

    return _IPV4.sub(replace, text)


def replace_ipv6(text: str, replacement: str) -> str:
    """The text with each public IPv6 address replaced.

    >>> replace_ipv6("Ask 2001:4860:4860::8888, not fe80::1 or std::dead at 12:30:45.", "1.1.1.1")
    'Ask 1.1.1.1, not fe80::1 or std::dead at 12:30:45.'
    """
    return _IPV6.sub(lambda found: replacement if _is_public_ipv6(found[0]) else found[0], text)


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
