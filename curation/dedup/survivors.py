"""Chooses the documents that survive, so that each removed document has a survivor that is similar enough to it.

The definition. Two documents are linked if they have the same url, the same text, or if they are candidates whose
similarity is at least ``near.min_similarity``. The documents are taken in the order of the keep policy (released ones
first, see `Order`). Each document

1. that has the url, or else the text, of a better document with a survivor is removed for that survivor;
2. otherwise is compared with its references: each better document that is linked to it and survives, and the survivor
   of each better document that is linked to it and does not survive. The document is removed for the most similar
   reference (of equals, the better one), if their similarity is at least ``near.survivor``;
3. otherwise survives.

So no document is under the threshold to its survivor, and of two linked documents that are similar enough, at most one
is kept. The similarity of linked documents is known; others are compared by their sets of shingles (or signatures). A
document has at most two links in each band (the best document of its bucket and the one before it) and two more for
each earlier release: it is compared with at most 28 references by default, whatever the size of its cluster. Links
never lead out of a connected component, so components are processed apart from one another.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curation.dedup.edges import Records, distinct, rows_of, within
from curation.dedup.removal import STAGES, Removals
from curation.kernels import survivors as kernels

Ints = npt.NDArray[np.int64]
Uint64s = npt.NDArray[np.uint64]

STAGE_LINK_WIDTH = 6
"""A link of a stage is (index in STAGES, and the columns of an edge), see `edges`."""
CHOICE_WIDTH = 6
"""A choice, of the survivor for a removed document, is (row id, survivor's row id, matched document's row id, index in
STAGES, similarity to the matched document, similarity to the survivor); similarities are the bits of float64."""
SETS_BYTES = 64 << 20
"""The bytes of sets of shingles that are in memory together, unless the references of a single document take more."""

_KINDS = np.array([{"url": kernels.URL, "exact": kernels.EXACT, "near": kernels.NEAR}[stage] for stage in STAGES])
_STAGE_OF_KIND = np.argsort(_KINDS).astype(np.uint64)


@dataclass(frozen=True)
class Sets:
    """The sets of shingles (or, with ``ordered``, signatures) of documents with ascending row ids: document i has
    values[bounds[i]:bounds[i + 1]], empty if there is no set."""

    values: Uint64s
    bounds: Ints


@dataclass(frozen=True)
class SetReader:
    """Reads sets: ``sizes`` gives the numbers of values of documents by row id, ``fetch`` the sets; both take
    ascending, distinct row ids. With ``ordered``, the sets are signatures, which are compared value by value."""

    sizes: Callable[[Records], Ints]
    fetch: Callable[[Records], Sets]
    ordered: bool


@dataclass(frozen=True)
class Order:
    """The order of documents: by depth, plain rank and row id. ``depth`` takes row ids, and gives the number of
    releases before the document's release: a release comes after the releases that it was deduplicated against, and new
    documents come last. ``plain_rank`` and ``may_survive`` take ranks: the rank by the keep policy alone, and whether
    the document may survive. A document that a release removed does not survive, but can lead to its survivor."""

    depth: Callable[[Records], Ints]
    plain_rank: Callable[[Records], Records]
    may_survive: Callable[[Records], npt.NDArray[np.bool_]]


def choose(links: Records, order: Order, reader: SetReader, least: float) -> Records:
    """The choices (see CHOICE_WIDTH) for the removed documents of some connected components, given all links between
    their documents (see STAGE_LINK_WIDTH); ``least`` is ``near.survivor``."""
    graph = _graph(distinct(links), order)
    count = len(graph.ids)
    survivor = np.full(count, kernels.UNDECIDED, np.int64)
    matched = np.full(count, kernels.NOBODY, np.int64)
    how = np.full(count, kernels.NEAR, np.int64)
    found = np.full((count, 2), np.nan)
    starts, ends = np.full(count, -1, np.int64), np.full(count, -1, np.int64)

    def decide(nodes: Ints, values: Uint64s) -> int:
        waiting: int = kernels.choose(
            nodes,
            *(graph.bounds, graph.better, graph.kinds, graph.shares, graph.may_survive),
            *(least, values, starts, ends, reader.ordered, survivor, matched, how, found),
        )
        return waiting

    if decide(np.arange(count), np.empty(0, np.uint64)):
        undecided = np.flatnonzero(survivor == kernels.UNDECIDED)
        for nodes in _parts(undecided, graph, reader):
            wanted = _wanted(nodes, graph, survivor)
            starts[wanted], ends[wanted] = 0, 0
            compared = wanted[graph.compared[wanted]]
            by_id = compared[np.argsort(graph.ids[compared])]
            sets = reader.fetch(graph.ids[by_id])
            starts[by_id], ends[by_id] = sets.bounds[:-1], sets.bounds[1:]
            left = decide(nodes, sets.values)
            assert not left, "every document can be decided with all sets at hand"
            starts[wanted] = ends[wanted] = -1
    return _removed(graph, survivor, matched, how, found)


@dataclass(frozen=True)
class _Graph:
    """Documents in their order, and the links of each one to better documents, see `kernels.choose`."""

    ids: Records
    bounds: Ints
    better: Ints
    kinds: Ints
    shares: npt.NDArray[np.float64]
    may_survive: npt.NDArray[np.bool_]
    compared: npt.NDArray[np.bool_]
    """Which documents have a link to a near-duplicate; the others have no set."""


def _graph(links: Records, order: Order) -> _Graph:
    nodes = distinct(np.concatenate([links[:, [2, 1]], links[:, [4, 3]]]))
    ids, ranks = nodes[:, 0], nodes[:, 1]
    places = np.lexsort((ids, order.plain_rank(ranks), order.depth(ids)))
    number = np.empty(len(nodes), np.int64)
    number[places] = np.arange(len(nodes))
    ends = np.column_stack([number[np.searchsorted(ids, links[:, column])] for column in (2, 4)])
    better, worse = ends.min(axis=1), ends.max(axis=1)
    shares = links[:, 5].copy().view(np.float64)
    by_worse = np.lexsort((better, -shares, worse))
    bounds = np.searchsorted(worse[by_worse], np.arange(len(nodes) + 1))
    kinds = _KINDS[links[by_worse, 0].astype(np.int64)]
    may_survive = order.may_survive(ranks)[places]
    compared = np.zeros(len(nodes), bool)
    compared[np.concatenate([better[by_worse], worse[by_worse]])[np.tile(kinds == kernels.NEAR, 2)]] = True
    return _Graph(ids[places], bounds, better[by_worse], kinds, shares[by_worse], may_survive, compared)


def _parts(undecided: Ints, graph: _Graph, reader: SetReader) -> Iterator[Ints]:
    """The undecided documents in their order, in parts that need at most about SETS_BYTES of sets."""
    sizes = np.zeros(len(graph.ids), np.int64)
    compared = np.flatnonzero(graph.compared)
    by_id = compared[np.argsort(graph.ids[compared])]
    sizes[by_id] = reader.sizes(graph.ids[by_id])
    held = np.concatenate([[0], np.cumsum(sizes[graph.better])])
    bytes_ = 8 * (sizes[undecided] + held[graph.bounds[undecided + 1]] - held[graph.bounds[undecided]])
    for start, end in within(bytes_, SETS_BYTES):
        yield undecided[start:end]


def _wanted(nodes: Ints, graph: _Graph, survivor: Ints) -> Ints:
    """The documents whose sets are needed to decide about ``nodes``, given the survivors so far: the nodes and all
    survivors to which a link may lead."""
    first, counts = graph.bounds[nodes], np.diff(graph.bounds)[nodes]
    links = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    to = survivor[graph.better[links]]
    return np.asarray(np.unique(np.concatenate([nodes, to[to >= 0]])))


def _removed(graph: _Graph, survivor: Ints, matched: Ints, how: Ints, found: npt.NDArray[np.float64]) -> Records:
    gone = np.flatnonzero((survivor >= 0) & (survivor != np.arange(len(survivor))))
    return np.column_stack(
        [
            graph.ids[gone],
            graph.ids[survivor[gone]],
            graph.ids[matched[gone]],
            _STAGE_OF_KIND[how[gone]],
            found[gone].view(np.uint64).reshape(-1, 2),
        ]
    )


def removals_of(choices: Records) -> Removals:
    """The removals of one unit, from all choices about its documents."""
    choices = choices[np.argsort(choices[:, 0])]
    to_matched, to_survivor = (choices[:, column].copy().view(np.float64) for column in (4, 5))
    return Removals(
        rows_of(choices[:, 0]), choices[:, 3].astype(np.int64), choices[:, 1], choices[:, 2], to_matched, to_survivor
    )
