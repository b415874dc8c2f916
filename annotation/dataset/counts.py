"""Counts that the ledgers of built and imported datasets share, and their sums."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, TypeVar


@dataclass
class SplitCounts:
    """The pairs of a batch or a file, and how many of them became comparisons of each split. Subclasses add further
    counts, also by reason."""

    pairs: int = 0
    train: int = 0
    held_out: int = 0

    @property
    def comparisons(self) -> int:
        return self.train + self.held_out

    def add(self, other: Self) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def as_json(self) -> dict[str, Any]:
        """All counts by name, also counts of 0."""
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()}


C = TypeVar("C", bound=SplitCounts)


def add_up(total: C, counts: Iterable[C]) -> C:
    """Adds each of the counts to ``total`` and returns it."""
    for each in counts:
        total.add(each)
    return total
