"""Every stage of the job as a plain function of (run, key, groups): what Beam, or a worker process, calls.

A stage yields (key, blob) for the stages that follow; a blob begins with its kind, so that several kinds can be grouped
under one key. Units and partitions are the keys.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from curation.engine import dedup_stages as dedup
from curation.engine import selecting_pass as selecting
from curation.engine.reading_pass import read_and_judge
from curation.engine.released import take_stock
from curation.engine.rereading_pass import read_again
from curation.engine.run import Run, judged_name, linked_name, superseded_name, written_name
from curation.engine.shuffle import Keyed, fetch, is_whole, store
from curation.engine.writing_pass import write_documents, write_superseded
from curation.sources.inputs import Unit
from curation.sources.storage import use_storage

Results = Iterable[Keyed]
Stage = Callable[..., Results]
Sources = Sequence[tuple[str, Sequence[int]]]
"""Stages by their labels, each with the keys that it was called with."""

DONE: Keyed = (0, b"")

_KIND_BYTES = 8
"""The kind takes as many bytes as a record's column, which keeps what follows aligned."""


class Groups(dict[str, list[bytes]]):
    """The blobs of one key by kind, each kind sorted: the order of arrival is the runner's. A missing kind is empty."""

    def __init__(self, blobs: Iterable[bytes]):
        super().__init__()
        for blob in sorted(blobs):
            self.setdefault(blob[:_KIND_BYTES].rstrip().decode(), []).append(blob[_KIND_BYTES:])

    def __missing__(self, kind: str) -> list[bytes]:
        return []


def call(run: Run, label: str, stage: Stage, key: Unit | int, blobs: Iterable[bytes], sources: Sources) -> list[Keyed]:
    """Calls a stage with what lies under a key: the blobs; or, in a local run, what ``sources`` left in the folder.

    In a local run a call is made once for all times, and tells only that it is done.
    """
    use_storage(run.storage)
    if not run.local:
        return list(stage(run, key, Groups(blobs)))
    number = _number(run, key)
    name = run.shuffled(label, number)
    if not is_whole(run.folder, name):
        left = [run.shuffled(source, caller) for source, callers in sources for caller in callers]
        store(run.folder, name, stage(run, key, Groups(fetch(run.folder, left, number))))
    return [DONE]


def _number(run: Run, key: Unit | int) -> int:
    """A unit of the input has the number that follows on those of the releases."""
    return run.first + key.index if isinstance(key, Unit) else key


def _of_kind(kind: str, results: Iterable[Keyed]) -> Iterator[Keyed]:
    head = kind.encode().ljust(_KIND_BYTES)
    return ((key, head + blob) for key, blob in results)


def judge(run: Run, unit: Unit | int, groups: Groups) -> Results:
    """Judges a unit of the input; of a release that it is held against, looks what became of its documents; of one from
    which documents are taken down, reads it again."""
    if isinstance(unit, int) and unit < run.first:
        take_stock(run, unit)
    elif not run.folder.exists(judged_name(_number(run, unit) - run.first)):
        if isinstance(unit, int):
            read_again(run, unit)
        else:
            read_and_judge(run, unit)
    return [mark(_number(run, unit))]


def select(run: Run, unit: int, groups: Groups) -> Results:
    """Leaves the texts of a unit that are taken down."""
    selecting.select(run, unit)
    return []


def near(run: Run, unit: int, groups: Groups) -> Results:
    """Leaves the documents of a unit that are nearly the same as one that is taken down."""
    selecting.find_near(run, unit)
    return []


def url_keys(run: Run, unit: int, groups: Groups) -> Results:
    return _of_kind("keys", dedup.key_records(run, unit, "url_hash", dedup.removed_rows(unit, groups, [])))


def same_url(run: Run, partition: int, groups: Groups) -> Results:
    return _same_key(run, groups, "url")


def text_keys(run: Run, unit: int, groups: Groups) -> Results:
    return _of_kind("keys", dedup.key_records(run, unit, "content_hash", dedup.removed_rows(unit, groups, ["url"])))


def same_text(run: Run, partition: int, groups: Groups) -> Results:
    return _same_key(run, groups, "exact")


def _same_key(run: Run, groups: Groups, kind: str) -> Results:
    records = dedup.key_table(groups["keys"])
    yield from _of_kind(kind, dedup.same_key(run, records, kind))
    yield from _of_kind(dedup.GOES_ON[kind], dedup.going_on(run, records))


def bands(run: Run, unit: int, groups: Groups) -> Results:
    return _of_kind("bands", dedup.band_records(run, unit, dedup.removed_rows(unit, groups, ["url", "exact"])))


def pairs(run: Run, partition: int, groups: Groups) -> Results:
    return _of_kind("pairs", dedup.bucket_pairs(run, groups["bands"]))


def signatures(run: Run, unit: int, groups: Groups) -> Results:
    found = dedup.distinct_pairs(groups["pairs"])
    yield from _of_kind("pairs", dedup.by_second(found))
    yield from _of_kind("sketches", dedup.first_sketches(run, unit, found))


def compare(run: Run, unit: int, groups: Groups) -> Results:
    return _of_kind("near", dedup.compared(run, unit, groups["pairs"], groups["sketches"]))


def link(run: Run, unit: int, groups: Groups) -> Results:
    if not run.folder.exists(linked_name(unit)):
        dedup.keep_edges(run, unit, groups)
    return []


def spread(run: Run, part: int, groups: Groups) -> Results:
    return _of_kind("links", dedup.spread_links(run, part, run.stars or 0))


def large(run: Run, partition: int, groups: Groups) -> Results:
    found, changed = dedup.large_stars(run, groups["links"])
    yield from _of_kind("links", found)
    if changed:
        yield from _of_kind("changed", [(partition, changed.to_bytes(8, "little"))])


def small(run: Run, partition: int, groups: Groups) -> Results:
    changed = sum(int.from_bytes(blob, "little") for blob in groups["changed"])
    dedup.keep_small_stars(run, partition, run.stars or 0, groups["links"], changed)
    return []


def components(run: Run, key: int, groups: Groups) -> Results:
    return _of_kind("survivor", dedup.survivors(run) if run.stars is None else dedup.star_survivors(run, key))


def requests(run: Run, unit: int, groups: Groups) -> Results:
    return _of_kind("requests", dedup.name_requests(run, unit, groups["survivor"]))


def names(run: Run, unit: int, groups: Groups) -> Results:
    return _of_kind("names", dedup.names(run, unit, groups["requests"]))


def write(run: Run, unit: int, groups: Groups) -> Results:
    """Writes what a unit of the input leaves; of a released one, which of its documents are superseded."""
    if unit < run.first:
        if not run.folder.exists(superseded_name(unit)):
            write_superseded(run, unit, groups["survivor"], groups["names"])
    elif not run.folder.exists(written_name(unit - run.first)):
        try:
            write_documents(run, unit, groups["survivor"], groups["names"])
        except FileNotFoundError:  # a second try at this unit ended first, and the passed documents went with it
            if not run.folder.exists(written_name(unit - run.first)):
                raise
    return []


def mark(unit: int) -> Keyed:
    """What brings a unit to a stage that nothing else may lead to."""
    return unit, b"unit".ljust(_KIND_BYTES)
