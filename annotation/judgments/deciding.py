"""The votes that decide on each pair: those of adjudicators if there are any, else all."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from annotation.judgments.policy import Policy
from annotation.judgments.snapshot import Snapshot
from annotation.protocols.scale import Scale

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Deciding:
    """The votes that decide: the index of the pair of each, and their rows of JUDGMENTS.

    ``pairs``: pair_id and votes of each pair that is not gold, in the snapshot's order. ``adjudicated`` has an entry
    for each pair.
    """

    pairs: pa.Table
    adjudicated: Flags
    pair: Ints
    judgments: pa.Table

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Deciding":
        """Raises ValueError if a judgment names an unknown pair, or a pair occurs twice."""
        pairs = snapshot.pairs.select(["pair_id", "votes"]).filter(pc.is_null(snapshot.pairs["gold"])).combine_chunks()
        if pc.count_distinct(snapshot.pairs["pair_id"]).as_py() != len(snapshot.pairs):
            raise ValueError(f"campaign {snapshot.name}: a pair occurs twice")
        judgments = snapshot.judgments
        if not pc.all(pc.is_in(judgments["pair_id"], value_set=snapshot.pairs["pair_id"]), min_count=0).as_py():
            raise ValueError(f"campaign {snapshot.name}: a judgment names an unknown pair")
        place = pc.index_in(judgments["pair_id"], value_set=pairs["pair_id"])
        judgments = judgments.filter(pc.is_valid(place))
        pair = place.drop_null().to_numpy().astype(np.int64)
        adjudicates = pc.equal(judgments["round"], "adjudication").to_numpy()
        adjudicated = np.zeros(len(pairs), bool)
        adjudicated[pair[adjudicates]] = True
        decides = adjudicates | ~adjudicated[pair]
        return cls(pairs, adjudicated, pair[decides], judgments.filter(pa.array(decides)))

    def needed(self, policy: Policy) -> Ints:
        """The fewest votes from which the policy derives a verdict on each pair; of adjudicators a single one."""
        return np.where(self.adjudicated, 1, votes_needed(self.pairs, policy))


def votes_needed(pairs: pa.Table, policy: Policy) -> Ints:
    """The fewest votes, at least 1, from which the policy derives a verdict on each pair that is not adjudicated."""
    asked: Ints = pairs["votes"].to_numpy().astype(np.int64)
    return np.maximum(asked if policy.min_votes is None else np.full(len(pairs), policy.min_votes), 1)


def points(judgments: pa.Table, scale: Scale) -> Ints:
    """The index of the point of the scale that each vote chose; first and second are as if the pair was not swapped."""
    known = pa.array([f"{point.prefers or ''} {point.degree}" for point in scale.points])
    prefers = pc.fill_null(judgments["prefers"], "")
    chosen = pc.binary_join_element_wise(prefers, judgments["degree"], " ")
    return pc.index_in(chosen, value_set=known).to_numpy().astype(np.int64)  # type: ignore[no-any-return]
