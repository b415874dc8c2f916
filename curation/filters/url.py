"""Blocklists over the address of a document. None ships: the lists are the user's."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal
from urllib.parse import urlsplit

import fsspec
import idna
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.columns import batch_of, count
from curation.filters.rules import Rule, active_rules
from curation.sources.places import is_local, local_path
from schemas.errors import UserError
from schemas.named_files import irregular

LONGEST_HOST = 2000
"""Characters of a name that is looked at: the name system allows 253. Longer ones would take time that grows faster."""
_LISTS = ("hosts", "domains", "urls", "words", "subwords", "soft_words")
_NOT_ALPHANUMERIC = re.compile("[^a-z0-9]+")
_PLAIN_HOST = re.compile("\\.?[a-z0-9][a-z0-9_-]*([.][a-z0-9_-]+)*\\.?")
_BEFORE_HOST = re.compile("^([a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
_HOST_END = re.compile("[/?#]")


@dataclass(frozen=True, kw_only=True)
class Url:
    """Rejects by host, by address and by words in the address. Case does not matter but in ``urls``.

    An entry that starts with @ names a file (local or of any filesystem that fsspec opens) with an entry a line; a line
    that starts with # is a comment. A missing or empty url fails no rule.
    """

    use: Literal["url"] = "url"
    hosts: tuple[str, ...] = ()
    """Hosts, exactly: www.example.com is not example.com."""
    domains: tuple[str, ...] = ()
    """Domains with all that is below them: example.com is also www.example.com."""
    urls: tuple[str, ...] = ()
    """Whole addresses, exactly."""
    words: tuple[str, ...] = ()
    """Words between other characters than letters and digits."""
    subwords: tuple[str, ...] = ()
    """Letters and digits that stand anywhere when all other characters are left out."""
    soft_words: tuple[str, ...] = ()
    """Words of which one is allowed: at least ``min_soft_words`` different ones reject."""
    min_soft_words: int = 2

    signals: ClassVar[pa.Schema] = pa.schema(
        [
            count("url_host", "whether the host is listed"),
            count("url_domain", "whether the host is in a listed domain"),
            count("url_address", "whether the whole url is listed"),
            count("url_words", "different listed words in the url"),
            count("url_subwords", "different listed letter sequences in the url"),
            count("url_soft_words", "different listed soft words in the url"),
        ]
    )

    def read_lists(self) -> None:
        """Reads every list, anew. Raises UserError when one cannot be read, or where a host is none.

        Nothing else reads one before a document is measured.
        """
        for cached in (_entries_of, _digest_of, _counters):
            cached.cache_clear()
        _counters(self)

    def list_digests(self) -> dict[str, str]:
        """The files of its lists, by their names, each with the SHA-256 of its entries in hexadecimal digits."""
        named = {entry[1:] for name in _LISTS for entry in getattr(self, name) if entry.startswith("@")}
        return {name: _digest_of(name) for name in sorted(named)}

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        counters = _counters(self)
        rows = np.full((len(self.signals), len(batch)), np.nan)
        for column, url in enumerate(batch["url"].to_pylist()):
            if url and url.strip():
                rows[:, column] = [counter(url.strip()) for counter in counters]
        return _with_nulls(rows, self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            [
                Rule("host", "url_host", at_most=0 if self.hosts else None),
                Rule("domain", "url_domain", at_most=0 if self.domains else None),
                Rule("address", "url_address", at_most=0 if self.urls else None),
                Rule("word", "url_words", at_most=0 if self.words else None),
                Rule("subword", "url_subwords", at_most=0 if self.subwords else None),
                Rule("soft_words", "url_soft_words", at_most=self.min_soft_words - 1 if self.soft_words else None),
            ]
        )


@cache
def _counters(step: Url) -> tuple[Callable[[str], int], ...]:
    """What counts each signal: made once, as a list may have millions of entries."""
    hosts, domains = _hosts("hosts", step.hosts), _hosts("domains", step.domains)
    urls = frozenset(_entries(step.urls))
    words, soft, subwords = (
        frozenset(_NOT_ALPHANUMERIC.sub("", entry.lower()) for entry in _entries(listed)) - {""}
        for listed in (step.words, step.soft_words, step.subwords)
    )
    return (
        lambda url: host_of(url) in hosts if hosts else 0,
        lambda url: any(domain in domains for domain in domains_of(host_of(url))) if domains else 0,
        lambda url: url in urls,
        lambda url: len(words & set(_NOT_ALPHANUMERIC.split(url.lower()))) if words else 0,
        lambda url: _count_inside(_NOT_ALPHANUMERIC.sub("", url.lower()), subwords) if subwords else 0,
        lambda url: len(soft & set(_NOT_ALPHANUMERIC.split(url.lower()))) if soft else 0,
    )


def _hosts(name: str, listed: tuple[str, ...]) -> frozenset[str]:
    named = _entries(listed)
    try:
        return frozenset(named_host(entry) for entry in named if entry.strip(" ."))
    except UserError as error:
        raise UserError(f"url.{name}: {error}") from None


def named_host(entry: str) -> str:
    """The host that an entry of a list names: ``Mill.example``, ``.mill.example``, ``https://mill.example:8080/``.

    Raises UserError where it is none, or more than one.
    """
    entry = entry.strip().lower()
    if _PLAIN_HOST.fullmatch(entry):
        return entry.strip(".")
    if "*" in entry:
        raise UserError(f"{entry!r} is no host: hosts are named without *")
    host = host_of(entry).strip(".")
    if not host:
        raise UserError(f"{entry!r} is no host: give hosts such as mill.example")
    if set("/?#@") & set(_BEFORE_HOST.sub("", entry).removesuffix("/")):
        raise UserError(f"{entry!r} is more than a host: name {host}, or list a page among the urls")
    return host


def host_of(url: str) -> str:
    """The host of a url in lower case and ASCII, empty where there is none.

    >>> host_of("https://user@www.Example.com:8080/page"), host_of("example.com/page//2"), host_of("http://[broken")
    ('www.example.com', 'example.com', '')
    >>> host_of("https://bücher.example/")
    'xn--bcher-kva.example'
    """
    url = url.strip()
    if not url.isascii():
        named = _BEFORE_HOST.match(url)
        if len(_HOST_END.split(url[named.end() if named else 0 :], maxsplit=1)[0]) > LONGEST_HOST:
            return ""
    try:
        host = (urlsplit(url if _BEFORE_HOST.match(url) else f"//{url}").hostname or "").lower().rstrip(".")
    except ValueError:
        return ""
    return in_ascii(host)


def in_ascii(host: str) -> str:
    """A host as the name system knows it (IDNA 2008, as browsers read it); as it is where it can have no such name."""
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii").rstrip(".")
    except UnicodeError:
        return host


def domains_of(host: str) -> Iterable[str]:
    """The host and every domain that it is in: a.b.c, b.c, c. Domains longer than any name are left out."""
    if len(host) > LONGEST_HOST:
        yield host
        host = host[-LONGEST_HOST:].partition(".")[2]
    while host:
        yield host
        host = host.partition(".")[2]


def _count_inside(text: str, pieces: Iterable[str]) -> int:
    return sum(piece in text for piece in pieces)


def _entries(listed: tuple[str, ...]) -> tuple[str, ...]:
    """The entries of a list, those of the files that it names among them."""
    found: list[str] = []
    for entry in listed:
        found += _entries_of(entry[1:]) if entry.startswith("@") else [entry.strip()]
    return tuple(entry for entry in found if entry)


@cache
def _entries_of(name: str) -> tuple[str, ...]:
    """The entries of a file: read once, so that what judges and what is told of it are the same."""
    path = local_path(name)
    if is_local(name) and os.path.exists(path) and not os.path.isfile(path):
        kind = irregular(os.stat(path)) or "a folder"
        raise UserError(f"the list {name} of the url filter is {kind}: name a file with an entry a line")
    try:
        with fsspec.open(name, "rt", encoding="utf-8-sig") as lines:
            found = [line.strip() for line in lines if not line.startswith("#")]
    except (OSError, ValueError) as error:
        raise UserError(f"the list {name} of the url filter cannot be read: {error}") from error
    return tuple(entry for entry in found if entry)


@cache
def _digest_of(name: str) -> str:
    return hashlib.sha256("\n".join(_entries_of(name)).encode()).hexdigest()


def _with_nulls(rows: npt.NDArray[np.float64], schema: pa.Schema) -> pa.RecordBatch:
    """Counts as columns, null where there is no url."""
    known = batch_of(np.nan_to_num(rows), schema)
    missing = pa.array(np.isnan(rows[0]))
    empty = pa.scalar(None, pa.int32())
    return pa.RecordBatch.from_arrays([pc.if_else(missing, empty, column) for column in known.columns], schema=schema)
