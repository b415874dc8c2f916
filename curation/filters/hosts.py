"""The hosts of urls, and of entries in lists of hosts."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import idna
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.bare_urls import BEFORE_HOST
from schemas.errors import UserError

LONGEST_HOST = 2000
"""Maximum length of a host name in characters (DNS allows 253): the time for longer names would grow faster."""
_PLAIN_HOST = re.compile("\\.?[a-z0-9][a-z0-9_-]*([.][a-z0-9_-]+)*\\.?")
_PLAIN_URL = "^https?://(?P<host>[a-z0-9-]+(?:[.][a-z0-9-]+)*)(?::[0-9]+)?(?:[/?#]|$)"
"""Urls whose host needs no further parsing."""
_HOST_END = re.compile("[/?#]")
_WITHOUT_HOST = re.compile("[a-z][a-z0-9+-]*:(?!//|[0-9]{1,5}(?:[/?#]|$))", re.IGNORECASE)
"""The beginning of a url such as urn:isbn:1 or mailto:jo@mill.example, rather than of a host and its port."""


def host_of(url: str) -> str:
    """The host of a url in lower case and ASCII; empty if the url has no host.

    >>> host_of("https://user@www.Example.com:8080/page"), host_of("example.com/page//2"), host_of("http://[broken")
    ('www.example.com', 'example.com', '')
    >>> host_of("https://bücher.example/")
    'xn--bcher-kva.example'
    >>> host_of("mill.example:8080/page"), host_of("urn:isbn:0451450523"), host_of("mailto:jo@mill.example")
    ('mill.example', '', '')
    """
    url = url.strip()
    if _WITHOUT_HOST.match(url):
        return ""
    if not url.isascii():
        named = BEFORE_HOST.match(url)
        if len(_HOST_END.split(url[named.end() if named else 0 :], maxsplit=1)[0]) > LONGEST_HOST:
            return ""
    try:
        host = (urlsplit(url if BEFORE_HOST.match(url) else f"//{url}").hostname or "").lower().rstrip(".")
    except ValueError:
        return ""
    return in_ascii(host)


def hosts_of(urls: pa.Array) -> pa.Array:
    """The host of each url; null without a url, or for a url without a host.

    >>> hosts_of(pa.array(["https://Mill.example/a", None, "#top"])).to_pylist()
    ['mill.example', None, None]
    """
    found = pc.struct_field(pc.extract_regex(urls, _PLAIN_URL), "host")
    odd = np.flatnonzero(pc.and_(urls.is_valid(), found.is_null()).to_numpy(zero_copy_only=False))
    if not len(odd):
        return found
    mask = np.zeros(len(urls), np.bool_)
    mask[odd] = True
    hosts = [host_of(url) or None for url in urls.take(pa.array(odd)).to_pylist()]
    return pc.replace_with_mask(found, pa.array(mask), pa.array(hosts, found.type))


def in_ascii(host: str) -> str:
    """A host in the ASCII form of DNS (IDNA 2008, as in browsers); unchanged if it has no such form."""
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii").rstrip(".")
    except UnicodeError:
        return host


def domains_of(host: str) -> Iterator[str]:
    """The host and every domain that contains it: a.b.c, b.c, c. Domains longer than any name are omitted."""
    if len(host) > LONGEST_HOST:
        yield host
        host = host[-LONGEST_HOST:].partition(".")[2]
    while host:
        yield host
        host = host.partition(".")[2]


def named_host(entry: str) -> str:
    """The host in an entry of a list: ``Mill.example``, ``.mill.example``, ``https://mill.example:8080/``.

    Raises UserError for an entry that is not a host, or more than a host.
    """
    entry = entry.strip().lower()
    if _PLAIN_HOST.fullmatch(entry):
        return entry.strip(".")
    if "*" in entry:
        raise UserError(f"{entry!r} is not a host: give hosts without *")
    host = host_of(entry).strip(".")
    if not host:
        raise UserError(f"{entry!r} is not a host: give hosts such as mill.example")
    if len(entry.split()) > 1:
        raise UserError(f"{entry!r} is more than a host: give each host as an entry of its own")
    if set("/?#@") & set(BEFORE_HOST.sub("", entry).removesuffix("/")):
        raise UserError(f"{entry!r} is more than a host: give {host}, or list the page under urls")
    return host
