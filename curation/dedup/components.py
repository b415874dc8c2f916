"""Finds connected components of duplicates, and the survivor of each."""

import numpy as np

from curation.dedup.edges import Records, distinct
from curation.kernels.union_find import union

SMALLEST_FOLD = 1 << 18
LINK_WIDTH = 4
"""A link is (rank, row id) of a node, and (rank, row id) of a worse node of its component."""


def forest(links: Records) -> Records:
    """Links from the best node of each component to every other node of the component, sorted by the latter."""
    if not len(links):
        return np.empty((0, LINK_WIDTH), np.uint64)
    nodes = distinct(np.concatenate([links[:, 0:2], links[:, 2:4]]))
    left = _positions(nodes, links[:, 0:2])
    right = _positions(nodes, links[:, 2:4])
    best = union(left, right, len(nodes))
    other = np.flatnonzero(best != np.arange(len(nodes)))
    return np.column_stack([nodes[best[other]], nodes[other]])


class Forest:
    """The forest of links that arrive in batches; at most twice the links of a forest are in memory."""

    def __init__(self) -> None:
        self._found: Records = np.empty((0, LINK_WIDTH), np.uint64)
        self._new: list[Records] = []
        self._waiting = 0

    def add(self, links: Records) -> None:
        self._new.append(links)
        self._waiting += len(links)
        if self._waiting > max(SMALLEST_FOLD, len(self._found)):
            self._found = self.links()
            self._new, self._waiting = [], 0

    def links(self) -> Records:
        """The forest over all links so far; see `forest`."""
        return forest(np.concatenate([self._found, *self._new]))


def _positions(nodes: Records, wanted: Records) -> np.ndarray:  # type: ignore[type-arg]
    """The index of each wanted (rank, row id) in the sorted, distinct nodes."""
    order = np.argsort(nodes[:, 1], kind="stable")
    return order[np.searchsorted(nodes[order, 1], wanted[:, 1])]
