"""Gathers all measurements of a campaign's votes."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotation.judgments.snapshot import Snapshot
from annotation.quality.bias import Leans, leans
from annotation.quality.concerns import Concern, Measures, Rules
from annotation.quality.drift import changes
from annotation.quality.gold import accuracy
from annotation.quality.groups import Agreements, agreements
from annotation.quality.pace import Pace, paces
from annotation.quality.peers import Peer, peers
from annotation.quality.progress import Progress, progress
from annotation.quality.stalls import Stuck, stuck, waiting
from annotation.statistics.shares import Share


@dataclass(frozen=True)
class Assessment:
    """What was measured of a campaign at one revision: its progress, its annotators, and what needs attention."""

    progress: Progress
    agreements: Agreements
    peers: Mapping[str, Peer]
    accuracy: Mapping[str, Share]
    paces: Mapping[str, Pace]
    leans: Leans
    stuck: Stuck
    concerns: tuple[Concern, ...]


def assess(snapshot: Snapshot, rules: Rules | None = None) -> Assessment:
    """Measures the votes of a campaign. ``rules`` decide which annotators need attention (None: the defaults)."""
    right, pace, lean, peer = accuracy(snapshot), paces(snapshot), leans(snapshot), peers(snapshot)
    changed = changes(snapshot, peer)
    measures = Measures(
        accuracy=right,
        paces=pace,
        leans=lean.by_annotator,
        agreement={name: each.agreement for name, each in peer.items()},
        agreement_changes=changed.agreement,
        left_changes=changed.left,
        waiting=waiting(snapshot),
    )
    return Assessment(
        progress=progress(snapshot),
        agreements=agreements(snapshot),
        peers=peer,
        accuracy=right,
        paces=pace,
        leans=lean,
        stuck=stuck(snapshot),
        concerns=(rules or Rules()).concerns(measures),
    )
