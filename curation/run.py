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
    units: int
    partitions: int
    local: bool = False
    """Whether what stages hand to one another lies in the folder, and not in the shuffles of Beam's runner."""
    documents_per_unit: tuple[int, ...] | None = None
    """With a limit, how many documents each unit may read."""

    def sketches(self, unit: int) -> tuple[Folder, str]:
        """The folder and the name of the shard with a unit's sketches."""
        return self.folder, shard_name("sketches", unit)

    def shuffled(self, stage: str, key: int) -> str:
        """What one call of a stage left for others, in a local run."""
        return f"{WORK}/shuffle/{self.partitions}/{stage}/{key:05d}"


def judged_name(unit: int) -> str:
    """The report of a unit that was read and judged."""
    return f"{WORK}/judged-{unit:05d}.json"


def linked_name(unit: int) -> str:
    """The report of a unit whose duplicates are known."""
    return f"{WORK}/linked-{unit:05d}.json"


def written_name(unit: int) -> str:
    """The report of a unit whose documents are written."""
    return f"{WORK}/written-{unit:05d}.json"


def passed_name(unit: int) -> str:
    """The documents of a unit that passed the filters, as Arrow IPC."""
    return f"{WORK}/passed-{unit:05d}.arrow"


def edges_name(unit: int) -> str:
    """The edges at a unit's documents, as Arrow IPC."""
    return f"{WORK}/edges-{unit:05d}.arrow"
