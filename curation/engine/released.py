"""Lets the documents of earlier releases take part in a deduplication, from their sketches alone.

A rank has 62 bits; the two bits above are a class. A released document that is in the corpus is better than a released
document that was removed, and both are better than any new document. So a new document never replaces a released one.
Only when survivors are chosen do removed documents rank last: the document that replaced them may have been taken down.

Which documents drop out after a stage depends on their ranks without the class. A document loses only to documents that
its own deduplication knew: a released document to documents of its release and of the releases that its release was
deduplicated against, a new document to all. So every document that took part in an earlier run takes part again, and
documents that were connected then are connected now.
"""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.dedup.edges import Records, units_of
from curation.dedup.keep import RANK_BITS, WORST
from curation.engine.run import Run, gone_name
from curation.release.folder import Folder
from curation.release.opening import Release, check_contents
from curation.release.shards import read_shard, shard_name

IN_CORPUS, REMOVED, NEW = range(3)
"""Classes, the best first."""
PLACE = ["file", "offset"]
"""The columns that identify a document within a release."""


def find_gone(run: Run, unit: int) -> None:
    """Writes the rows of a released unit that are not in the corpus, as they were removed or superseded later.

    Raises UserError if one of the unit's files differs from the manifest.
    """
    release, number = run.release_of(unit)
    check_contents(release, [shard_name(table, number) for table in ("sketches", "rejects/duplicates")])
    gone = [duplicate_places(release.folder, number)]
    for other in run.releases:
        if other.is_stale(run.releases):
            continue  # documents that it superseded may be kept again: this run finds them again
        name = shard_name(f"superseded/{release.name}", number)
        if other.folder.exists(name):
            check_contents(other, [name])
            gone.append(read_shard(other.folder, name, PLACE))
    write_gone(run, unit, rows_at(sketched_places(release, number), pa.concat_tables(gone)))


def duplicate_places(folder: Folder, number: int) -> pa.Table:
    """The places of the documents that were removed from a unit of a finished folder as duplicates."""
    return read_shard(folder, shard_name("rejects/duplicates", number), PLACE)


def sketched_places(release: Release, number: int) -> pa.Table:
    """The places of all documents of a unit of a release that reached deduplication."""
    return read_shard(release.folder, shard_name("sketches", number), PLACE)


def rows_at(places: pa.Table, wanted: pa.Table) -> npt.NDArray[np.int64]:
    """The numbers of the rows of ``places`` (file, offset) that are in ``wanted``, ascending."""
    numbered = places.append_column("row", pa.array(np.arange(len(places))))
    found = numbered.join(wanted, PLACE, join_type="left semi", use_threads=False)
    return np.sort(found["row"].to_numpy()).astype(np.int64)


def write_gone(run: Run, unit: int, rows: npt.NDArray[np.int64]) -> None:
    with run.folder.writing(gone_name(unit)) as stream:
        stream.write(rows.tobytes())


def read_gone(run: Run, unit: int) -> npt.NDArray[np.int64]:
    with run.folder.reading(gone_name(unit)) as stream:
        return np.frombuffer(stream.read(), np.int64)


def class_ranks(run: Run, unit: int, rows: npt.NDArray[np.int64], ranks: Records) -> Records:
    """The ranks of some rows of a unit, with the class in the upper bits."""
    if not run.releases:
        return ranks
    classes = np.full(len(rows), NEW, np.uint64)
    if unit < run.first:
        classes[:] = IN_CORPUS
        classes[np.isin(rows, read_gone(run, unit))] = REMOVED
    return np.asarray((classes << np.uint64(RANK_BITS)) | ranks)


def class_of(ranks: Records) -> npt.NDArray[np.int64]:
    return (ranks >> np.uint64(RANK_BITS)).astype(np.int64)


def orient_links(links: Records) -> Records:
    """The links, each turned so that its better node is the one that may survive: a node that was not removed, if the
    link has one."""
    found = links.copy()
    for column in (0, 2):
        class_ = found[:, column] >> np.uint64(RANK_BITS)
        plain = found[:, column] & WORST
        swapped = np.where(class_ == IN_CORPUS, class_, np.uint64(NEW + REMOVED) - class_)
        found[:, column] = (swapped << np.uint64(RANK_BITS)) | plain
    turned = (found[:, 0] > found[:, 2]) | ((found[:, 0] == found[:, 2]) & (found[:, 1] > found[:, 3]))
    found[turned] = found[turned][:, [2, 3, 0, 1]]
    return found


def groups_of(run: Run, ids: Records) -> npt.NDArray[np.int64]:
    """The index in ``run.releases`` of the release of each row id; the number of releases for a new document."""
    return np.searchsorted(np.array(run.firsts), units_of(ids), side="right") - 1


def unbeaten_ids(run: Run, keys: Records, nodes: Records) -> Records:
    """The row ids of the documents that lose to no other document with the same key; ``keys`` and ``nodes`` are n x 2.

    A document can lose only to documents that its own deduplication knew. A new document does not lose to documents
    that a stale release removed, whose counterparts may no longer exist.
    """
    order = np.lexsort((nodes[:, 1], nodes[:, 0] & WORST, keys[:, 1], keys[:, 0]))
    keys, ids, classes = keys[order], nodes[order, 1], class_of(nodes[order, 0])
    groups = groups_of(run, ids)
    stale = [index for index, release in enumerate(run.releases) if release.is_stale(run.releases)]
    counts = ~((classes == REMOVED) & np.isin(groups, stale))
    found = []
    for group in range(len(run.releases) + 1):
        taking_part = np.isin(groups, groups_known_to(run, group))
        rows = np.flatnonzero(taking_part & counts if group == len(run.releases) else taking_part)
        first = np.ones(len(rows), bool)
        first[1:] = (keys[rows[1:]] != keys[rows[:-1]]).any(axis=1)
        found.append(ids[rows[first & (groups[rows] == group)]])
    return np.sort(np.concatenate(found))


def groups_known_to(run: Run, group: int) -> list[int]:
    """The groups whose documents took part in the deduplication of ``group``."""
    if group == len(run.releases):
        return list(range(group + 1))
    of = run.releases[group]
    return [index for index, release in enumerate(run.releases) if release == of or of.knew(release)]


def is_new_edge(run: Run, edges: Records) -> npt.NDArray[np.bool_]:
    """Which edges no release knew. For other edges, the run of a release has already removed one of the documents."""
    groups = len(run.releases) + 1
    met = np.zeros((groups, groups), bool)
    for group in range(groups - 1):
        met[group, groups_known_to(run, group)] = True
    better, worse = groups_of(run, edges[:, 1]), groups_of(run, edges[:, 3])
    return np.asarray(~(met[better, worse] | met[worse, better]))


def names_of(run: Run, ids: Records) -> pa.StringArray:
    """The name of the release of each row id, null for a new document."""
    names = pa.array([*(release.name for release in run.releases), None], pa.string())
    return names.take(pa.array(groups_of(run, ids)))
