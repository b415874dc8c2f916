"""What an export says of itself, written and read."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotation.dataset.manifest import Manifest

FORMAT = "gristmill.export"
VERSION = 1


@dataclass(frozen=True)
class SplitEntry:
    """How many comparisons the dataset has in a split, the rows of the export, the comparisons that are left out by
    reason, and how many of its comparisons have no degree."""

    comparisons: int
    rows: int
    left_out: Mapping[str, int]
    without_degree: int


@dataclass(frozen=True)
class MasterEntry:
    """The dataset that an export was made of: the name of its folder and the SHA-256 of its manifest."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ExportManifest(Manifest):
    """Of an export. ``lost``: what the trainer's format has no place for."""

    trainer_format: str
    margin: str
    master: MasterEntry
    lost: tuple[str, ...]
    splits: Mapping[str, SplitEntry]
