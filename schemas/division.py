"""Which positions of an epoch each rank reads.

An epoch is an order of ``rows`` positions. ``world`` ranks read batches of ``batch`` rows. Global batch s is the
``world * batch`` positions from ``s * world * batch`` on: the first ``batch`` of them are rank 0's, the next rank 1's.
At the end fewer rows than a global batch remain, and ``even`` says what becomes of them:

- ``none``: they are divided in order, as evenly as can be. Each row is read exactly once. The last batch of a rank is
  short, that of some ranks by one row more than that of others, and where fewer rows remain than there are ranks, the
  last ranks have one batch less.
- ``pad``: each rank reads as many, the last ones beginning the epoch's order again. Fewer than ``world`` rows are read
  twice (where an epoch has at least ``world`` rows).
- ``drop``: each rank reads as many, and fewer than ``world`` rows of the epoch are not read.

The first ``seen`` positions may have been read before, by other ranks or in other batches: then the rest is divided so.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Even = Literal["none", "pad", "drop"]


@dataclass(frozen=True, kw_only=True)
class Division:
    """Raises ValueError for a number below 1 (``rows``, ``seen``: below 0) and an unknown ``even``.

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
            raise ValueError(f"{self.rows} rows, {self.world} ranks and batches of {self.batch}: they are counts")
        if self.even not in get_args(Even):
            raise ValueError(f"even is {self.even!r}: it is one of {', '.join(get_args(Even))}")

    def batches(self, rank: int) -> int:
        """How many batches the rank has in an epoch. Raises ValueError for a rank that is not one of ``world``."""
        return self._whole + (self._rest(rank)[1] > 0)

    def positions(self, rank: int, start: int, stop: int) -> npt.NDArray[np.int64]:
        """The positions of the rank's batches ``start`` to ``stop - 1``, one after the other; those that it does not
        have are none. Every batch has ``batch`` of them but the last one, which may have fewer."""
        first, count = self._rest(rank)
        steps = np.arange(start, min(stop, self._whole), dtype=np.int64)
        whole = self.seen + steps[:, None] * (self.world * self.batch) + rank * self.batch + np.arange(self.batch)
        rest = np.arange(first, first + count) if start <= self._whole < stop else np.arange(0)
        return np.concatenate([whole.reshape(-1), rest % max(1, self.rows)])

    def after(self, step: int) -> int:
        """How many positions of the epoch are read when each rank has read ``step`` batches, the ``seen`` ones among
        them."""
        return self.rows if step > self._whole else self.seen + step * self.world * self.batch

    @property
    def _whole(self) -> int:
        """Global batches that are full."""
        return (self.rows - self.seen) // (self.world * self.batch)

    def _rest(self, rank: int) -> tuple[int, int]:
        """The rank's first position after the full batches, and how many it has there. Beyond the last position the
        order begins again."""
        if not 0 <= rank < self.world:
            raise ValueError(f"rank {rank} of {self.world}: ranks count from 0")
        first = self.seen + self._whole * self.world * self.batch
        each, more = divmod(self.rows - first, self.world)
        if self.even == "none":
            return first + rank * each + min(rank, more), each + (rank < more)
        count = each + (self.even == "pad" and more > 0)
        return first + rank * count, count
