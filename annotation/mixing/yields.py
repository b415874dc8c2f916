"""What one source really gives to a mixture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SourceYield:
    """Sizes are in the recipe's unit. ``available`` and ``near_held_out`` are rows that could be drawn, and that could
    not because their prompts are near a held-out one; ``rows`` were drawn, ``distinct`` of them different;
    ``datasets``: the rows that each dataset gave. ``short``: the cap on epochs holds the source below its share."""

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
        """How often the source is gone through."""
        return self.taken / self.size if self.size else 0.0

    def share(self, total: int) -> float:
        """Of a mixture of that size."""
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
