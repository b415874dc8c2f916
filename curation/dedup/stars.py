"""What hangs together when one process cannot hold all links: large-star and small-star in turn, until both change
nothing (Kiveris, Lattanzi, Mirrokni, Rastogi and Vassilvitskii: Connected Components in MapReduce and Beyond, 2014).

Each step sees the links at the nodes of one partition. Links are as in ``components``: (rank, row id) of a better node,
(rank, row id) of a worse one. At the end every worse node has one link, to the best node of its component: the forest.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from curation.dedup.components import LINK_WIDTH
from curation.dedup.edges import Records, distinct, route

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(33)


def partition_of(ids: Records, partitions: int) -> npt.NDArray[np.int64]:
    """Where the links at these row ids meet: by the upper bits of a product, since row ids grow by one."""
    with np.errstate(over="ignore"):
        return ((ids * _FACTOR >> _SHIFT) % np.uint64(partitions)).astype(np.int64)


def spread(links: Records, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Every link twice, each node first once, routed by that node: what large-star asks for."""
    both = np.concatenate([links, links[:, [2, 3, 0, 1]]])
    yield from route(partition_of(both[:, 1], partitions), both)


def by_worse(links: Records, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Every link once, routed by its worse node: what small-star asks for."""
    yield from route(partition_of(links[:, 3], partitions), links)


def large_star(neighbours: Records) -> tuple[Records, int]:
    """Links every worse neighbour of a node to the best of the node and its neighbours.

    ``neighbours`` are (node, neighbour), all of a node together. Also gives how many links that changed.
    """
    neighbours = _by_node(distinct(neighbours))
    best = _best(neighbours)
    node = neighbours[:, :2]
    best = np.where(_better(best, node)[:, None], best, node)
    worse = _better(node, neighbours[:, 2:])
    found = np.column_stack([best, neighbours[:, 2:]])[worse]
    return found, int((best[worse] != node[worse]).any(axis=1).sum())


def small_star(links: Records) -> tuple[Records, int]:
    """Links a node and its better neighbours to the best of these.

    ``links`` are all those at which a node is the worse one. Also gives at how many nodes that changed something.
    """
    links = _by_node(distinct(links)[:, [2, 3, 0, 1]])
    best = _best(links)
    first = _first(links)
    own = np.column_stack([best[first], links[first, :2]])
    others = np.column_stack([best[~first], links[~first, 2:]])
    several = len(np.unique(links[~first, 1]))
    return distinct(np.concatenate([own, others]).reshape(-1, LINK_WIDTH)), several


def _by_node(pairs: Records) -> Records:
    """Sorted by the first node's row id, then by the second node, the better one first."""
    return np.asarray(pairs[np.lexsort((pairs[:, 3], pairs[:, 2], pairs[:, 1]))])


def _first(pairs: Records) -> npt.NDArray[np.bool_]:
    first = np.ones(len(pairs), bool)
    first[1:] = pairs[1:, 1] != pairs[:-1, 1]
    return first


def _best(pairs: Records) -> Records:
    """For each pair, sorted by node, the best of all second nodes of its first one."""
    starts = np.maximum.accumulate(np.where(_first(pairs), np.arange(len(pairs)), 0))
    return pairs[starts, 2:]


def _better(left: Records, right: Records) -> npt.NDArray[np.bool_]:
    """Where the left node comes before the right one."""
    return np.asarray((left[:, 0] < right[:, 0]) | ((left[:, 0] == right[:, 0]) & (left[:, 1] < right[:, 1])))
