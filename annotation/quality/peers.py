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
    """How one annotator agrees with the other votes on the same pairs, about which response is better.

    ``agreement``: AC1 with the others (`gwet_with_others`); a unit is a pair that others voted on, too. ``by_batch``:
    the share of these pairs on which the annotator prefers the response that most others prefer; pairs with as many
    other votes for either response are left out.
    """

    agreement: Estimate
    by_batch: Mapping[str, Share]


def peers(snapshot: Snapshot) -> Mapping[str, Peer]:
    """Each annotator with votes. Gold pairs and adjudicating votes do not count, as in `agreements`."""
    votes = Votes.of(snapshot)
    votes = votes.filter(votes.matches("round", "vote") & ~gold_pairs(snapshot)[votes.pair])
    tally = np.bincount(2 * votes.pair + votes.second, minlength=2 * len(snapshot.pairs)).reshape(-1, 2)
    return {name: _peer(own, tally) for name, own in votes.group_by("annotator")}


def _peer(own: Votes, tally: Ints) -> Peer:
    others = tally[own.pair] - np.eye(2, dtype=np.int64)[own.second.astype(int)]
    seen = others.sum(axis=1) > 0
    own, others = own.filter(seen), others[seen]
    agreement = gwet_with_others(own.second.astype(np.int64), others)
    with_most = own.second == (others[:, 1] > others[:, 0])
    marked = Votes(own.table.append_column("with_most", pa.array(with_most)), own.pair, own.point)
    decided = marked.filter(others[:, 0] != others[:, 1])
    shares = {
        name: Share(int(part.table["with_most"].to_numpy().sum()), len(part))
        for name, part in decided.group_by("batch")
    }
    return Peer(agreement, shares)
