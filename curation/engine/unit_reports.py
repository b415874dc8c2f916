"""What a unit of work leaves in ``.work`` when it is done, and what is asked of it later."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from curation.release.ledger import LedgerReport
from curation.release.manifest import InputReport
from schemas.manifest import ShardEntry


@dataclass(frozen=True, kw_only=True)
class UnitReport:
    """What was counted in a unit, and the shards of it that were written, by their names."""

    ledger: LedgerReport
    outputs: Mapping[str, ShardEntry]


@dataclass(frozen=True, kw_only=True)
class JudgedReport(UnitReport):
    """After the first pass: the files that were read. In a takedown, the entries of the selection that took any
    document, by reason, and how many documents were ``taken`` for which of the ``reasons``."""

    files: tuple[InputReport, ...] = ()
    found: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    taken: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class WrittenReport(UnitReport):
    """After the second pass: how many documents were removed for one of each release; in a takedown, how many that had
    been removed before were ``brought_back``, and how many were ``lost`` to these."""

    released: Mapping[str, int]
    brought_back: int = 0
    lost: int = 0


@dataclass(frozen=True, kw_only=True)
class SupersededReport:
    """How many documents of a released unit are superseded, and the shard that lists them."""

    documents: int
    outputs: Mapping[str, ShardEntry]


@dataclass(frozen=True, kw_only=True)
class LinkedReport:
    """How many links the documents of a unit have."""

    links: int


@dataclass(frozen=True, kw_only=True)
class ShrunkReport:
    """How many links a round of stars changed in a partition."""

    changed: int


@dataclass(frozen=True, kw_only=True)
class SelectedReport:
    """How many documents a selection takes, or have a text that was taken down before."""

    documents: int
