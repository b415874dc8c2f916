"""Agreement of each annotator with the other annotators."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from annotation.judgments.snapshot import Snapshot
from annotation.quality.agreement import Estimate, gwet_with_others
from annotation.quality.votes import Ints, Votes, gold_pairs
from annotation.statistics.shares import Share


@dataclass(frozen=True)
class Peer:
    """How one annotator agrees with the other votes on the same pairs, about the outcome: which response is better (or
    neither), or whether a single response is a violation.

    ``agreement``: AC1 with the others (`gwet_with_others`); a unit is a pair that others voted on, too. ``by_batch``:
    the share of these pairs on which the annotator's outcome is that of most others; pairs on which as many others have
    another outcome are left out.
    """

    agreement: Estimate
    by_batch: Mapping[str, Share]


def peers(snapshot: Snapshot) -> Mapping[str, Peer]:
    """Each annotator with votes. Gold pairs and adjudicating votes do not count, as in `agreements`."""
    votes = Votes.of(snapshot)
    votes = votes.filter(votes.matches("round", "vote") & ~gold_pairs(snapshot)[votes.pair])
    size = len(votes.scale.outcomes)
    tally = np.bincount(size * votes.pair + votes.outcome, minlength=size * len(snapshot.pairs)).reshape(-1, size)
    return {name: _peer(own, tally) for name, own in votes.group_by("annotator")}


def _peer(own: Votes, tally: Ints) -> Peer:
    others = tally[own.pair] - np.eye(tally.shape[1], dtype=np.int64)[own.outcome]
    seen = others.sum(axis=1) > 0
    own, others = own.filter(seen), others[seen]
    agreement = gwet_with_others(own.outcome, others)
    most = others.max(axis=1, keepdims=True)
    marked = own.with_column("with_most", pa.array(own.outcome == others.argmax(axis=1)))
    decided = marked.filter((others == most).sum(axis=1) == 1)
    shares = {
        name: Share(int(part.table["with_most"].to_numpy().sum()), len(part))
        for name, part in decided.group_by("batch")
    }
    return Peer(agreement, shares)
