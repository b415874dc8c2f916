"""Forecasts the cost of a job from the size of its input, stage by stage, with constants measured on one machine.

The work of a stage grows with the bytes of text (reading, judging, writing) or with the number of documents (stages
that move hashes and row ids). The shares of rejected documents and of duplicates are those of the corpus on which the
constants were measured.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from curation.dedup.edges import ROW_BITS
from curation.engine.budget import PARTITION_BYTES, SORTED_BYTES, WORKER_BYTES, partition_bytes, partitions
from curation.engine.planning import LARGEST_UNIT
from schemas.errors import UserError
from schemas.toml_file import parse_toml, read_toml

CONSTANTS = "constants.toml"
LARGEST_CONSTANT = 1e100
"""Larger constants are mistakes."""
MOST_UNITS = 1 << (64 - int(ROW_BITS))
"""The number of units that fit into a row id."""
STORED_SHARE = 0.37
"""Bytes after gzip for each byte of JSON lines."""
SPREAD = {"url-keys": 32, "text-keys": 32, "bands": 12}
"""The stages that spread records over the partitions, with the bytes of a record. Records that go to one partition
together make one blob: with more partitions there are more and smaller blobs, down to single records."""
READ_TOGETHER = 50_000
"""How many documents these stages read at once: a row group of sketches."""
BLOB_SECONDS, BLOB_SHUFFLED, BLOB_BYTES = 6.5e-6, 16, 160
"""The cost of a blob, measured with 32 to 23 million partitions: CPU seconds to make and to read it (counted for the
stage that makes it; the cost in a runner is not known), bytes that it adds to the shuffle, and memory of the worker
that makes it."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """CPU seconds for each GB (10**9 bytes) of text and for each million documents; bytes that the stage passes on for
    each document read."""

    name: str
    per_gb: float = 0.0
    per_million: float = 0.0
    shuffled: float = 0.0

    def cpu_seconds(self, documents: float, text: float) -> float:
        return self.per_gb * text / 1e9 + self.per_million * documents / 1e6


@dataclass(frozen=True, kw_only=True)
class Constants:
    """``start``: CPU seconds of a command before and after its stages; ``links``: links between duplicates for each
    document."""

    start: float
    links: float
    stages: tuple[Stage, ...]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The cost of a job with ``documents`` documents and ``text`` bytes of text."""

    documents: float
    text: float
    constants: Constants
    workers: int
    memory: int
    """Bytes for each worker."""

    @property
    def cpu_seconds(self) -> float:
        return self.constants.start + sum(map(self.cpu_seconds_of, self.constants.stages))

    def cpu_seconds_of(self, stage: Stage) -> float:
        return stage.cpu_seconds(self.documents, self.text) + BLOB_SECONDS * self.blobs_of(stage)

    @property
    def shuffled_bytes(self) -> float:
        return sum(map(self.shuffled_bytes_of, self.constants.stages))

    def shuffled_bytes_of(self, stage: Stage) -> float:
        return stage.shuffled * self.documents + BLOB_SHUFFLED * self.blobs_of(stage)

    def blobs_of(self, stage: Stage) -> float:
        """How many blobs a stage spreads over the partitions, if records go to partitions at random."""
        if stage.name not in SPREAD:
            return 0.0
        records = stage.shuffled * self.documents / SPREAD[stage.name]
        places = max(self.units, self.documents / READ_TOGETHER) * self.partitions
        return -places * math.expm1(-records / places)

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
        return partitions(self.stored_bytes, self.memory)

    @property
    def worker_bytes(self) -> int:
        """The peak memory of a worker that sorts a partition, or makes all blobs of a unit."""
        blobs = max(map(self.blobs_of, self.constants.stages)) / self.units
        sorting = SORTED_BYTES * (partition_bytes(self.memory) - PARTITION_BYTES)
        return WORKER_BYTES + max(sorting, int(BLOB_BYTES * blobs))

    @property
    def seconds(self) -> float:
        """The duration if all workers are always busy."""
        return self.cpu_seconds / self.workers


def load(recipe: str, path: Path | None = None) -> Constants:
    """The constants of a recipe. Raises UserError if the file is invalid or has no constants for the recipe."""
    ours = files("curation.reports").joinpath(CONSTANTS)
    table = parse_toml(ours.read_text(encoding="utf-8"), CONSTANTS) if path is None else read_toml(path)
    try:
        measured = _constants(table)
    except ValueError as error:
        raise UserError(f"{path} holds no constants ({error}): measure them with make bench CONSTANTS=FILE") from error
    if recipe not in measured:
        raise UserError(
            f"no constants were measured for the recipe {recipe!r}: choose from {', '.join(sorted(measured))}"
        )
    return measured[recipe]


def _constants(found: Mapping[str, Any]) -> dict[str, Constants]:
    """The constants by recipe. Raises ValueError for anything that is missing, unknown or not a number."""
    start, links = _number(found, "start"), _number(found, "links")
    return {
        recipe: Constants(
            start=start,
            links=links,
            stages=tuple(_stage(name, _table(stages, name)) for name in stages),
        )
        for recipe in _table(found, "recipes")
        if (stages := _table(found["recipes"], recipe))
    }


def _stage(name: str, values: Mapping[str, Any]) -> Stage:
    unknown = values.keys() - {"per_gb", "per_million", "shuffled"}
    if unknown:
        raise ValueError(f"{name}.{min(unknown)} is unknown")
    return Stage(name=name, **{each: _number(values, each) for each in values})


def _table(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    if not isinstance(found.get(name), dict):
        raise ValueError(f"{name} is not a table")
    return found[name]  # type: ignore[no-any-return]


def _number(found: Mapping[str, Any], name: str) -> float:
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < LARGEST_CONSTANT:
        raise ValueError(f"{name} is {'missing' if value is None else value}, give a number of 0 or more")
    return float(value)
