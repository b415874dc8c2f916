"""Every stage of the job by name, as a plain function of (run, key, groups): what Beam, or a worker process, calls.

``groups`` holds the blobs that were grouped under the key, by the name of their collection.
"""

from collections.abc import Iterable

from curation.dedup import stages as dedup
from curation.dedup.stages import Blobs
from curation.reading_pass import read_and_judge
from curation.run import Run
from curation.sources.listing import Unit
from curation.writing_pass import write

Groups = dict[str, Blobs]
Results = Iterable[tuple[int, bytes]]


def judge(run: Run, unit: Unit) -> Results:
    read_and_judge(run, unit)
    return [(unit.index, b"")]


def url_keys(run: Run, unit: int, groups: Groups) -> Results:
    return list(dedup.key_records(run, unit, "url_hash", []))


def same_url(run: Run, partition: int, groups: Groups) -> Results:
    return list(dedup.same_key(run, groups["keys"], "url"))


def text_keys(run: Run, unit: int, groups: Groups) -> Results:
    return list(dedup.key_records(run, unit, "content_hash", [groups.get("url", [])]))


def same_text(run: Run, partition: int, groups: Groups) -> Results:
    return list(dedup.same_key(run, groups["keys"], "exact"))


def bands(run: Run, unit: int, groups: Groups) -> Results:
    return list(dedup.band_records(run, unit, [groups.get("url", []), groups.get("exact", [])]))


def pairs(run: Run, partition: int, groups: Groups) -> Results:
    return list(dedup.bucket_pairs(run, groups["bands"]))


def signatures(run: Run, unit: int, groups: Groups) -> Results:
    return list(dedup.first_signatures(run, unit, groups["pairs"]))


def compare(run: Run, unit: int, groups: Groups) -> Results:
    return [(unit, edges) for edges in dedup.compared(run, unit, groups["signatures"])]


def requests(run: Run, unit: int, groups: Groups) -> Results:
    return list(dedup.name_requests(unit, groups))


def names(run: Run, unit: int, groups: Groups) -> Results:
    return list(dedup.names(run, unit, groups["requests"]))


def write_unit(run: Run, unit: int, groups: Groups) -> Results:
    write(run, unit, groups)
    return [(unit, b"")]
