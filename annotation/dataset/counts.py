"""What the ledgers of datasets have in common: counts by place, and their sums."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self, TypeVar


@dataclass
class SplitCounts:
    """Of a batch or a file: its pairs, and how many of these became comparisons of each split. What else a ledger
    counts, by reason too, is in fields of its own."""

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
        """All counts, also those that are 0."""
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()}


C = TypeVar("C", bound=SplitCounts)


def add_up(total: C, counts: Iterable[C]) -> C:
    """``total`` after each of the counts was added to it."""
    for each in counts:
        total.add(each)
    return total
