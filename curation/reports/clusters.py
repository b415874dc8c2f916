"""Shows near-duplicates as clusters: a kept document with documents that were removed for it."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.kernels.listed_terms import hashes
from curation.release.folder import Folder
from curation.release.manifest import Manifest
from curation.reports.drawn import Drawn, Draws, batches_of, read_drawn
from schemas import DOCUMENTS

LARGEST, OTHERS = 3, 5
MEMBERS = 3
"""The removed documents that are shown of a cluster."""
SIZES = (2, 3, 4, 5, 10, 100, 1_000)
"""Clusters are counted by size in these steps, each from its own number to the next."""
_SURVIVOR = ("survivor", "survivor_file", "survivor_offset")
_SHOWN = ("doc_id", "url", "file", "offset", "text", "similarity", "survivor_similarity")

Place = tuple[str, int]


@dataclass(frozen=True)
class Cluster:
    """A kept document, the number of near-duplicates that were removed for it, and some of them."""

    kept: Mapping[str, Any]
    count: int
    removed: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Clusters:
    """Some clusters, the largest first, and the number of clusters by size (documents that a kept one stands for, its
    copies too); ``sizes`` is empty if an earlier version wrote the folder."""

    shown: Sequence[Cluster]
    sizes: Mapping[int, int]


def clusters(folder: Folder, manifest: Manifest, characters: int) -> Clusters:
    """The largest clusters and some others, with texts of up to ``characters``, and how large all clusters are."""
    sizes, largest = _sizes(folder, manifest)
    found = read_drawn(folder, largest, ["file", "offset"], 0)
    places = {(found[each]["file"], found[each]["offset"]) for each in largest} | _survivors(folder, manifest)
    counts, members = _members(folder, manifest, places)
    kept = _at(folder, manifest, counts)
    drawn = [*kept.values(), *(each for some in members.values() for each in some)]
    texts = read_drawn(folder, drawn, _SHOWN, characters)
    ordered = sorted((place for place in kept if counts[place]), key=lambda place: (-counts[place], place))
    shown = [
        Cluster(texts[kept[place]], counts[place], [texts[each] for each in members[place]])
        for place in ordered[: LARGEST + OTHERS]
    ]
    return Clusters(shown, sizes)


def _sizes(folder: Folder, manifest: Manifest) -> tuple[Mapping[int, int], Sequence[Drawn]]:
    """The number of clusters by size, and the kept documents of the largest clusters."""
    largest, sizes = Draws[None](LARGEST), Counter[int]()
    for shard, start, batch in batches_of(folder, manifest, DOCUMENTS.name, ["near_cluster_size"]):
        if not batch.num_columns:
            break
        size = batch["near_cluster_size"].to_numpy()
        rows = np.flatnonzero(size > 1)
        largest.add(None, shard, rows + start, -size[rows])
        steps = np.bincount(np.searchsorted(SIZES, size[rows], "right"), minlength=len(SIZES) + 1)[1:]
        sizes.update(dict(zip(SIZES, steps.tolist(), strict=True)))
    return {size: sizes[size] for size in SIZES if sizes[size]}, largest.drawn().get(None, ())


def _survivors(folder: Folder, manifest: Manifest) -> set[Place]:
    """The places of some documents for which near-duplicates were removed, drawn by their ids."""
    drawn: dict[Place, int] = {}
    for _, _, batch in _near(folder, manifest, _SURVIVOR):
        own = pa.Table.from_batches([batch]).group_by(list(_SURVIVOR), use_threads=False).aggregate([])
        ranks = hashes(own["survivor"].combine_chunks())
        for row in np.argsort(ranks, kind="stable")[: LARGEST + OTHERS].tolist():
            place = own["survivor_file"][row].as_py(), own["survivor_offset"][row].as_py()
            drawn[place] = int(ranks[row])
        lowest = sorted(drawn.items(), key=lambda entry: (entry[1], entry[0]))[: LARGEST + OTHERS]
        drawn = dict(lowest)
    return set(drawn)


def _members(
    folder: Folder, manifest: Manifest, places: Collection[Place]
) -> tuple[Counter[Place], Mapping[Place, Sequence[Drawn]]]:
    """How many near-duplicates were removed for the document at each place, and some of them."""
    counts, members = Counter[Place](), Draws[Place](MEMBERS)
    for shard, numbers, batch in _near(folder, manifest, ("doc_id", *_SURVIVOR[1:])):
        for place, rows in _rows_at(places, batch["survivor_file"], batch["survivor_offset"]):
            counts[place] += len(rows)
            members.add(place, shard, numbers[rows], hashes(batch["doc_id"].take(pa.array(rows))))
    return counts, members.drawn()


def _at(folder: Folder, manifest: Manifest, places: Collection[Place]) -> dict[Place, Drawn]:
    """Where the kept documents at some places stand."""
    found = {}
    for shard, start, batch in batches_of(folder, manifest, DOCUMENTS.name, ["file", "offset"]):
        for place, rows in _rows_at(places, batch["file"], batch["offset"]):
            found[place] = Drawn(0, shard, start + int(rows[0]))
    return found


def _near(
    folder: Folder, manifest: Manifest, columns: Sequence[str]
) -> Iterator[tuple[str, npt.NDArray[np.int64], pa.RecordBatch]]:
    """Near-duplicates of documents of this run: columns, with the shard and the numbers of the rows."""
    for shard, start, batch in batches_of(
        folder, manifest, "rejects/duplicates", [*columns, "stage", "survivor_release"]
    ):
        own = pc.and_(pc.equal(batch["stage"], "near"), batch["survivor_release"].is_null())
        yield shard, start + np.flatnonzero(own.to_numpy(zero_copy_only=False)), batch.filter(own).select(columns)


def _rows_at(
    places: Collection[Place], files: pa.Array, offsets: pa.Array
) -> Iterator[tuple[Place, npt.NDArray[np.int64]]]:
    """The rows at each of the places, if there are any."""
    wanted = pa.array(sorted({offset for _, offset in places}), pa.int64())
    rows = np.flatnonzero(pc.is_in(offsets, value_set=wanted).to_numpy(zero_copy_only=False))
    by_place: dict[Place, list[int]] = {}
    chosen = pa.array(rows)
    for row, place in zip(
        rows.tolist(), zip(files.take(chosen).to_pylist(), offsets.take(chosen).to_pylist(), strict=True), strict=True
    ):
        if place in places:
            by_place.setdefault(place, []).append(row)
    for place in sorted(by_place):
        yield place, np.array(by_place[place], np.int64)
