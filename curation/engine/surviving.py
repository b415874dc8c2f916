"""The stages that choose survivors (`curation.dedup.survivors`): in one process that holds all links, or, if the links
were too many for it, in each partition for the connected components that belong to it."""

import numpy as np
import numpy.typing as npt

from curation.dedup.components import LINK_WIDTH
from curation.dedup.edges import Records, route, row_ids, rows_of, units_of, unpack
from curation.dedup.keep import WORST
from curation.dedup.removal import STAGES
from curation.dedup.settings import Near
from curation.dedup.sketch import signature_values
from curation.dedup.stars import partition_of
from curation.dedup.survivors import STAGE_LINK_WIDTH, Order, SetReader, Sets, choose
from curation.engine.dedup_stages import Blobs, Routed, unit_edges
from curation.engine.released import IN_CORPUS, REMOVED, class_of, groups_known_to, groups_of
from curation.engine.run import Run
from curation.engine.shingles import read_sets, set_sizes
from curation.release.shards import read_rows


def chosen_survivors(run: Run) -> Routed:
    """The choices for the whole corpus, routed to the units of the removed documents."""
    links = [_stage_links(run, unit) for unit in range(run.all_units)]
    yield from _choose(run, np.concatenate([np.empty((0, STAGE_LINK_WIDTH), np.uint64), *links]))


def clustered_links(run: Run, unit: int, forest: Blobs) -> Routed:
    """The links whose worse document is in a unit, routed by their connected component. ``forest`` are the unit's links
    of the forest."""
    roots = unpack(forest, LINK_WIDTH)[:, [3, 1]]
    roots = roots[np.argsort(roots[:, 0])]
    links = _stage_links(run, unit)
    component = links[:, 4].copy()
    at = np.searchsorted(roots[:, 0], component)
    there = at < len(roots)
    there[there] = roots[at[there], 0] == component[there]
    component[there] = roots[at[there], 1]
    yield from route(partition_of(component, run.partitions), links)


def component_survivors(run: Run, blobs: Blobs) -> Routed:
    """The choices in the connected components of a partition, routed to the units of the removed documents."""
    yield from _choose(run, unpack(blobs, STAGE_LINK_WIDTH))


def _stage_links(run: Run, unit: int) -> Records:
    """The links (see STAGE_LINK_WIDTH) whose worse document is in a unit."""
    links = [np.empty((0, STAGE_LINK_WIDTH), np.uint64)]
    for stage, found in unit_edges(run, unit).items():
        found = found[units_of(found[:, 3]) == unit]
        links.append(np.column_stack([np.full(len(found), STAGES.index(stage), np.uint64), found]))
    return np.concatenate(links)


def _choose(run: Run, links: Records) -> Routed:
    """The choices for the components of some links. Of released documents, only those in the corpus are removed: they
    are superseded."""
    dedup = run.job.recipe.dedup
    assert dedup.near is not None, "near-deduplication is off"
    removed = choose(links, _order(run), _set_reader(run, dedup.near), dedup.near.required_survivor)
    if run.first:
        nodes = np.concatenate([links[:, [2, 1]], links[:, [4, 3]]])
        known = nodes[units_of(nodes[:, 0]) < run.first]
        out = known[class_of(known[:, 1]) != IN_CORPUS, 0]
        removed = removed[~np.isin(removed[:, 0], out)]
    yield from route(units_of(removed[:, 0]), removed)


def _order(run: Run) -> Order:
    depths: list[int] = []
    for group in range(len(run.releases)):
        before = [depths[each] for each in groups_known_to(run, group) if each < group]
        depths.append(1 + max(before, default=-1))
    by_group = np.array([*depths, 1 + max(depths, default=-1)])

    def depth(ids: Records) -> npt.NDArray[np.int64]:
        return np.asarray(by_group[groups_of(run, ids)])

    def plain_rank(ranks: Records) -> Records:
        return ranks & WORST

    def may_survive(ranks: Records) -> npt.NDArray[np.bool_]:
        return np.asarray(class_of(ranks) != REMOVED)

    return Order(depth, plain_rank, may_survive)


def _set_reader(run: Run, near: Near) -> SetReader:
    """Reads the sets of shingles or, if documents are compared by their signatures, the signatures."""
    if near.verify == "exact":
        return SetReader(lambda ids: set_sizes(run, ids), lambda ids: read_sets(run, ids), ordered=False)
    width = int(np.prod(near.banding))

    def sizes(ids: Records) -> npt.NDArray[np.int64]:
        return np.full(len(ids), width)

    def fetch(ids: Records) -> Sets:
        parts: list[npt.NDArray[np.uint64]] = [np.empty(0, np.uint64)]
        present: list[npt.NDArray[np.bool_]] = [np.empty(0, bool)]
        for unit in np.unique(units_of(ids)).tolist():
            low, high = np.searchsorted(ids, row_ids(unit, np.array([0, 1 << 39])))
            rows = read_rows(*run.sketches(unit), ["signature"], rows_of(ids[low:high]))
            values, there = signature_values(rows["signature"].combine_chunks(), near)
            parts.append(values.astype(np.uint64).ravel())
            present.append(there)
        bounds = np.concatenate([[0], np.cumsum(np.where(np.concatenate(present), width, 0))])
        return Sets(np.concatenate(parts), bounds)

    return SetReader(sizes, fetch, ordered=True)
