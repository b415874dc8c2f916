"""The order in which a rank reads the rows of a dataset, epoch after epoch, and the state from which it resumes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.division import Division, Even
from schemas.permutation import Permutation

STATE_VERSION = 2
"""Version 2 added ``seen``. States of version 1 can be read."""

_ROWS_AT_ONCE = 8192
"""The number of rows whose places are computed together."""


class StateError(ValueError):
    """A saved state does not belong to this reading."""


class Place(NamedTuple):
    """The place before batch ``step`` of the rank in an epoch. ``seen`` rows of the epoch were read before step 0, by
    another number of ranks or in batches of another size."""

    epoch: int
    step: int
    seen: int = 0


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The rows that rank ``rank`` of ``world`` reads, in batches of ``batch``.

    With ``shuffle=None``, epoch 0 has the stored order, which the packer has already shuffled, and each later epoch has
    its own order, drawn from ``seed``. True draws the order of epoch 0, too; False always keeps the stored order.
    ``even`` says how to divide the last rows, see `division`. ``fingerprint`` identifies the dataset.
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
        """The number of batches of this rank in an epoch."""
        return self._division.batches(self.rank)

    def batches(self, epoch: int, start: int = 0, every: int = 1, seen: int = 0) -> Iterator[npt.NDArray[np.int64]]:
        """The rows of the rank's batches ``start``, ``start + every`` and so on of the epoch, each of shape (batch,);
        the last batch of the epoch may be shorter. The first ``seen`` rows of the epoch are skipped, see `Place`.

        >>> reading = Reading(fingerprint="", rows=7, batch=2, world=2, rank=1)
        >>> [rows.tolist() for rows in reading.batches(epoch=0)]
        [[2, 3], [6]]
        """
        shuffled = epoch > 0 if self.shuffle is None else self.shuffle
        order = Permutation(self.rows, self.seed, epoch) if shuffled else None
        steps = max(1, _ROWS_AT_ONCE // self.batch // every) * every
        division = self._division if not seen else replace(self._division, seen=seen)
        for first in range(start, division.batches(self.rank), steps):
            places = division.positions(self.rank, first, first + steps)
            places = places[np.arange(len(places)) // self.batch % every == 0]
            rows = order(places) if order else places
            yield from (rows[begin : begin + self.batch] for begin in range(0, len(rows), self.batch))

    def state(self, epoch: int, step: int, seen: int = 0) -> dict[str, Any]:
        """The state that resumes before batch ``step`` of the epoch, as plain values. Ranks that have read equally many
        batches have equal states."""
        return {"version": STATE_VERSION, "epoch": epoch, "step": step, "seen": seen, **self._settings}

    def place(self, state: Mapping[str, Any]) -> Place:
        """The place that a state describes.

        If the state has another number of ranks or another batch size, the rest of its epoch is divided again: rows
        that any rank has read are not read a second time. Every rank must load the same state. Raises StateError for a
        state of another dataset, seed or shuffle, in which the same step means another place.
        """
        if state.get("version") not in (1, STATE_VERSION):
            raise StateError(f"the state has version {state.get('version')!r}: this reader knows up to {STATE_VERSION}")
        place = Place(*(state.get(name, 0 if name == "seen" else None) for name in Place._fields))
        if any(type(count) is not int or count < 0 for count in place) or place.seen > self.rows:
            raise StateError(
                f"the state has epoch {place.epoch!r}, step {place.step!r} and {place.seen!r} rows seen, which are not "
                "valid counts"
            )
        for name in ("fingerprint", "seed", "shuffle"):
            if state.get(name) != getattr(self, name):
                raise StateError(
                    f"the state was saved with {name} {state.get(name)!r}, but this reader has "
                    f"{getattr(self, name)!r}: resume with the same dataset and settings, or start without the state"
                )
        if all(state.get(name) == getattr(self, name) for name in ("batch", "world", "even")):
            return place
        return self._divide_rest(state, place)

    def _divide_rest(self, state: Mapping[str, Any], place: Place) -> Place:
        try:
            before = Division(
                rows=self.rows, world=state["world"], batch=state["batch"], even=state["even"], seen=place.seen
            )
        except (KeyError, TypeError, ValueError) as error:
            raise StateError(
                f"the state does not say how the rows were divided: start without the state ({error})"
            ) from error
        seen = before.after(place.step)
        return Place(place.epoch, 0, seen) if seen < self.rows else Place(place.epoch + 1, 0)

    @cached_property
    def _division(self) -> Division:
        return Division(rows=self.rows, world=self.world, batch=self.batch, even=self.even)

    @property
    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("fingerprint", "seed", "shuffle", "batch", "world", "even")}
