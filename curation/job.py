"""A job: what is read, by which recipe it is judged, what is written. Everything in it decides the output's bytes."""

import sys
from dataclasses import dataclass, field

from curation.recipe import Recipe
from curation.sources.inputs import Input
from curation.sources.reading import ReadingSettings
from curation.sources.storage import Options
from schemas.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Job:
    """``unit_bytes`` is the stored size of a unit of work and so of an output shard (None: by the size of the input);
    ``limit`` reads a sample of about so many documents, spread over the units; ``against`` are folders of earlier
    releases, of whose documents no duplicate is kept. A run fails where more than the share ``max_quarantined`` of its
    input cannot be read, and, unless ``allow_unreadable``, where nothing can be read of a file. ``follow_links`` reads
    what lies behind links that leave an input's folder."""

    inputs: tuple[Input, ...]
    recipe: Recipe
    reading: ReadingSettings = field(default_factory=ReadingSettings)
    unit_bytes: int | None = None
    limit: int | None = None
    rejects_text: bool = True
    max_quarantined: float = 0.01
    allow_unreadable: bool = False
    follow_links: bool = False
    against: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.unit_bytes is not None and self.unit_bytes < 1:
            raise UserError(f"unit_bytes is {self.unit_bytes}: give at least 1")
        if not 0 <= self.max_quarantined <= 1:
            raise UserError(f"max_quarantined is {self.max_quarantined}: give a share between 0 and 1")
        if self.limit is not None and self.limit < 1:
            raise UserError(f"limit is {self.limit}: give at least 1")


ALWAYS_TOLERATED = 100
"""So many quarantined records never fail a run, whatever their share."""


MOST_WORKERS = 1024
LEAST_MEMORY = 1_500_000_000
"""Bytes: two workers, the main process and what they share."""


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How a job runs here: nothing of it changes a byte of the output.

    ``workers`` are the processes of a local run (None: by the input's size, the machine's cores and memory),
    ``partitions`` those of the shuffles (None: by the input's size); ``memory`` is what the run may use, in bytes: of
    all its processes in a local run, of one worker on a cluster (None: what is free); ``links`` between duplicates are
    held by one process at most, and by partitions where there are more (None: by the memory); ``beam_options`` are
    passed to Beam as they are; with the options ``storage`` remote file systems are opened.
    """

    workers: int | None = None
    partitions: int | None = None
    memory: int | None = None
    links: int | None = None
    beam_options: tuple[str, ...] = ()
    storage: Options = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if sys.flags.optimize > 1:
            raise UserError("Apache Beam does not load without docstrings: run without python -OO or PYTHONOPTIMIZE=2")
        if self.partitions is not None and self.partitions < 1:
            raise UserError(f"partitions is {self.partitions}: give at least 1")
        if self.memory is not None and self.memory < LEAST_MEMORY:
            raise UserError(f"memory is {self.memory / 1e9:.2f} GB: give at least {LEAST_MEMORY / 1e9:g} GB")
        if self.workers is not None and not 0 <= self.workers <= MOST_WORKERS:
            raise UserError(f"workers is {self.workers}: give 0 to {MOST_WORKERS:,}")
