"""One run: a job, its units and its folder; what every stage is given."""

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from curation.job import Job
from curation.release.folder import WORK, Folder
from curation.release.opening import Release
from curation.release.shards import shard_name
from curation.sources.storage import Options


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
    releases: tuple[Release, ...] = ()
    """What is deduplicated against, earlier ones first. The stages number all units: those of the releases in their
    order, then the run's own."""

    taken_from: Release | None = None
    """The release whose documents are read again, without those that are taken down."""

    lists: dict[str, str] = field(default_factory=dict)
    """The files of the recipe's lists when the run began, each with the SHA-256 of its entries."""

    storage: Options = field(default_factory=dict, repr=False)
    """What remote file systems are opened with."""

    stars: int | None = None
    """Where the links were too many for one process: how many rounds of stars went over them."""

    @cached_property
    def firsts(self) -> tuple[int, ...]:
        """The number of the first unit of each release, and last that of the run's first own unit."""
        return tuple(accumulate((release.units for release in self.releases), initial=0))

    @property
    def first(self) -> int:
        return self.firsts[-1]

    @property
    def all_units(self) -> int:
        return self.first + self.units

    def released(self, unit: int) -> tuple[Release, int]:
        """The release to which a unit below ``first`` belongs, and its number there."""
        index = bisect_right(self.firsts, unit) - 1
        return self.releases[index], unit - self.firsts[index]

    def sketches(self, unit: int) -> tuple[Folder, str]:
        """The folder and the name of the shard with a unit's sketches."""
        if unit >= self.first:
            return self.folder, shard_name("sketches", unit - self.first)
        release, number = self.released(unit)
        return release.folder, shard_name("sketches", number)

    def shuffled(self, stage: str, key: int) -> str:
        """What one call of a stage left for others, in a local run."""
        return f"{WORK}/shuffle/{self.partitions}/{stage}/{key:05d}"

    def star(self, round_: int, partition: int) -> str:
        """The links that a round of stars left in a partition, packed; beside it lies its report."""
        return f"{WORK}/stars/{self.partitions}/{round_:03d}-{partition:05d}.links"


JUDGED, WRITTEN = "judged", "written"
"""Kinds of reports on the run's own units: see `judged_name` and `written_name`."""


def reports(folder: Folder, kind: str) -> dict[int, str]:
    """The names of the reports of a kind that are in the folder, by unit."""
    found = folder.names(f"{WORK}/{kind}-*.json")
    return {int(name.rpartition("-")[2].removesuffix(".json")): name for name in found}


def judged_name(unit: int) -> str:
    """The report of a unit that was read and judged."""
    return f"{WORK}/{JUDGED}-{unit:05d}.json"


def selected_name(unit: int) -> str:
    """What a selection takes of a unit: hashes and signatures of its texts, as Arrow IPC."""
    return f"{WORK}/selected-{unit:05d}.arrow"


def near_name(unit: int) -> str:
    """The documents of a unit that are nearly the same as one that is taken down, as Arrow IPC."""
    return f"{WORK}/near-{unit:05d}.arrow"


def linked_name(unit: int) -> str:
    """The report of a unit, numbered as the stages do, whose duplicates are known."""
    return f"{WORK}/linked-{unit:05d}.json"


def written_name(unit: int) -> str:
    """The report of a unit whose documents are written."""
    return f"{WORK}/{WRITTEN}-{unit:05d}.json"


def passed_name(unit: int) -> str:
    """The documents of a unit that passed the filters, as Arrow IPC."""
    return f"{WORK}/passed-{unit:05d}.arrow"


def edges_name(unit: int) -> str:
    """The edges at the documents of a unit, numbered as the stages do, as Arrow IPC."""
    return f"{WORK}/edges-{unit:05d}.arrow"


def gone_name(unit: int) -> str:
    """The rows of a unit, numbered as the stages do, that a release does not keep, as packed 64-bit integers."""
    return f"{WORK}/gone-{unit:05d}.rows"


def superseded_name(unit: int) -> str:
    """The report of a released unit whose superseded documents are listed."""
    return f"{WORK}/superseded-{unit:05d}.json"
