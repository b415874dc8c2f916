"""Measures the accuracy of annotators on gold pairs, whose better response is known."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from annotation.judgments.snapshot import Snapshot
from annotation.quality.votes import Votes, gold_pairs
from annotation.statistics.shares import Share


def accuracy(snapshot: Snapshot) -> Mapping[str, Share]:
    """For each annotator with votes on gold pairs: the share of these votes that chose the better response. A tie chose
    neither."""
    votes = Votes.of(snapshot)
    votes = votes.filter(gold_pairs(snapshot)[votes.pair])
    known = snapshot.pairs["gold"].take(pa.array(votes.pair))
    right = pc.equal(votes.table["prefers"], known).to_numpy()
    votes = votes.with_column("right", pa.array(right))
    return {
        name: Share(int(own.table["right"].to_numpy().sum()), len(own)) for name, own in votes.group_by("annotator")
    }
