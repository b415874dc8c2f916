"""Connected components if one process cannot hold all links: large-star and small-star alternate until nothing changes
(Kiveris, Lattanzi, Mirrokni, Rastogi and Vassilvitskii: Connected Components in MapReduce and Beyond, 2014).

Each step processes the links at the nodes of one partition. Links are as in `components`: (rank, row id) of a better
node, (rank, row id) of a worse node. At the end each worse node has one link, to the best node of its component: the
links are the forest.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from curation.dedup.components import LINK_WIDTH
from curation.dedup.edges import Records, distinct, route

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(33)


def partition_of(ids: Records, partitions: int) -> npt.NDArray[np.int64]:
    """The partition of each row id: by the upper bits of a product, since row ids are consecutive."""
    with np.errstate(over="ignore"):
        return ((ids * _FACTOR >> _SHIFT) % np.uint64(partitions)).astype(np.int64)


def spread(links: Records, partitions: int) -> Iterator[tuple[int, bytes]]:
    """The input of large-star: every link twice, with either node first, by partition of the first node."""
    both = np.concatenate([links, links[:, [2, 3, 0, 1]]])
    yield from route(partition_of(both[:, 1], partitions), both)


def by_worse(links: Records, partitions: int) -> Iterator[tuple[int, bytes]]:
    """The input of small-star: every link once, by partition of its worse node."""
    yield from route(partition_of(links[:, 3], partitions), links)


def large_star(neighbours: Records) -> tuple[Records, int]:
    """Links every worse neighbour of a node to the best of the node and its neighbours.

    ``neighbours`` are pairs (node, neighbour), with all neighbours of a node. Also returns the number of changed links.
    """
    neighbours = _by_node(distinct(neighbours))
    best = _best(neighbours)
    node = neighbours[:, :2]
    best = np.where(_better(best, node)[:, None], best, node)
    worse = _better(node, neighbours[:, 2:])
    found = np.column_stack([best, neighbours[:, 2:]])[worse]
    return found, int((best[worse] != node[worse]).any(axis=1).sum())


def small_star(links: Records) -> tuple[Records, int]:
    """Links a node and its better neighbours to the best of the neighbours.

    ``links`` are all links in which a node is the worse node. Also returns the number of nodes with changes.
    """
    links = _by_node(distinct(links)[:, [2, 3, 0, 1]])
    best = _best(links)
    first = _first(links)
    own = np.column_stack([best[first], links[first, :2]])
    others = np.column_stack([best[~first], links[~first, 2:]])
    several = len(np.unique(links[~first, 1]))
    return distinct(np.concatenate([own, others]).reshape(-1, LINK_WIDTH)), several


def _by_node(pairs: Records) -> Records:
    """Sorts pairs by the first node's row id, then by the second node, better nodes first."""
    return np.asarray(pairs[np.lexsort((pairs[:, 3], pairs[:, 2], pairs[:, 1]))])


def _first(pairs: Records) -> npt.NDArray[np.bool_]:
    first = np.ones(len(pairs), bool)
    first[1:] = pairs[1:, 1] != pairs[:-1, 1]
    return first


def _best(pairs: Records) -> Records:
    """For each pair (sorted by node), the best second node of all pairs with the same first node."""
    starts = np.maximum.accumulate(np.where(_first(pairs), np.arange(len(pairs)), 0))
    return pairs[starts, 2:]


def _better(left: Records, right: Records) -> npt.NDArray[np.bool_]:
    """Where the left node comes before the right one."""
    return np.asarray((left[:, 0] < right[:, 0]) | ((left[:, 0] == right[:, 0]) & (left[:, 1] < right[:, 1])))
