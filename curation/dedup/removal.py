"""From edges to removals: which documents of a unit go, at which stage, and which documents are named for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from curation.dedup.edges import Records, rows_of, units_of

STAGES = ("url", "exact", "near")
REQUEST_WIDTH = 3
"""A request is (row id of the document to be named, unit that asks, 1 when its signature is needed)."""


@dataclass(frozen=True)
class Removals:
    """The removed documents of one unit, sorted by row; equally long columns."""

    row: npt.NDArray[np.int64]
    stage: npt.NDArray[np.int64]
    """Index into STAGES."""
    survivor: Records
    matched: Records
    """Row ids."""
    similarity: npt.NDArray[np.float64]
    """To the matched document; NaN where it is still to be measured."""


NONE_REMOVED = Removals(
    *(np.empty(0, kind) for kind in (np.int64, np.int64, np.uint64, np.uint64, np.float64))  # type: ignore[arg-type]
)


def removals(
    unit: int, links: Records, edges: Mapping[str, Records], news: Mapping[str, Records] | None = None
) -> Removals:
    """What one unit loses. ``links`` are its links of the forest, ``edges`` those at its documents, by stage.

    A document that shares its url, or else its text, with a better one matched that one; any other matched the
    neighbour it is most like (the better one of equals). With ``news``, the edges of a released unit that its own run
    did not know, the best document of a url or text matched the others too, for it can lose to another released one
    that one of these is like; and what is news goes before what was known.
    """
    links = links[np.argsort(links[:, 3])]
    ids = links[:, 3]
    count = len(ids)
    stage = np.full(count, STAGES.index("near"))
    matched = np.zeros(count, np.uint64)
    similarity = np.full(count, np.nan)
    every_end = news is not None
    for part, name in product((edges, news) if news else (edges,), reversed(STAGES)):
        best = _best_neighbours(part[name], unit, both=every_end or name == "near")
        found = np.searchsorted(ids, best[:, 0])
        known = (found < count) & (ids[np.minimum(found, count - 1)] == best[:, 0]) if count else np.zeros(0, bool)
        at = found[known]
        stage[at] = STAGES.index(name)
        matched[at] = best[known, 1]
        similarity[at] = best[known, 2].view(np.float64)
    return Removals(rows_of(ids), stage, links[:, 1], matched, similarity)


def _best_neighbours(edges: Records, unit: int, both: bool) -> Records:
    """(row id in the unit, row id of its most similar neighbour, similarity), one row for each document."""
    sides = [(edges[:, 3], edges[:, 0], edges[:, 1], edges[:, 4])]
    if both:
        sides.append((edges[:, 1], edges[:, 2], edges[:, 3], edges[:, 4]))
    own, rank, other, similarity = (np.concatenate(columns) for columns in zip(*sides, strict=True))
    here = units_of(own) == unit
    own, rank, other, similarity = own[here], rank[here], other[here], similarity[here]
    order = np.lexsort((other, rank, -similarity.view(np.float64), own))
    own, other, similarity = own[order], other[order], similarity[order]
    first = np.ones(len(own), bool)
    first[1:] = own[1:] != own[:-1]
    return np.column_stack([own[first], other[first], similarity[first]])


def requests(unit: int, removed: Removals) -> Records:
    """What a unit must learn of the documents that its removals name; a signature where a similarity is unknown."""
    unknown = np.isnan(removed.similarity)
    wanted = np.concatenate([removed.survivor, removed.matched])
    signature = np.concatenate([(removed.survivor != removed.matched) | unknown, unknown])
    targets, inverse = np.unique(wanted, return_inverse=True)
    needed = np.zeros(len(targets), np.uint64)
    np.maximum.at(needed, inverse, signature.astype(np.uint64))
    return np.column_stack([targets, np.full(len(targets), unit, np.uint64), needed])
