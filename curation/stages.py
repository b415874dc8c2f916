"""Every stage of the job as a plain function of (run, key, groups): what Beam, or a worker process, calls.

A stage yields (key, blob) for the stages that follow; a blob begins with its kind, so that several kinds can be grouped
under one key. Units and partitions are the keys.
"""

from collections.abc import Callable, Iterable, Iterator

from curation.dedup import stages as dedup
from curation.reading_pass import read_and_judge
from curation.run import Run
from curation.sources.listing import Unit
from curation.writing_pass import write_documents

Results = list[tuple[int, bytes]]
Stage = Callable[..., Results]

_KIND_BYTES = 8
"""The kind takes as many bytes as a record's column, which keeps what follows aligned."""


class Groups(dict[str, list[bytes]]):
    """The blobs of one key by kind; a kind without blobs is an empty list."""

    def __missing__(self, kind: str) -> list[bytes]:
        return []

    def add(self, blob: bytes) -> None:
        self.setdefault(blob[:_KIND_BYTES].rstrip().decode(), []).append(blob[_KIND_BYTES:])


def _of_kind(kind: str, results: Iterable[tuple[int, bytes]]) -> Results:
    head = kind.encode().ljust(_KIND_BYTES)
    return [(key, head + blob) for key, blob in results]


def judge(run: Run, unit: Unit) -> Results:
    read_and_judge(run, unit)
    return _of_kind("unit", [(unit.index, b"")])


def url_keys(run: Run, unit: int, groups: Groups) -> Results:
    return _of_kind("keys", dedup.key_records(run, unit, "url_hash", []))


def same_url(run: Run, partition: int, groups: Groups) -> Results:
    return _of_kind("url", dedup.same_key(groups["keys"], "url"))


def text_keys(run: Run, unit: int, groups: Groups) -> Results:
    return _of_kind("keys", dedup.key_records(run, unit, "content_hash", [groups["url"]]))


def same_text(run: Run, partition: int, groups: Groups) -> Results:
    return _of_kind("exact", dedup.same_key(groups["keys"], "exact"))


def bands(run: Run, unit: int, groups: Groups) -> Results:
    return _of_kind("bands", dedup.band_records(run, unit, [groups["url"], groups["exact"]]))


def pairs(run: Run, partition: int, groups: Groups) -> Results:
    return _of_kind("pairs", dedup.bucket_pairs(groups["bands"]))


def signatures(run: Run, unit: int, groups: Groups) -> Results:
    return _of_kind("sketches", dedup.first_signatures(run, unit, groups["pairs"]))


def compare(run: Run, unit: int, groups: Groups) -> Results:
    return _of_kind("near", dedup.compared(run, unit, groups["sketches"]))


def links(element: tuple[int, bytes]) -> Results:
    """The links of some edges, for the one key under which all links meet."""
    groups = Groups()
    groups.add(element[1])
    return _of_kind("links", [(0, dedup.links_of(edges)) for edges in groups.values()])


def components(run: Run, key: int, groups: Groups) -> Results:
    return _of_kind("survivor", dedup.survivors(groups["links"]))


def edges(element: tuple[int, bytes]) -> Iterator[tuple[int, bytes]]:
    """Edges once more, for the units of both their documents."""
    groups = Groups()
    groups.add(element[1])
    for kind, blobs in groups.items():
        yield from _of_kind(kind, dedup.by_both_ends(blobs))


def requests(run: Run, unit: int, groups: Groups) -> Results:
    return _of_kind("requests", dedup.name_requests(unit, groups))


def names(run: Run, unit: int, groups: Groups) -> Results:
    return _of_kind("names", dedup.names(run, unit, groups["requests"]))


def write(run: Run, unit: int, groups: Groups) -> Results:
    write_documents(run, unit, groups)
    return _of_kind("unit", [(unit, b"")])
