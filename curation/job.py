"""A job: the inputs, the recipe and the settings of the output, which determine every byte of the output."""

import sys
from dataclasses import dataclass, field

from curation.recipe import Recipe
from curation.sources.inputs import Input
from curation.sources.reading import ReadingSettings
from curation.sources.storage import Options
from schemas.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Job:
    """The settings of a job.

    ``unit_bytes`` is the stored size of a unit of work, and so of an output shard (None: by the size of the input).
    ``limit`` reads only a sample of about this many documents, spread over the units. ``against`` are folders of
    earlier releases: duplicates of their documents are removed. A run fails if more than the share ``max_quarantined``
    of its input cannot be read, and, unless ``allow_unreadable``, if nothing can be read of a file. ``follow_links``
    also reads targets of links that leave an input's folder.
    """

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
"""A run never fails because of this many quarantined records or fewer, whatever their share."""


MOST_WORKERS = 1024
LEAST_MEMORY = 1_500_000_000
"""Minimum memory in bytes: two workers, the main process and their shared memory."""


@dataclass(frozen=True, kw_only=True)
class Execution:
    """How a job is run; these settings never change a byte of the output.

    ``workers`` is the number of processes of a local run (None: by the input's size, the machine's cores and memory),
    ``partitions`` the number of partitions of the shuffles (None: by the input's size). ``memory`` is the memory in
    bytes that the run may use: of all processes in a local run, of one worker on a cluster (None: the free memory).
    Up to ``links`` links between duplicates are held by one process, more are held in partitions (None: by the memory).
    ``beam_options`` are passed to Beam unchanged. ``storage`` are the options of remote file systems.
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
