"""Every stage of the job as a plain function of (run, key, groups), which a worker process or Beam calls.

A stage yields (key, blob) pairs for later stages; a blob begins with its kind, so that several kinds can be grouped
under one key. The keys are units and partitions.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from curation.dedup.edges import unpack
from curation.dedup.groups import KEY_WIDTH
from curation.engine import dedup_stages as dedup
from curation.engine import piece_stages as pieces
from curation.engine import selecting_pass as selecting
from curation.engine import site_stages as sites
from curation.engine import surviving
from curation.engine.reading_pass import read_and_judge
from curation.engine.released import find_gone
from curation.engine.rereading_pass import read_again
from curation.engine.run import (
    Run,
    StageRun,
    judged_name,
    linked_name,
    sites_removed_name,
    superseded_name,
    written_name,
)
from curation.engine.shuffle import Keyed, fetch, is_whole, store
from curation.engine.sites_pass import remove_sites
from curation.engine.writing_pass import write_documents, write_superseded
from curation.sources.inputs import Unit
from curation.sources.storage import use_storage

Results = Iterable[Keyed]
Stage = Callable[..., Results]
Sources = Sequence[tuple[str, Sequence[int]]]
"""Labels of stages, each with the keys with which the stage was called."""

DONE: Keyed = (0, b"")

KIND_BYTES = 8
"""The kind takes as many bytes as a record's column, which keeps the records after it aligned."""


class Groups(dict[str, list[bytes]]):
    """The blobs of one key by kind, sorted, since runners deliver them in any order. A missing kind is empty."""

    def __init__(self, blobs: Iterable[bytes]):
        super().__init__()
        for blob in sorted(blobs):
            self.setdefault(blob[:KIND_BYTES].rstrip().decode(), []).append(blob[KIND_BYTES:])

    def __missing__(self, kind: str) -> list[bytes]:
        return []


def call(
    run: StageRun, label: str, stage: Stage, key: Unit | int, blobs: Iterable[bytes], sources: Sources
) -> list[Keyed]:
    """Calls a stage with the blobs of a key: ``blobs``, or in a local run the files that the ``sources`` wrote.

    In a local run the results go to a file, and a call whose file is complete is not repeated.
    """
    use_storage(run.storage)
    if not run.local:
        return list(stage(run, key, Groups(blobs)))
    number = _number(run, key)
    name = run.shuffle_name(label, number)
    if not is_whole(run.folder, name):
        left = [run.shuffle_name(source, caller) for source, callers in sources for caller in callers]
        store(run.folder, name, stage(run, key, Groups(fetch(run.folder, left, number))))
    return [DONE]


def _number(run: StageRun, key: Unit | int) -> int:
    """The number of a unit: units of the input are counted after those of the releases."""
    return run.first + key.index if isinstance(key, Unit) else key


def of_kind(kind: str, results: Iterable[Keyed]) -> Iterator[Keyed]:
    """The results with their kind before each blob."""
    head = kind.encode().ljust(KIND_BYTES)
    return ((key, head + blob) for key, blob in results)


def judge(run: Run, unit: Unit | int, groups: Groups) -> Results:
    """Judges a unit of the input; for a unit of a release that is deduplicated against, finds its removed documents; a
    unit of a release from which documents are taken down is read again."""
    if isinstance(unit, int) and unit < run.first:
        find_gone(run, unit)
    elif not run.folder.exists(judged_name(_number(run, unit) - run.first)):
        if isinstance(unit, int):
            read_again(run, unit)
        else:
            read_and_judge(run, unit)
    return [mark(_number(run, unit))]


def select(run: Run, unit: int, groups: Groups) -> Results:
    """Writes the texts of a unit that are taken down."""
    selecting.select(run, unit)
    return []


def near(run: Run, unit: int, groups: Groups) -> Results:
    """Writes the documents of a unit that are near-duplicates of a document that is taken down."""
    selecting.find_near(run, unit)
    return []


def host_sums(run: Run, unit: int, groups: Groups) -> Results:
    return of_kind("sums", sites.host_sums(run, unit))


def hosts(run: Run, partition: int, groups: Groups) -> Results:
    return of_kind("hosts", sites.decided_hosts(run, groups["sums"]))


def without_sites(run: Run, unit: int, groups: Groups) -> Results:
    """Removes the documents of removed sites from a unit of the input."""
    if not run.folder.exists(sites_removed_name(unit - run.first)):
        try:
            remove_sites(run, unit, groups["hosts"])
        except FileNotFoundError:  # a second attempt at this unit finished first
            if not run.folder.exists(sites_removed_name(unit - run.first)):
                raise
    return []


def url_keys(run: Run, unit: int, groups: Groups) -> Results:
    return of_kind("keys", dedup.key_records(run, unit, "url_hash", dedup.removed_rows(unit, groups, [])))


def same_url(run: Run, partition: int, groups: Groups) -> Results:
    return _same_key(run, groups, "url")


def text_keys(run: Run, unit: int, groups: Groups) -> Results:
    return of_kind("keys", dedup.key_records(run, unit, "content_hash", dedup.removed_rows(unit, groups, ["url"])))


def same_text(run: Run, partition: int, groups: Groups) -> Results:
    return _same_key(run, groups, "exact")


def _same_key(run: Run, groups: Groups, kind: str) -> Results:
    records = unpack(groups["keys"], KEY_WIDTH)
    yield from of_kind(kind, dedup.same_key(run, records, kind))
    yield from of_kind(dedup.CONTINUES[kind], dedup.continuing_ids(run, records))


def bands(run: Run, unit: int, groups: Groups) -> Results:
    return of_kind("bands", dedup.band_records(run, unit, dedup.removed_rows(unit, groups, ["url", "exact"])))


def pairs(run: Run, partition: int, groups: Groups) -> Results:
    found = dedup.bucket_pairs(run, groups["bands"])
    yield from of_kind("pairs", dedup.by_first(found))
    if run.job.recipe.dedup.verifies:
        yield from of_kind("seconds", dedup.seconds(found))


def signatures(run: Run, unit: int, groups: Groups) -> Results:
    """Passes candidate pairs on, with the sketches of their first documents; writes the sets of shingles of a unit's
    candidates if documents are compared by them."""
    found = dedup.distinct_pairs(groups["pairs"])
    if run.job.recipe.dedup.verifies:
        dedup.write_candidate_sets(run, unit, found, groups["seconds"])
    yield from of_kind("pairs", dedup.by_second(found))
    yield from of_kind("sketches", dedup.first_sketches(run, unit, found))


def compare(run: Run, unit: int, groups: Groups) -> Results:
    return of_kind("near", dedup.similar_edges(run, unit, groups["pairs"], groups["sketches"]))


def link(run: Run, unit: int, groups: Groups) -> Results:
    if not run.folder.exists(linked_name(unit)):
        dedup.write_edges(run, unit, groups)
    return []


def spread(run: Run, part: int, groups: Groups) -> Results:
    return of_kind("links", dedup.spread_links(run, part, run.stars or 0))


def large(run: Run, partition: int, groups: Groups) -> Results:
    found, changed = dedup.large_stars(run, groups["links"])
    yield from of_kind("links", found)
    if changed:
        yield from of_kind("changed", [(partition, changed.to_bytes(8, "little"))])


def small(run: Run, partition: int, groups: Groups) -> Results:
    changed = sum(int.from_bytes(blob, "little") for blob in groups["changed"])
    dedup.write_small_stars(run, partition, run.stars or 0, groups["links"], changed)
    return []


def components(run: Run, key: int, groups: Groups) -> Results:
    if run.stars is not None:
        return of_kind("survivor", dedup.star_survivors(run, key))
    chosen = surviving.chosen_survivors if run.job.recipe.dedup.bounds_survivors else dedup.survivors
    return of_kind("survivor", chosen(run))


def clusters(run: Run, unit: int, groups: Groups) -> Results:
    return of_kind("linked", surviving.clustered_links(run, unit, groups["survivor"]))


def choose(run: Run, partition: int, groups: Groups) -> Results:
    return of_kind("survivor", surviving.component_survivors(run, groups["linked"]))


def piece_keys(run: Run, unit: int, groups: Groups) -> Results:
    if unit < run.first:  # pieces are not compared with those of releases
        return []
    return of_kind("keys", pieces.piece_keys(run, unit, groups["survivor"]))


def repeated(run: Run, partition: int, groups: Groups) -> Results:
    return of_kind("repeated", pieces.repeated_keys(run, groups["keys"]))


def places(run: Run, unit: int, groups: Groups) -> Results:
    if unit < run.first:
        return []
    return of_kind("places", pieces.first_places(run, unit, groups["survivor"], groups["repeated"]))


def firsts(run: Run, partition: int, groups: Groups) -> Results:
    return of_kind("firsts", pieces.firsts(run, groups["places"]))


def cuts(run: Run, unit: int, groups: Groups) -> Results:
    if unit < run.first:
        return []
    pieces.write_cuts(run, unit, groups["survivor"], groups["repeated"], groups["firsts"])
    return []


def requests(run: Run, unit: int, groups: Groups) -> Results:
    if run.job.recipe.dedup.stages:
        yield from of_kind("requests", dedup.name_requests(run, unit, groups["survivor"]))
    if run.job.recipe.dedup.pieces and unit >= run.first:
        yield from of_kind("requests", pieces.name_requests(run, unit))


def names(run: Run, unit: int, groups: Groups) -> Results:
    yield from of_kind("names", dedup.answer_requests(run, unit, groups["requests"]))
    yield from of_kind("counts", dedup.count_removed(unit, groups["requests"]))


def write(run: Run, unit: int, groups: Groups) -> Results:
    """Writes the documents and duplicates of a unit of the input; for a released unit, its superseded documents."""
    if unit < run.first:
        if not run.folder.exists(superseded_name(unit)):
            write_superseded(run, unit, groups["survivor"], groups["names"])
    elif not run.folder.exists(written_name(unit - run.first)):
        try:
            write_documents(run, unit, groups["survivor"], groups["names"], groups["counts"])
        except FileNotFoundError:  # a second attempt at this unit finished first, and removed the passed documents
            if not run.folder.exists(written_name(unit - run.first)):
                raise
    return []


def mark(unit: int) -> Keyed:
    """A blob that makes the next stage be called for a unit, also if the unit has no other blob."""
    return unit, b"unit".ljust(KIND_BYTES)
