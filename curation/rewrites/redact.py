"""Personal addresses out of texts, as FineWeb takes them out: e-mail addresses and public IP addresses."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.kernels.buffers import text_buffers
from curation.kernels.contacts import MAY_HAVE_ADDRESS, MAY_HAVE_EMAIL, notice_contacts

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_BEFORE_AT = re.compile(rf"\b{_ATOM}(?:\.{_ATOM})*\Z")
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_AFTER_AT = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)"
_ADDRESS = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")
_LONGEST_NAME, _LONGEST_DOMAIN = 128, 256
"""Characters of an e-mail address that are looked at before and behind its at sign; RFC 5321 allows 64 and 255."""


@dataclass(frozen=True, kw_only=True)
class Redact:
    """Replaces e-mail addresses and public IP addresses (IPv4); None leaves them."""

    use: Literal["redact"] = "redact"
    email: str | None = "email@example.com"
    ip: str | None = "22.214.171.124"
    """The first of FineWeb's replacements, of which none answered when they were chosen."""

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
        if self.ip is not None and flag & MAY_HAVE_ADDRESS:
            text = replace_addresses(text, self.ip)
        return text


def replace_emails(text: str, replacement: str) -> str:
    """The text with each e-mail address replaced; only what stands around at signs is looked at.

    >>> replace_emails("Write to jo.do@mail.example.org!", "me@example.com")
    'Write to me@example.com!'
    """
    parts = []
    done = 0
    at = text.find("@")
    while at >= 0:
        name = _BEFORE_AT.search(text, max(done, at - _LONGEST_NAME), at)
        domain = _AFTER_AT.match(text, at + 1, at + 1 + _LONGEST_DOMAIN)
        if name and domain:
            parts += [text[done : name.start()], replacement]
            done = domain.end()
            at = text.find("@", done)
        else:
            at = text.find("@", at + 1)
    return "".join([*parts, text[done:]])


def replace_addresses(text: str, replacement: str) -> str:
    """The text with each public IP address replaced.

    >>> replace_addresses("Ask 8.8.8.8, not 127.0.0.1.", "1.1.1.1")
    'Ask 1.1.1.1, not 127.0.0.1.'
    """
    return _ADDRESS.sub(lambda found: replacement if is_public(found[0]) else found[0], text)


def is_public(address: str) -> bool:
    """Whether an IP address is in the public internet.

    >>> is_public("8.8.8.8"), is_public("192.168.1.1"), is_public("08.8.8.8")
    (True, False, False)
    """
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:  # a number with a leading zero
        return False
