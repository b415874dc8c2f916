"""The plan of a job: its sorted files, the units of work made of them, and how many workers and partitions to use."""

from collections import Counter
from dataclasses import dataclass, field

from curation.engine.beam_options import check_options, is_local
from curation.engine.budget import budget, partitions
from curation.engine.capacity import check_fits, check_units
from curation.engine.manifest import plain
from curation.job import Execution, Job
from curation.release.opening import Release, open_releases
from curation.sources.inputs import InputFile, Unit
from curation.sources.listing import list_input
from curation.sources.recognised import check_formats
from curation.sources.units import plan_units

SMALL_INPUT = 1 << 20
"""Below this many stored bytes, worker processes cost more time than they save."""
SMALLEST_UNIT, LARGEST_UNIT, UNITS = 2 << 20, 64 << 20, 32
"""An input is cut into about UNITS units of SMALLEST_UNIT to LARGEST_UNIT stored bytes."""


@dataclass(frozen=True)
class JobPlan:
    """What a job will read: the sorted files and the units made of them, and the releases that it is deduplicated
    against."""

    files: tuple[InputFile, ...]
    units: tuple[Unit, ...]
    unit_bytes: int
    releases: tuple[Release, ...] = ()
    skipped: tuple[str, ...] = ()
    """Matches of the input that are not files: FIFOs, devices, links that leave the input."""
    unmatched: tuple[str, ...] = ()
    """Patterns from the braces of an input that match nothing."""
    stored_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stored_bytes", sum(file.size for file in self.files))

    def workers(self, execution: Execution) -> int:
        """The number of worker processes, see `workers_for`."""
        return workers_for(execution, self.compared_bytes, len(self.units))

    def partitions(self, execution: Execution) -> int:
        if execution.partitions is not None:
            return execution.partitions
        if not is_local(execution.beam_options):
            return partitions(self.compared_bytes, execution.memory)
        return budget(self.compared_bytes, len(self.units), execution.memory).partitions

    @property
    def sizes(self) -> tuple[int, ...]:
        """The stored bytes of each unit; a range of row groups counts with its share of the file."""
        whole: Counter[str] = Counter()
        for unit in self.units:
            for span in unit.spans:
                whole[span.file.path] += span.length
        return tuple(
            sum(span.file.size * span.length // max(whole[span.file.path], 1) for span in unit.spans)
            for unit in self.units
        )

    @property
    def compared_bytes(self) -> int:
        """The stored bytes of all documents that are compared, including those of releases."""
        return self.stored_bytes + sum(release.stored_bytes for release in self.releases)


def workers_for(execution: Execution, stored_bytes: int, units: int) -> int:
    """The number of worker processes: as requested, else as many as the budget allows, and 0 for a small input."""
    if execution.workers is not None:
        return execution.workers
    return 0 if stored_bytes < SMALL_INPUT or units < 2 else budget(stored_bytes, units, execution.memory).workers


def plan_job(job: Job) -> JobPlan:
    """The plan of a job, which depends only on the listing of its input, so that it is equal on every runner. Raises
    UserError if the input cannot be read, or if a release cannot be used."""
    listing = list_input(job.inputs, job.follow_links)
    check_formats(listing.files)
    share = sum(file.size for file in listing.files) // UNITS
    unit_bytes = job.unit_bytes or min(max(share, SMALLEST_UNIT), LARGEST_UNIT)
    check_units([file.size for file in listing.files], unit_bytes)
    releases = open_releases(job.against, plain(job.recipe))
    units = tuple(plan_units(listing.files, unit_bytes))
    return JobPlan(listing.files, units, unit_bytes, releases, listing.skipped, listing.unmatched)


def plan_and_check(job: Job, execution: Execution) -> JobPlan:
    """The plan of a job. Raises UserError for options of Beam that are wrong on any runner, and if the job needs more
    memory than it may use."""
    if execution.beam_options:
        check_options(execution.beam_options, ask_server=False)
    planned = plan_job(job)
    shares = planned.workers(execution), planned.partitions(execution)
    check_fits(job, execution, *shares, planned.compared_bytes)
    return planned
