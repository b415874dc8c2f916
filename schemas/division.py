"""Divides the positions of an epoch among ranks.

An epoch is an order of ``rows`` positions. ``world`` ranks read batches of ``batch`` rows. Global batch s is the
``world * batch`` positions from ``s * world * batch`` on: the first ``batch`` of them belong to rank 0, the next to
rank 1. Fewer rows than a global batch remain at the end; ``even`` says how to divide the remaining rows:

- ``none``: in order and as evenly as possible. Each row is read exactly once. The last batch of each rank is short, and
  some ranks have one row more than others. If fewer rows remain than there are ranks, the last ranks have one batch
  less.
- ``pad``: each rank reads the same number of rows, and the last ranks start the epoch's order again. Fewer than
  ``world`` rows are read twice (if an epoch has at least ``world`` rows).
- ``drop``: each rank reads the same number of rows, and fewer than ``world`` rows of the epoch are not read.

If the first ``seen`` positions were read before, by other ranks or in other batches, the rest is divided in this way.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Even = Literal["none", "pad", "drop"]


@dataclass(frozen=True, kw_only=True)
class Division:
    """The division of one epoch. Raises ValueError for a number below 1 (``rows``, ``seen``: below 0) and an unknown
    ``even``.

    >>> division = Division(rows=11, world=2, batch=2, even="none")
    >>> [division.positions(rank, 0, division.batches(rank)).tolist() for rank in (0, 1)]
    [[0, 1, 4, 5, 8, 9], [2, 3, 6, 7, 10]]
    """

    rows: int
    world: int
    batch: int
    even: Even = "none"
    seen: int = 0

    def __post_init__(self) -> None:
        if self.rows < 0 or self.world < 1 or self.batch < 1 or not 0 <= self.seen <= self.rows:
            raise ValueError(f"{self.rows} rows, {self.world} ranks and batches of {self.batch}: invalid counts")
        if self.even not in get_args(Even):
            raise ValueError(f"even is {self.even!r}: give one of {', '.join(get_args(Even))}")

    def batches(self, rank: int) -> int:
        """The number of batches of the rank in an epoch. Raises ValueError unless 0 <= rank < world."""
        return self._whole + (self._rest(rank)[1] > 0)

    def positions(self, rank: int, start: int, stop: int) -> npt.NDArray[np.int64]:
        """The positions of the rank's batches ``start`` to ``stop - 1``, concatenated; batches beyond the rank's last
        add nothing. Every batch has ``batch`` positions, except that the last may have fewer."""
        first, count = self._rest(rank)
        steps = np.arange(start, min(stop, self._whole), dtype=np.int64)
        whole = self.seen + steps[:, None] * (self.world * self.batch) + rank * self.batch + np.arange(self.batch)
        rest = np.arange(first, first + count) if start <= self._whole < stop else np.arange(0)
        return np.concatenate([whole.reshape(-1), rest % max(1, self.rows)])

    def after(self, step: int) -> int:
        """The number of positions of the epoch, including ``seen``, that are read after ``step`` batches per rank."""
        return self.rows if step > self._whole else self.seen + step * self.world * self.batch

    @property
    def _whole(self) -> int:
        """The number of full global batches."""
        return (self.rows - self.seen) // (self.world * self.batch)

    def _rest(self, rank: int) -> tuple[int, int]:
        """(first, count) of the rank's positions after the full batches. Positions of ``rows`` and more mean the order
        from its start again."""
        if not 0 <= rank < self.world:
            raise ValueError(f"rank {rank} of {self.world}: ranks count from 0")
        first = self.seen + self._whole * self.world * self.batch
        each, more = divmod(self.rows - first, self.world)
        if self.even == "none":
            return first + rank * each + min(rank, more), each + (rank < more)
        count = each + (self.even == "pad" and more > 0)
        return first + rank * count, count
