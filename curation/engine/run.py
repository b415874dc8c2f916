"""A run: a job, its units and its folder, as every stage receives it."""

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Protocol

from curation.job import Job
from curation.release.folder import WORK, Folder
from curation.release.opening import Release
from curation.release.shards import shard_name
from curation.sources.storage import Options


class StageRun(Protocol):
    """What calls of stages need to know about any run."""

    @property
    def folder(self) -> Folder: ...

    @property
    def local(self) -> bool: ...

    @property
    def storage(self) -> Options: ...

    @property
    def first(self) -> int: ...

    def shuffle_name(self, stage: str, key: int) -> str: ...


@dataclass(frozen=True)
class Run:
    """The data of a run, plain enough to be sent to every worker."""

    job: Job
    folder: Folder
    units: int
    partitions: int
    local: bool = False
    """Whether stages exchange data through files in the folder, and not through the shuffles of Beam's runner."""
    documents_per_unit: tuple[int, ...] | None = None
    """With a limit, how many documents each unit may read."""
    releases: tuple[Release, ...] = ()
    """The releases to deduplicate against, earlier ones first. The stages number all units: first those of the releases
    in their order, then the run's own."""

    taken_from: Release | None = None
    """The release whose documents are read again, without those that are taken down."""

    lists: dict[str, str] = field(default_factory=dict)
    """The SHA-256 of the entries of each list of the recipe when the run began, by file."""

    storage: Options = field(default_factory=dict, repr=False)
    """Options for opening remote file systems."""

    stars: int | None = None
    """If the links were too many for one process: the number of rounds of large-star and small-star over them."""

    @cached_property
    def firsts(self) -> tuple[int, ...]:
        """The number of the first unit of each release, and then of the run's first own unit."""
        return tuple(accumulate((release.units for release in self.releases), initial=0))

    @property
    def first(self) -> int:
        return self.firsts[-1]

    @property
    def all_units(self) -> int:
        return self.first + self.units

    @property
    def removes_sites(self) -> bool:
        """Whether sites are removed; a takedown keeps the sites that its release removed."""
        return self.job.recipe.sites is not None and self.taken_from is None

    def release_of(self, unit: int) -> tuple[Release, int]:
        """The release to which a unit below ``first`` belongs, and the unit's number in the release."""
        index = bisect_right(self.firsts, unit) - 1
        return self.releases[index], unit - self.firsts[index]

    def sketches(self, unit: int) -> tuple[Folder, str]:
        """The folder and the name of the shard with a unit's sketches."""
        if unit >= self.first:
            return self.folder, shard_name("sketches", unit - self.first)
        release, number = self.release_of(unit)
        return release.folder, shard_name("sketches", number)

    def shuffle_name(self, stage: str, key: int) -> str:
        """The file with the output of one call of a stage, in a local run."""
        return f"{WORK}/shuffle/{self.partitions}/{stage}/{key:05d}"

    def star_name(self, round_: int, partition: int) -> str:
        """The file with a partition's links after a round of stars, packed; its report has ``.json`` added."""
        return f"{WORK}/stars/{self.partitions}/{round_:03d}-{partition:05d}.links"


JUDGED, SITES_REMOVED, WRITTEN = "judged", "sites-removed", "written"
"""Kinds of reports on the run's own units, see `judged_name`, `sites_removed_name` and `written_name`."""


def report_names(folder: Folder, kind: str) -> dict[int, str]:
    """The names of the reports of a kind that are in the folder, by unit."""
    found = folder.names(f"{WORK}/{kind}-*.json")
    return {int(name.rpartition("-")[2].removesuffix(".json")): name for name in found}


def judged_name(unit: int) -> str:
    """The report of a unit that was read and judged."""
    return f"{WORK}/{JUDGED}-{unit:05d}.json"


def filtered_name(unit: int) -> str:
    """The documents of a unit that passed the filters, before sites are removed, as Arrow IPC."""
    return f"{WORK}/filtered-{unit:05d}.arrow"


def filtered_sketches_name(unit: int) -> str:
    """The sketches of a unit before sites are removed, as Parquet."""
    return f"{WORK}/filtered-sketches-{unit:05d}.parquet"


def hosts_name(unit: int) -> str:
    """The sums by host of the documents of a unit that passed the filters, as Arrow IPC."""
    return f"{WORK}/hosts-{unit:05d}.arrow"


def sites_removed_name(unit: int) -> str:
    """The report of a unit whose documents of removed sites are rejected."""
    return f"{WORK}/{SITES_REMOVED}-{unit:05d}.json"


def selected_name(unit: int) -> str:
    """The hashes and signatures of a unit's selected texts, as Arrow IPC."""
    return f"{WORK}/selected-{unit:05d}.arrow"


def near_name(unit: int) -> str:
    """The documents of a unit that are near-duplicates of a document that is taken down, as Arrow IPC."""
    return f"{WORK}/near-{unit:05d}.arrow"


def linked_name(unit: int) -> str:
    """The report of a unit, numbered as in the stages, whose edges are written."""
    return f"{WORK}/linked-{unit:05d}.json"


def written_name(unit: int) -> str:
    """The report of a unit whose documents are written."""
    return f"{WORK}/{WRITTEN}-{unit:05d}.json"


def passed_name(unit: int) -> str:
    """The documents of a unit that passed the filters and are not of a removed site, as Arrow IPC."""
    return f"{WORK}/passed-{unit:05d}.arrow"


def edges_name(unit: int) -> str:
    """The edges at the documents of a unit, numbered as in the stages, as Arrow IPC."""
    return f"{WORK}/edges-{unit:05d}.arrow"


def cuts_name(unit: int) -> str:
    """What is cut from the documents of a unit, numbered as in the stages, as packed records."""
    return f"{WORK}/cuts-{unit:05d}.rows"


def shingles_name(unit: int) -> str:
    """The sets of shingles of a unit's candidates, numbered as in the stages, see `engine.shingles`."""
    return f"{WORK}/shingles-{unit:05d}.sets"


def gone_name(unit: int) -> str:
    """The rows of a released unit, numbered as in the stages, that are not in the corpus, as packed 64-bit integers."""
    return f"{WORK}/gone-{unit:05d}.rows"


def superseded_name(unit: int) -> str:
    """The report of a released unit whose superseded documents are listed."""
    return f"{WORK}/superseded-{unit:05d}.json"
