"""The reports that finished units of work write to ``.work``, which later steps of the run read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from curation.release.ledger import LedgerReport
from curation.release.manifest import InputReport
from curation.release.near_report import NearReport
from curation.sites.evidence import SitesReport
from schemas.manifest import ShardEntry


@dataclass(frozen=True, kw_only=True)
class UnitReport:
    """The counts of a unit, and the shards that were written for it, by name."""

    ledger: LedgerReport
    outputs: Mapping[str, ShardEntry]


@dataclass(frozen=True, kw_only=True)
class JudgedReport(UnitReport):
    """The report after the first pass. ``files`` were read. In a takedown, ``found`` are the entries of the selection
    that matched a document, by reason; ``taken`` documents were taken down, and ``reasons`` counts them by reason."""

    files: tuple[InputReport, ...] = ()
    found: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    taken: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SitesRemovedReport(UnitReport):
    """The report after the documents of removed sites are removed. ``sites`` counts the hosts of which this unit is the
    first one with a document."""

    sites: SitesReport


@dataclass(frozen=True, kw_only=True)
class WrittenReport(UnitReport):
    """The report after the second pass. ``released`` counts the documents that were removed in favour of a document of
    each release. In a takedown, ``brought_back`` counts the documents that came back, and ``lost`` counts the documents
    that were removed in favour of one that came back. ``near`` counts near-duplicates, if the run removes them."""

    released: Mapping[str, int]
    near: NearReport | None = None
    brought_back: int = 0
    lost: int = 0


@dataclass(frozen=True, kw_only=True)
class SupersededReport:
    """How many documents of a released unit are superseded, and the shard that lists them."""

    documents: int
    outputs: Mapping[str, ShardEntry]


@dataclass(frozen=True, kw_only=True)
class LinkedReport:
    """The number of links whose worse document is in a unit."""

    links: int


@dataclass(frozen=True, kw_only=True)
class ShrunkReport:
    """How many links a round of stars changed in a partition."""

    changed: int


@dataclass(frozen=True, kw_only=True)
class SelectedReport:
    """How many documents match a selection, or have a text that was taken down before."""

    documents: int
