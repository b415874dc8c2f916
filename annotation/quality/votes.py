"""Votes as arrays: the pair, the point of the scale, its outcome, and whether the left response was preferred."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from annotation.judgments.deciding import points
from annotation.judgments.snapshot import Snapshot
from annotation.protocols import PROTOCOLS
from annotation.protocols.scale import Scale
from annotation.statistics.shares import Share

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Votes:
    """An entry for each judgment. ``pair``: its index in ``Snapshot.pairs``. ``point``: its index in the points of the
    protocol's ``scale``, which ascend from "the first response is much better", or from the worst rating."""

    table: pa.Table
    pair: Ints
    point: Ints
    scale: Scale

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Votes":
        judgments, scale = snapshot.judgments, PROTOCOLS[snapshot.protocol].scale
        pair = pc.index_in(judgments["pair_id"], value_set=snapshot.pairs["pair_id"]).to_numpy().astype(np.int64)
        return cls(judgments, pair, points(judgments, scale), scale)

    def filter(self, kept: Flags) -> "Votes":
        return Votes(self.table.filter(pa.array(kept)), self.pair[kept], self.point[kept], self.scale)

    def with_column(self, name: str, values: pa.Array) -> "Votes":
        """The same votes, whose table has one more column."""
        return replace(self, table=self.table.append_column(name, values))

    def __len__(self) -> int:
        return len(self.pair)

    @property
    def outcome(self) -> Ints:
        """The place of each vote's outcome in ``scale.outcomes``."""
        return np.array(self.scale.outcome_of, np.int64)[self.point]

    @property
    def on_a_side(self) -> Flags:
        """Whether each vote prefers one of two responses."""
        return np.array([point.side is not None for point in self.scale.points])[self.point]

    @property
    def left(self) -> Flags:
        """Whether each vote prefers the response on the left, as A."""
        swapped: Flags = self.table["swapped"].to_numpy()
        second = np.array([point.side == "b" for point in self.scale.points])[self.point]
        on_left: Flags = self.on_a_side & (second == swapped)
        return on_left

    @property
    def left_share(self) -> Share:
        """How many of the votes that prefer one of two responses prefer the response on the left."""
        return Share(int(self.left.sum()), int(self.on_a_side.sum()))

    def matches(self, column: str, value: str) -> Flags:
        return pc.equal(self.table[column], value).to_numpy()  # type: ignore[no-any-return]

    def group_by(self, column: str) -> list[tuple[str, "Votes"]]:
        """The votes for each value of a column, sorted by value."""
        coded = self.table[column].combine_chunks().dictionary_encode()
        place = coded.indices.to_numpy()
        names = coded.dictionary.to_pylist()
        return [(name, self.filter(place == names.index(name))) for name in sorted(names)]


def gold_pairs(snapshot: Snapshot) -> Flags:
    """Whether each pair is gold: its better response is known."""
    return snapshot.pairs["gold"].is_valid().to_numpy()  # type: ignore[no-any-return]
