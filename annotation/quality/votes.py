"""Votes as arrays: the pair, the chosen response, the strength, and whether the chosen response was on the left."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from annotation.judgments.snapshot import Snapshot
from schemas import DEGREES

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SCALE = (-4.0, -3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0)
"""The points of a vote: negative if the first response is better, positive if the second is; 4 is significantly better,
1 negligibly better. There is no zero: annotators must choose a response."""


@dataclass(frozen=True)
class Votes:
    """An entry for each judgment. ``pair``: its index in ``Snapshot.pairs``. ``point``: its index in SCALE, 0 to 7."""

    table: pa.Table
    pair: Ints
    point: Ints

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Votes":
        judgments = snapshot.judgments
        pair = pc.index_in(judgments["pair_id"], value_set=snapshot.pairs["pair_id"]).to_numpy().astype(np.int64)
        weaker = pc.index_in(judgments["degree"], value_set=pa.array(DEGREES)).to_numpy().astype(np.int64)
        second = pc.equal(judgments["prefers"], "second").to_numpy()
        return cls(judgments, pair, np.where(second, 7 - weaker, weaker))

    def filter(self, kept: Flags) -> "Votes":
        return Votes(self.table.filter(pa.array(kept)), self.pair[kept], self.point[kept])

    def __len__(self) -> int:
        return len(self.pair)

    @property
    def second(self) -> Flags:
        """Whether the second response was chosen."""
        return self.point >= len(SCALE) // 2

    @property
    def strength(self) -> Ints:
        """The strength of each vote, from 0 (negligibly better) to 3 (significantly better)."""
        return np.where(self.second, self.point - 4, 3 - self.point)

    @property
    def left(self) -> Flags:
        """Whether the chosen response was on the left, as A."""
        swapped: Flags = self.table["swapped"].to_numpy()
        on_left: Flags = self.second == swapped
        return on_left

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
