"""Selects documents to take down: by id, by host or by url."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.dedup.sketch import url_hashes
from curation.filters.hosts import domains_of, host_of, named_host

REASONS = ("doc_id", "host", "url")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The documents to take down, as sorted, distinct entries. Ids are compared exactly; a host includes all hosts in
    its domain; urls are compared without fragment and surrounding space, as in deduplication. With ``near``,
    near-duplicates of the selected documents are taken down, too."""

    doc_ids: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    near: bool = False

    @classmethod
    def of(
        cls, doc_ids: Sequence[str] = (), hosts: Sequence[str] = (), urls: Sequence[str] = (), near: bool = False
    ) -> "Selection":
        """Raises UserError for a host that is not a host name, or more than one."""
        named = {named_host(host) for host in hosts if host.strip(" .")}
        bare = {url.partition("#")[0].strip() for url in urls}
        ids = tuple(sorted(set(doc_ids)))
        return cls(doc_ids=ids, hosts=tuple(sorted(named)), urls=tuple(sorted(bare - {""})), near=near)

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "near" or value}

    def by_reason(self) -> dict[str, tuple[str, ...]]:
        return dict(zip(REASONS, (self.doc_ids, self.hosts, self.urls), strict=True))

    @property
    def empty(self) -> bool:
        return not (self.doc_ids or self.hosts or self.urls)


class Matcher:
    """Matches rows against a selection; ``found`` are the entries that matched a row, by reason."""

    def __init__(self, selection: Selection):
        self.found: dict[str, set[str]] = {reason: set() for reason in REASONS}
        self._doc_ids = pa.array(selection.doc_ids, pa.string())
        self._hosts = frozenset(selection.hosts)
        self._urls = pa.array(selection.urls, pa.string())
        self._url_hashes = url_hashes(self._urls)

    def reasons(self, doc_ids: pa.Array, urls: pa.Array) -> npt.NDArray[np.int64]:
        """For each row the index in REASONS of the first reason that matches, or -1."""
        taken = np.full(len(doc_ids), -1)
        if len(self._urls):
            at = pc.index_in(url_hashes(urls), value_set=self._url_hashes)
            taken[_valid(at)] = REASONS.index("url")
            self.found["url"].update(self._urls.take(at.drop_null()).to_pylist())
        if self._hosts:
            taken[self._of_hosts(urls)] = REASONS.index("host")
        if len(self._doc_ids):
            at = pc.index_in(doc_ids, value_set=self._doc_ids)
            taken[_valid(at)] = REASONS.index("doc_id")
            self.found["doc_id"].update(self._doc_ids.take(at.drop_null()).to_pylist())
        return taken

    def has_host(self, host: str) -> bool:
        """Whether a host is selected, itself or by a domain."""
        return not self._hosts.isdisjoint(domains_of(host))

    def _of_hosts(self, urls: pa.Array) -> npt.NDArray[np.bool_]:
        seen = urls.dictionary_encode()
        listed = np.zeros(len(seen.dictionary) + 1, bool)
        for number, url in enumerate(seen.dictionary.to_pylist()):
            found = self._hosts.intersection(domains_of(host_of(url)))
            listed[number] = bool(found)
            self.found["host"] |= found
        at = seen.indices.fill_null(len(seen.dictionary)).to_numpy(zero_copy_only=False)
        return np.asarray(listed[at])


def _valid(column: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False))
