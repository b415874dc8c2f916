"""What a job costs by the size of its input: a line for each stage, from constants measured on one machine.

The work of a stage grows with the bytes of text (reading, judging, writing) or with the documents (all that moves
hashes and row ids). The shares of rejected documents and of duplicates are those of the corpus on which the constants
were measured.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from curation.budget import WORKER_BYTES, budget
from curation.dedup.edges import ROW_BITS
from curation.driver import LARGEST_UNIT
from curation.errors import UserError

CONSTANTS = "constants.toml"
MOST_UNITS = 1 << (64 - int(ROW_BITS))
"""A row id has room for so many units."""
STORED_SHARE = 0.37
"""Bytes that gzip leaves of a byte of JSON lines."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """CPU seconds a GB (10**9 bytes) of text and a million documents; bytes that it hands on for each document read."""

    name: str
    per_gb: float = 0.0
    per_million: float = 0.0
    shuffled: float = 0.0

    def cpu_seconds(self, documents: float, text: float) -> float:
        return self.per_gb * text / 1e9 + self.per_million * documents / 1e6


@dataclass(frozen=True, kw_only=True)
class Constants:
    """``start`` are the CPU seconds of a command before and after its stages, ``links`` those a document."""

    start: float
    links: float
    stages: tuple[Stage, ...]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """What a job of so many documents and bytes of text takes."""

    documents: float
    text: float
    constants: Constants
    workers: int
    memory: int
    """Bytes for each worker."""

    @property
    def cpu_seconds(self) -> float:
        of_stages = sum(stage.cpu_seconds(self.documents, self.text) for stage in self.constants.stages)
        return self.constants.start + of_stages

    @property
    def shuffled_bytes(self) -> float:
        return sum(stage.shuffled for stage in self.constants.stages) * self.documents

    @property
    def stored_bytes(self) -> int:
        return int(self.text * STORED_SHARE)

    @property
    def unit_bytes(self) -> int:
        """Stored bytes of a unit."""
        return max(LARGEST_UNIT, -(-self.stored_bytes // MOST_UNITS))

    @property
    def units(self) -> int:
        return max(1, -(-self.stored_bytes // self.unit_bytes))

    @property
    def partitions(self) -> int:
        return budget(self.stored_bytes, self.units, self.memory).partitions

    @property
    def worker_bytes(self) -> int:
        return WORKER_BYTES

    @property
    def seconds(self) -> float:
        """With all workers busy."""
        return self.cpu_seconds / self.workers


def load(recipe: str, path: Path | None = None) -> Constants:
    """The constants of a recipe; raises UserError where they were not measured."""
    try:
        text = files("jobs").joinpath(CONSTANTS).read_text() if path is None else path.read_text(encoding="utf-8")
        found = tomllib.loads(text)
        recipes: Mapping[str, Mapping[str, Mapping[str, float]]] = found["recipes"]
        start, links = float(found["start"]), float(found["links"])
    except (OSError, KeyError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(
            f"{path} holds no constants ({error}): have them measured by make bench CONSTANTS=FILE"
        ) from error
    if recipe not in recipes:
        raise UserError(
            f"no constants were measured for the recipe {recipe!r}: choose from {', '.join(sorted(recipes))}"
        )
    stages = tuple(Stage(name=name, **values) for name, values in recipes[recipe].items())
    return Constants(start=start, links=links, stages=stages)
