"""One run: a job, its units and its folder; what every stage is given."""

from dataclasses import dataclass

from curation.folder import WORK, Folder
from curation.job import Job
from curation.shards import shard_name


@dataclass(frozen=True)
class Run:
    """Plain data, so that it travels to every worker."""

    job: Job
    folder: Folder
    partitions: int
    documents_per_unit: tuple[int, ...] | None = None
    """With a limit, how many documents each unit may read."""

    def sketches(self, unit: int) -> str:
        return shard_name("sketches", unit)


def judged_name(unit: int) -> str:
    """The report of a unit that was read and judged."""
    return f"{WORK}/judged-{unit:05d}.json"


def written_name(unit: int) -> str:
    """The report of a unit whose documents are written."""
    return f"{WORK}/written-{unit:05d}.json"


def passed_name(unit: int) -> str:
    """The documents of a unit that passed the filters, as Arrow IPC."""
    return f"{WORK}/passed-{unit:05d}.arrow"
