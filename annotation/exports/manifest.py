"""The manifest of an export, written and read."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotation.dataset.manifest import Manifest

FORMAT = "gristmill.export"
VERSION = 1


@dataclass(frozen=True)
class SplitEntry:
    """The number of comparisons in the dataset's split, of rows in the export, of comparisons left out for each reason,
    and of exported comparisons without a degree."""

    comparisons: int
    rows: int
    left_out: Mapping[str, int]
    without_degree: int


@dataclass(frozen=True)
class MasterEntry:
    """The dataset of an export: the name of its folder and the SHA-256 of its manifest."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class ExportManifest(Manifest):
    """The manifest of an export. ``lost``: the columns that the trainer's format cannot hold."""

    trainer_format: str
    margin: str
    master: MasterEntry
    lost: tuple[str, ...]
    splits: Mapping[str, SplitEntry]
