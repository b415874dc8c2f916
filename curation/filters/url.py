"""Block lists for the url of a document. The lists are the user's; no list is included."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal, NamedTuple

import fsspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.filters.bare_urls import bare_urls, whole_urls
from curation.filters.columns import batch_of, count
from curation.filters.host_table import HostTable
from curation.filters.hosts import LONGEST_HOST, hosts_of, named_host
from curation.filters.rules import Rule, active_rules
from curation.lists.list_files import column_of, digests, entries_of
from curation.lists.steps import ListStep
from schemas.errors import UserError
from schemas.settings import shown

_FOLDER_FILES = ("domains", "urls")
_NOT_ALPHANUMERIC = re.compile("[^a-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Url(ListStep):
    """Rejects documents by host, by url and by words in the url. Only ``urls`` are case-sensitive, unless they are
    bare.

    An entry that starts with @ names a file with one entry per line (`list_files`); hosts and domains may be written as
    in hosts files and lists of ad blockers. A missing or empty url fails no rule.
    """

    LISTS = ("hosts", "domains", "urls", "words", "subwords", "soft_words")
    use: Literal["url"] = "url"
    hosts: tuple[str, ...] = ()
    """Exact hosts: www.example.com is not example.com."""
    domains: tuple[str, ...] = ()
    """Domains with all their subdomains: example.com includes www.example.com."""
    urls: tuple[str, ...] = ()
    """Exact urls."""
    bare_urls: bool = False
    """Whether ``urls`` are compared by host, port and path alone, without case and a slash at the end (as in dolma)."""
    folders: tuple[str, ...] = ()
    """Folders of categories, as in the block list of the University of Toulouse (UT1): the file ``domains`` of each has
    domains, and ``urls`` has urls that are compared bare."""
    words: tuple[str, ...] = ()
    """Words, delimited by characters other than letters and digits."""
    subwords: tuple[str, ...] = ()
    """Sequences of letters and digits anywhere in the url, ignoring all other characters."""
    soft_words: tuple[str, ...] = ()
    """A document is rejected if its url has at least ``min_soft_words`` different words of this list."""
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

    def prepare(self) -> None:
        _tables.cache_clear()
        _tables(self)
        _counters.cache_clear()
        _counters(self)

    def list_digests(self) -> dict[str, str]:
        """The SHA-256 (in hexadecimal) of the entries of each list file, by file name."""
        in_folders = [entry for name in _FOLDER_FILES for entry in self.in_folders(name)]
        return super().list_digests() | digests(tuple(in_folders), self.use)

    def in_folders(self, name: str) -> tuple[str, ...]:
        """The files of ``folders`` with a name, as entries of a list. Raises UserError for a folder without lists."""
        found = list[str]()
        for folder in self.folders:
            there = [each for each in _FOLDER_FILES if _exists(f"{folder.rstrip('/')}/{each}")]
            if not there:
                raise UserError(
                    f"url.folders has {shown(folder)}, without a file domains or urls: give folders of categories"
                    f"{_categories(folder)}"
                )
            found += [f"@{folder.rstrip('/')}/{name}"] if name in there else []
        return tuple(found)

    def measure(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        tables = _tables(self)
        counters = _counters(self)
        rows = np.full((len(self.signals), len(batch)), np.nan)
        urls = [(url or "").strip() for url in batch["url"].to_pylist()]
        for column, url in enumerate(urls):
            if url:
                rows[3:, column] = [counter(url) for counter in counters]
        known = np.array([bool(url) for url in urls], np.bool_)
        rows[:3, known] = 0
        if len(tables.hosts) or len(tables.domains):
            named = hosts_of(pa.array(urls, pa.large_string())).fill_null("")
            rows[0, known] = tables.hosts.find(named, False, LONGEST_HOST)[known]
            rows[1, known] = tables.domains.find(named, True, LONGEST_HOST)[known]
        for table, form in ((tables.whole, whole_urls), (tables.bare, bare_urls)):
            if len(table):
                rows[2, known] += table.find(form(pa.array(urls, pa.large_string())), False, LONGEST_HOST)[known]
        rows[2] = np.minimum(rows[2], 1)
        return _with_nulls(rows, self.signals)

    def rules(self) -> tuple[Rule, ...]:
        return active_rules(
            Rule("host", "url_host", at_most=0 if self.hosts else None),
            Rule("domain", "url_domain", at_most=0 if self.domains or self.folders else None),
            Rule("address", "url_address", at_most=0 if self.urls or self.folders else None),
            Rule("word", "url_words", at_most=0 if self.words else None),
            Rule("subword", "url_subwords", at_most=0 if self.subwords else None),
            Rule("soft_words", "url_soft_words", at_most=self.min_soft_words - 1 if self.soft_words else None),
        )


@cache
def _counters(step: Url) -> tuple[Callable[[str], int], ...]:
    """The functions that count the signals of words in a url."""
    words, soft, subwords = (
        frozenset(_NOT_ALPHANUMERIC.sub("", entry.lower()) for entry in entries) - {""}
        for entries in (_words(step, "words"), _words(step, "soft_words"), entries_of(step.subwords, step.use))
    )
    return (
        lambda url: len(words & set(_NOT_ALPHANUMERIC.split(url.lower()))) if words else 0,
        lambda url: _count_inside(_NOT_ALPHANUMERIC.sub("", url.lower()), subwords) if subwords else 0,
        lambda url: len(soft & set(_NOT_ALPHANUMERIC.split(url.lower()))) if soft else 0,
    )


def _words(step: Url, name: str) -> tuple[str, ...]:
    entries = entries_of(getattr(step, name), step.use)
    for entry in entries:
        if len(entry.split()) > 1:
            raise UserError(
                f"url.{name} has {shown(entry)}: give each word as an entry of its own, or all as a subword"
            )
    return entries


class _Tables(NamedTuple):
    """The listed hosts, domains, whole urls and bare urls."""

    hosts: HostTable
    domains: HostTable
    whole: HostTable
    bare: HostTable


@cache
def _tables(step: Url) -> _Tables:
    """The tables of the lists: made once, since a list may have millions of entries."""
    whole, bare = ((), step.urls) if step.bare_urls else (step.urls, ())
    return _Tables(
        hosts=_table("hosts", step.hosts),
        domains=_table("domains", (*step.domains, *step.in_folders("domains"))),
        whole=HostTable.of_urls(column_of(whole, step.use), whole_urls),
        bare=HostTable.of_urls(column_of((*bare, *step.in_folders("urls")), step.use), bare_urls),
    )


def _table(name: str, listed: tuple[str, ...]) -> HostTable:
    try:
        return HostTable.of(column_of(listed, Url.use), named_host)
    except UserError as error:
        raise UserError(f"url.{name}: {error}") from None


def _exists(name: str) -> bool:
    filesystem, path = fsspec.core.url_to_fs(name)
    return bool(filesystem.exists(path))


def _categories(folder: str) -> str:
    """A hint to a folder of categories inside a folder."""
    folder = folder.rstrip("/")
    filesystem, path = fsspec.core.url_to_fs(f"{folder}/*/domains")
    found = sorted(name.split("/")[-2] for name in filesystem.glob(path))
    return f", such as {shown(f'{folder}/{found[0]}')}" if found else ""


def _count_inside(text: str, sequences: Iterable[str]) -> int:
    return sum(sequence in text for sequence in sequences)


def _with_nulls(rows: npt.NDArray[np.float64], schema: pa.Schema) -> pa.RecordBatch:
    """Counts as columns of the schema, null for documents without url."""
    known = batch_of(np.nan_to_num(rows), schema)
    missing = pa.array(np.isnan(rows[0]))
    empty = pa.scalar(None, pa.int32())
    return pa.RecordBatch.from_arrays([pc.if_else(missing, empty, column) for column in known.columns], schema=schema)
