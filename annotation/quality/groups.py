"""Agreement of annotators over all pairs, and by degree, batch and pair of models."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.judgments.measuring import middle
from annotation.judgments.snapshot import Snapshot
from annotation.protocols.scale import Scale
from annotation.quality.agreement import Estimate, Ratings, gwet, krippendorff
from annotation.quality.votes import Flags, Ints, Votes, gold_pairs


@dataclass(frozen=True)
class Agreement:
    """The agreement of annotators on a group of pairs, with the numbers of pairs and votes.

    ``preferred``: AC1 on the outcome: which response is better (or neither), or whether a single response is a
    violation. ``vote``: AC2 with ordinal weights on the points of the protocol's scale.
    ``alpha``: Krippendorff's ordinal alpha on the same points. ``safety``: AC1 on safe or unsafe; a unit is a response.
    """

    pairs: int
    votes: int
    preferred: Estimate
    vote: Estimate
    alpha: Estimate
    safety: Estimate


@dataclass(frozen=True)
class Agreements:
    """Agreement over all pairs and by group.

    ``by_degree`` groups pairs by the median degree of all their votes, for either response; of two middle degrees, the
    weaker (or worse). The keys of ``by_models`` are sorted names, ``"alpha / beta"``.
    """

    overall: Agreement
    by_degree: Mapping[str, Agreement] = field(default_factory=dict)
    by_batch: Mapping[str, Agreement] = field(default_factory=dict)
    by_models: Mapping[str, Agreement] = field(default_factory=dict)


def agreements(snapshot: Snapshot) -> Agreements:
    """Agreement on pairs that are not gold. Adjudicating votes do not count: adjudicators know of the dispute."""
    votes = Votes.of(snapshot)
    votes = votes.filter(votes.matches("round", "vote") & ~gold_pairs(snapshot)[votes.pair])
    counts = _Counts.of(votes, len(snapshot.pairs))
    return Agreements(
        counts.agreement(np.ones(len(snapshot.pairs), bool)),
        counts.by_group(_median_strengths(counts.points, votes.scale), list(votes.scale.degrees[::-1])),
        counts.by_group(*encode(snapshot.pairs["batch"])),
        counts.by_group(*encode(model_pairs(snapshot.pairs["first_model"], snapshot.pairs["second_model"]))),
    )


def model_pairs(first: pa.ChunkedArray, second: pa.ChunkedArray) -> pa.ChunkedArray:
    """The two names in sorted order, ``"alpha / beta"``; null if either name is null."""
    swapped = pc.greater(first, second)
    return pc.binary_join_element_wise(
        pc.if_else(swapped, second, first), pc.if_else(swapped, first, second), pa.scalar(" / ")
    )


@dataclass(frozen=True)
class _Counts:
    """How often each point was given to each pair, and how often each response was called (unsafe, safe)."""

    points: Ints
    flags: tuple[Ints, Ints]
    scale: Scale

    @classmethod
    def of(cls, votes: Votes, pairs: int) -> "_Counts":
        size = len(votes.scale.points)
        points = np.bincount(votes.pair * size + votes.point, minlength=pairs * size).reshape(-1, size)
        first, second = (_flags(votes, name, pairs) for name in ("first_safe", "second_safe"))
        return cls(points, (first, second), votes.scale)

    def agreement(self, kept: Flags) -> Agreement:
        points, outcomes = self.points[kept], len(self.scale.outcomes)
        ratings = Ratings.of_counts(points, self.scale.values)
        preferred = Ratings.of_counts(
            points @ np.eye(outcomes, dtype=np.int64)[list(self.scale.outcome_of)], range(outcomes)
        )
        safety = Ratings.of_counts(np.concatenate([flags[kept] for flags in self.flags]), (0, 1))
        return Agreement(
            int((points.sum(axis=1) > 0).sum()),
            int(points.sum()),
            gwet(preferred),
            gwet(ratings, "ordinal"),
            krippendorff(ratings, "ordinal"),
            gwet(safety),
        )

    def by_group(self, group: Ints, names: list[str]) -> dict[str, Agreement]:
        """The agreement in each group that has votes. ``group`` is the number of each pair's group; pairs with -1 are
        left out."""
        found = {name: self.agreement(group == number) for number, name in enumerate(names)}
        return {name: agreement for name, agreement in found.items() if agreement.votes}


def _flags(votes: Votes, name: str, pairs: int) -> Ints:
    flag = votes.table[name]
    answered = flag.is_valid().to_numpy()
    safe = flag.fill_null(False).to_numpy()
    return np.bincount((votes.pair * 2 + safe)[answered], minlength=pairs * 2).reshape(-1, 2)


def _median_strengths(points: Ints, scale: Scale) -> Ints:
    """The lower median of the strengths of each pair's votes; -1 for a pair without votes."""
    strengths = points @ np.eye(len(scale.degrees), dtype=np.int64)[list(scale.strengths)]
    return np.where(strengths.any(axis=1), middle(strengths)[0], -1)


def encode(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """Encodes a column: an index for each entry (-1 for null), and the sorted distinct values."""
    names = pc.unique(column).drop_null().sort()
    places = pc.index_in(column, value_set=names).fill_null(-1).to_numpy()
    return np.where(column.is_null().to_numpy(), -1, places), names.to_pylist()
