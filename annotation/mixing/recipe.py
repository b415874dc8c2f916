"""The recipe of a mixture: its sources and their shares."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.errors import UserError

Unit = Literal["rows", "tokens"]
WHERE = ("source", "batch", "protocol", "degree", "safety_bin", "chosen_model", "rejected_model")
"""The columns by which a source can select rows of its datasets."""


@dataclass(frozen=True, kw_only=True)
class MixSource:
    """Comparisons of one or several datasets, drawn uniformly. ``where``: the allowed values of columns in WHERE;
    ``share``: the weight in the mixture, relative to the other sources; ``max_epochs``: how often a comparison may be
    drawn; ``all``: take each comparison once, which sets the mixture's size."""

    name: str
    datasets: tuple[str, ...]
    share: float
    max_epochs: float = 1.0
    all: bool = False
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MixRecipe:
    """A recipe. ``unit``: the unit of shares and sizes; ``size``: the size of the mixture. Without it, a source with
    ``all`` sets it, or the mixture is as large as possible with no source below its share."""

    name: str
    source: tuple[MixSource, ...]
    seed: int = 0
    unit: Unit = "rows"
    size: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 1 << 63:
            raise UserError(f"seed is {self.seed}: give a whole number of 0 or more, below 2**63")
