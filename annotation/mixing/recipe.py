"""What a mixture is asked to be."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.errors import UserError

Unit = Literal["rows", "tokens"]
WHERE = ("source", "batch", "protocol", "degree", "safety_bin", "chosen_model", "rejected_model")
"""The columns by which a source can be told apart from others in the same dataset."""


@dataclass(frozen=True, kw_only=True)
class MixSource:
    """Comparisons of one or several datasets, drawn uniformly. ``where``: the values that a column may have (of WHERE);
    ``share`` is of the whole mixture, beside the other sources' shares; ``max_epochs``: how often a comparison may be
    in it; ``all``: each of them once, which sets the mixture's size."""

    name: str
    datasets: tuple[str, ...]
    share: float
    max_epochs: float = 1.0
    all: bool = False
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MixRecipe:
    """A mixture's sources. ``unit``: what shares and sizes are counted in; ``size``: the whole, unless a source sets it
    or it is to be the largest one for which no source is short."""

    name: str
    source: tuple[MixSource, ...]
    seed: int = 0
    unit: Unit = "rows"
    size: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 1 << 63:
            raise UserError(f"seed is {self.seed}: give a whole number of 0 or more, below 2**63")
