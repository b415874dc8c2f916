"""Which documents hang together, and which one of them survives."""

import numpy as np

from curation.dedup.edges import Records, distinct
from curation.kernels.union_find import union

SMALLEST_FOLD = 1 << 18
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


class Forest:
    """Links that come in parts: what is held of them at any time is a forest, and as many again."""

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
        """The forest over all links so far, as ``forest`` gives it."""
        return forest(np.concatenate([self._found, *self._new]))


def _positions(nodes: Records, wanted: Records) -> np.ndarray:  # type: ignore[type-arg]
    """Where each wanted (rank, row id) stands in the sorted, distinct nodes."""
    order = np.argsort(nodes[:, 1], kind="stable")
    return order[np.searchsorted(nodes[order, 1], wanted[:, 1])]
