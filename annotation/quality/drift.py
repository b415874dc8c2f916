"""Compares each annotator's latest batch with the annotator's earlier batches."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow.compute as pc

from annotation.judgments.snapshot import Snapshot
from annotation.quality.peers import Peer
from annotation.quality.votes import Votes
from annotation.statistics.distributions import fisher_p
from annotation.statistics.shares import Share


@dataclass(frozen=True)
class Change:
    """A share in ``batch``, the latest in which the annotator voted, and ``before``, in all earlier batches. ``p``: the
    p-value of Fisher's exact two-sided test that both shares are equal."""

    batch: str
    before: Share
    latest: Share

    @property
    def p(self) -> float:
        return fisher_p(self.latest.count, self.latest.total, self.before.count, self.before.total)


@dataclass(frozen=True)
class Changes:
    """By annotator, of those with votes in two batches or more. ``agreement``: the share of pairs on which the
    annotator agrees with most others (`Peer.by_batch`). ``left``: the share of votes for the response on the left."""

    agreement: Mapping[str, Change] = field(default_factory=dict)
    left: Mapping[str, Change] = field(default_factory=dict)


def changes(snapshot: Snapshot, peers: Mapping[str, Peer]) -> Changes:
    """Batches are ordered as they were made."""
    order: list[str] = pc.unique(snapshot.pairs["batch"]).to_pylist()
    left = {}
    for name, own in Votes.of(snapshot).group_by("annotator"):
        left[name] = {
            batch: Share(int(part.left.sum()), int(part.on_a_side.sum())) for batch, part in own.group_by("batch")
        }
    return Changes(_latest({name: peer.by_batch for name, peer in peers.items()}, order), _latest(left, order))


def _latest(shares: Mapping[str, Mapping[str, Share]], order: list[str]) -> dict[str, Change]:
    found = {}
    for name, by_batch in shares.items():
        batches = [batch for batch in order if batch in by_batch and by_batch[batch].total]
        if len(batches) > 1:
            *earlier, last = batches
            counts = np.sum([(by_batch[batch].count, by_batch[batch].total) for batch in earlier], axis=0)
            found[name] = Change(last, Share(*map(int, counts)), by_batch[last])
    return found
