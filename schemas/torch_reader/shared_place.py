"""The place at which a stream stands, in memory that its process shares with the workers of its loaders."""

from contextlib import suppress

import torch

from schemas.reading import Place

MOST_WORKERS = 4096
"""Each of which has a place in the memory that a stream shares with its workers."""


class SharedPlace:
    """Where a stream stands, as its process and the workers of its loaders see it.

    Workers count the iterations that they begin: the first one of an iteration to begin adds one, the others find its
    mark. So all workers of an iteration read the same epoch, whichever of an earlier one had no time to begin.
    """

    def __init__(self) -> None:
        self._values = torch.zeros(3 + MOST_WORKERS, dtype=torch.int64)
        self._again = 0
        self.share()

    def share(self) -> None:
        """Into memory that workers share, as far as the machine has such memory: without it there are no workers."""
        with suppress(RuntimeError):
            self._values.share_memory_()

    @property
    def place(self) -> Place:
        epoch, step, seen = self._values[:3].tolist()
        begun = int(self._values[3:].max()) >> 32
        return Place(epoch + begun, 0) if begun else Place(epoch, step, seen)

    @place.setter
    def place(self, place: Place) -> None:
        self._values[:3] = torch.tensor(place)
        self._values[3:] = 0

    def count(self, step: int) -> None:
        """Notes how many batches of the epoch were read in this process."""
        self._values[1] = step

    def begin(self, worker: int, seed: int) -> Place:
        """The place at which a worker begins an iteration. Workers of one loader have one ``seed``; where they persist,
        they have it in each iteration."""
        mark = (seed + self._again) & 0xFFFFFFFF
        self._again += 1
        counts = self._values[3:].clone()
        found = counts[(counts > 0) & (counts & 0xFFFFFFFF == mark)]
        count = int(found.max()) >> 32 if len(found) else (int(counts.max()) >> 32) + 1
        self._values[3 + worker] = count << 32 | mark
        epoch, step, seen = self._values[:3].tolist()
        return Place(epoch, step, seen) if count == 1 else Place(epoch + count - 1, 0)
