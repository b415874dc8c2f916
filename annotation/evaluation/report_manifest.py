"""The manifest of a report. Nothing in it depends on the run: equal sources give equal bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.dataset.manifest import Manifest
from schemas.records import other_keys

FORMAT = "gristmill.evaluation"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class SourceFacts:
    """A source of a report. ``facts``: (name, value) of how its votes were made."""

    name: str
    voters: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class ReportManifest(Manifest):
    """The manifest of a report. ``tables``: the version of each table."""

    tables: Mapping[str, int]
    choices: Mapping[str, Any]
    sources: tuple[SourceFacts, ...]
    others: Mapping[str, Any] = other_keys()
