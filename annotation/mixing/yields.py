"""The contribution of one source to a mixture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SourceYield:
    """The contribution of a source. Sizes are in the recipe's unit.

    ``available``: rows that could be drawn; ``near_held_out``: rows that could not, because their prompts are near a
    held-out prompt; ``rows``: drawn rows, of which ``distinct`` are different; ``datasets``: drawn rows by dataset;
    ``short``: the limit on epochs keeps the source below its share.
    """

    name: str
    available: int
    near_held_out: int
    size: int
    asked: int
    taken: int
    rows: int
    distinct: int
    short: bool
    datasets: Mapping[str, int]

    @property
    def epochs(self) -> float:
        """The number of passes over the source."""
        return self.taken / self.size if self.size else 0.0

    def share(self, total: int) -> float:
        """The source's share of a mixture of size ``total``, from 0 to 1."""
        return self.taken / total if total else 0.0

    def as_json(self, total: int) -> dict[str, Any]:
        return {
            "name": self.name,
            "available": self.available,
            "near_held_out": self.near_held_out,
            "size": self.size,
            "asked": self.asked,
            "taken": self.taken,
            "share": self.share(total),
            "epochs": self.epochs,
            "rows": self.rows,
            "distinct": self.distinct,
            "short": self.short,
            "datasets": dict(self.datasets),
        }
