"""The place of a stream, in memory that the stream's process shares with the workers of its loaders."""

from contextlib import suppress

import torch

from schemas.reading import Place

MOST_WORKERS = 4096
"""The most workers of a loader: each has an entry in the shared memory."""


class SharedPlace:
    """The place of a stream, shared by its process and the workers of its loaders.

    Workers count the iterations: the first worker that begins an iteration adds 1, and the other workers of the
    iteration find its mark. So all workers of an iteration read the same epoch, even if some workers of an earlier
    iteration ended before they began.
    """

    def __init__(self) -> None:
        self._values = torch.zeros(3 + MOST_WORKERS, dtype=torch.int64)
        self._again = 0
        self.share()

    def share(self) -> None:
        """Moves the values into shared memory. Does nothing on a machine without shared memory, which cannot run
        workers."""
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
        """Sets the number of batches of the epoch that this process has read."""
        self._values[1] = step

    def begin(self, worker: int, seed: int) -> Place:
        """The place at which a worker begins an iteration. The workers of a loader share one ``seed``; persistent
        workers keep it in every iteration."""
        mark = (seed + self._again) & 0xFFFFFFFF
        self._again += 1
        counts = self._values[3:].clone()
        found = counts[(counts > 0) & (counts & 0xFFFFFFFF == mark)]
        count = int(found.max()) >> 32 if len(found) else (int(counts.max()) >> 32) + 1
        self._values[3 + worker] = count << 32 | mark
        epoch, step, seen = self._values[:3].tolist()
        return Place(epoch, step, seen) if count == 1 else Place(epoch + count - 1, 0)
