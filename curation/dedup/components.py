"""Which documents hang together, and which one of them survives."""

import numpy as np

from curation.dedup.edges import Records, distinct
from curation.kernels.union_find import union

LINK_WIDTH = 4
"""A link is (rank, row id) of a node better than (rank, row id) of another one of its component."""


def forest(links: Records) -> Records:
    """A link from the best node of each component to each other node of it, sorted by the latter."""
    if not len(links):
        return np.empty((0, LINK_WIDTH), np.uint64)
    nodes = distinct(np.concatenate([links[:, 0:2], links[:, 2:4]]))
    left = _positions(nodes, links[:, 0:2])
    right = _positions(nodes, links[:, 2:4])
    best = union(left, right, len(nodes))
    other = np.flatnonzero(best != np.arange(len(nodes)))
    return np.column_stack([nodes[best[other]], nodes[other]])


def _positions(nodes: Records, wanted: Records) -> np.ndarray:  # type: ignore[type-arg]
    """Where each wanted (rank, row id) stands in the sorted, distinct nodes."""
    order = np.argsort(nodes[:, 1], kind="stable")
    return order[np.searchsorted(nodes[order, 1], wanted[:, 1])]
