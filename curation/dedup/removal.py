"""Turns edges into removals: the removed documents of a unit, the stage, the survivor and the matched document."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from curation.dedup.edges import Records, rows_of, units_of

STAGES = ("url", "exact", "near")
REQUEST_WIDTH = 4
"""A request is (row id of a document that a removal names, requesting unit, 1 if its signature is needed, number of
documents of that unit that are removed for it as its near-duplicates or copies)."""


@dataclass(frozen=True)
class Removals:
    """The removed documents of one unit, sorted by row, in columns of equal length."""

    row: npt.NDArray[np.int64]
    stage: npt.NDArray[np.int64]
    """Index into STAGES."""
    survivor: Records
    matched: Records
    """Row ids."""
    similarity: npt.NDArray[np.float64]
    """Similarity to the matched document; NaN if not measured yet."""
    to_survivor: npt.NDArray[np.float64]
    """Similarity to the survivor; NaN if not measured yet."""


NONE_REMOVED = Removals(
    *(np.empty(0, kind) for kind in (np.int64, np.int64, np.uint64, np.uint64, np.float64, np.float64))  # type: ignore[arg-type]
)


def removals(
    unit: int, links: Records, edges: Mapping[str, Records], new_edges: Mapping[str, Records] | None = None
) -> Removals:
    """The removals of one unit. ``links`` are the unit's links of the forest, ``edges`` the edges at its documents by
    stage.

    A document that shares its url, or else its text, with a better document matched that document. Any other document
    matched its most similar neighbour (the better of equals). ``new_edges`` are edges of a released unit that the
    release's own run did not have; they take precedence over known edges. With them, the best document of a url or text
    also matched the others, since it can lose to another released document that is similar to one of the others.
    """
    links = links[np.argsort(links[:, 3])]
    ids = links[:, 3]
    count = len(ids)
    stage = np.full(count, STAGES.index("near"))
    matched = np.zeros(count, np.uint64)
    similarity = np.full(count, np.nan)
    every_end = new_edges is not None
    for part, name in product((edges, new_edges) if new_edges else (edges,), reversed(STAGES)):
        best = _best_neighbours(part[name], unit, both=every_end or name == "near")
        found = np.searchsorted(ids, best[:, 0])
        known = (found < count) & (ids[np.minimum(found, count - 1)] == best[:, 0]) if count else np.zeros(0, bool)
        at = found[known]
        stage[at] = STAGES.index(name)
        matched[at] = best[known, 1]
        similarity[at] = best[known, 2].view(np.float64)
    to_survivor = np.where(matched == links[:, 1], similarity, np.nan)
    return Removals(rows_of(ids), stage, links[:, 1], matched, similarity, to_survivor)


def _best_neighbours(edges: Records, unit: int, both: bool) -> Records:
    """Records (row id in the unit, row id of the most similar neighbour, similarity), one per document."""
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
    """Requests for the documents that a unit's removals name, with their signatures if a similarity is unknown."""
    unknown = np.isnan(removed.similarity)
    signed = unknown | np.isnan(removed.to_survivor)
    counted = removed.stage != STAGES.index("url")
    none = np.zeros(len(unknown), bool)
    wanted = np.concatenate([removed.survivor, removed.matched])
    targets, inverse = np.unique(wanted, return_inverse=True)
    needed, removals = np.zeros((2, len(targets)), np.uint64)
    np.maximum.at(needed, inverse, np.concatenate([signed, unknown]).astype(np.uint64))
    np.add.at(removals, inverse, np.concatenate([counted, none]).astype(np.uint64))
    return np.column_stack([targets, np.full(len(targets), unit, np.uint64), needed, removals])
