"""The order in which one rank reads the rows of a dataset, epoch after epoch, and the state that resumes it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.division import Division, Even
from schemas.permutation import Permutation

STATE_VERSION = 1
_ROWS_AT_ONCE = 8192
"""Whose places are computed together."""


class StateError(ValueError):
    """A state that was saved is not one of this reading."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What rank ``rank`` of ``world`` reads of ``rows`` rows, in batches of ``batch``.

    ``shuffle``: None reads epoch 0 in the stored order, which the packer has shuffled already, and each later one in an
    order of its own, drawn from ``seed``; True draws epoch 0 too; False keeps the stored order in all. ``even``: what
    becomes of the last rows, see `division`. ``fingerprint`` tells the dataset from others.
    """

    fingerprint: str
    rows: int
    batch: int
    rank: int = 0
    world: int = 1
    seed: int = 0
    shuffle: bool | None = None
    even: Even = "none"

    def __len__(self) -> int:
        """Batches of this rank in an epoch."""
        return self._division.batches(self.rank)

    def batches(self, epoch: int, start: int = 0, every: int = 1) -> Iterator[npt.NDArray[np.int64]]:
        """The rows of the rank's batches ``start``, ``start + every`` and so on of the epoch: of shape (batch,) each,
        but the epoch's last may be shorter.

        >>> reading = Reading(fingerprint="", rows=7, batch=2, world=2, rank=1)
        >>> [rows.tolist() for rows in reading.batches(epoch=0)]
        [[2, 3], [6]]
        """
        shuffled = epoch > 0 if self.shuffle is None else self.shuffle
        order = Permutation(self.rows, self.seed, epoch) if shuffled else None
        steps = max(1, _ROWS_AT_ONCE // self.batch // every) * every
        for first in range(start, len(self), steps):
            places = self._division.positions(self.rank, first, first + steps)
            places = places[np.arange(len(places)) // self.batch % every == 0]
            rows = order(places) if order else places
            yield from (rows[begin : begin + self.batch] for begin in range(0, len(rows), self.batch))

    def state(self, epoch: int, step: int) -> dict[str, Any]:
        """What resumes before batch ``step`` of the epoch: plain values, equal on every rank that has read as much."""
        return {"version": STATE_VERSION, "epoch": epoch, "step": step, **self._settings}

    def place(self, state: Mapping[str, Any]) -> tuple[int, int]:
        """The (epoch, step) at which a state stands.

        Raises StateError for one of another dataset or other settings: its step would be another place.
        """
        if state.get("version") != STATE_VERSION:
            raise StateError(f"the state is of version {state.get('version')!r}, and {STATE_VERSION} can be read")
        epoch, step = state.get("epoch"), state.get("step")
        if type(epoch) is not int or type(step) is not int or epoch < 0 or step < 0:
            raise StateError(f"the state stands at epoch {epoch!r} and step {step!r}, which are no counts")
        for name, mine in self._settings.items():
            if state.get(name) != mine:
                raise StateError(
                    f"the state was saved with {name} {state.get(name)!r}, and this reads with {mine!r}: "
                    "resume with the dataset and the settings of before, or start anew without the state"
                )
        return epoch, step

    @cached_property
    def _division(self) -> Division:
        return Division(rows=self.rows, world=self.world, batch=self.batch, even=self.even)

    @property
    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("fingerprint", "seed", "shuffle", "batch", "world", "even")}
