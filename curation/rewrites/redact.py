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
        wanted = (MAY_HAVE_EMAIL if self.email is not None else 0) | (MAY_HAVE_ADDRESS if self.ip is not None else 0)
        noticed = flags & wanted != 0
        if not noticed.any():
            return texts
        mask = pa.array(noticed)
        redacted = [self.redact(text) for text in texts.filter(mask).to_pylist()]
        return pc.replace_with_mask(texts, mask, pa.array(redacted, texts.type))

    def redact(self, text: str) -> str:
        """One text without its addresses.

        >>> Redact().redact("Write to jo@mail.example.org or to 8.8.8.8, not to 127.0.0.1.")
        'Write to email@example.com or to 22.214.171.124, not to 127.0.0.1.'
        """
        if self.email is not None:
            text = replace_emails(text, self.email)
        if self.ip is not None:
            public = self.ip
            text = _ADDRESS.sub(lambda found: public if is_public(found[0]) else found[0], text)
        return text


def replace_emails(text: str, replacement: str) -> str:
    """The text with each e-mail address replaced; only what stands around at signs is looked at."""
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


def is_public(address: str) -> bool:
    """Whether an IP address is in the public internet.

    >>> is_public("8.8.8.8"), is_public("192.168.1.1"), is_public("08.8.8.8")
    (True, False, False)
    """
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:  # a number with a leading zero
        return False
