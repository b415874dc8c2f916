"""Gathers all measurements of a campaign's votes."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotation.judgments.snapshot import Snapshot
from annotation.quality.bias import Leans, leans
from annotation.quality.concerns import Concern, Rules
from annotation.quality.gold import accuracy
from annotation.quality.groups import Agreements, agreements
from annotation.quality.pace import Pace, paces
from annotation.quality.progress import Progress, progress
from annotation.quality.shares import Share


@dataclass(frozen=True)
class Assessment:
    progress: Progress
    agreements: Agreements
    accuracy: Mapping[str, Share]
    paces: Mapping[str, Pace]
    leans: Leans
    concerns: tuple[Concern, ...]


def assess(snapshot: Snapshot, rules: Rules | None = None) -> Assessment:
    """Measures the votes of a campaign. ``rules`` decide which annotators need attention (None: the defaults)."""
    right, pace, lean = accuracy(snapshot), paces(snapshot), leans(snapshot)
    return Assessment(
        progress(snapshot),
        agreements(snapshot),
        right,
        pace,
        lean,
        (rules or Rules()).concerns(right, pace, lean),
    )
