"""How long annotators take for a pair, and votes given faster than anybody can read."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from annotation.campaign.lengths import token_counts
from annotation.judgments.snapshot import Snapshot
from annotation.quality.shares import Share
from annotation.quality.votes import Votes

TOKENS_A_SECOND = 20.0
"""Five times as fast as people read English silently (238 words a minute: Brysbaert 2019); a skimmer may do it once."""
LEAST_SECONDS = 2.0


@dataclass(frozen=True)
class Pace:
    """``quartiles``: seconds a pair at 25%, 50% and 75% (None without times). ``hasty``: the votes given in less than
    LEAST_SECONDS, or in less time than TOKENS_A_SECOND allows for the two responses, of those whose time is known."""

    quartiles: tuple[float, float, float] | None
    hasty: Share


def paces(snapshot: Snapshot) -> Mapping[str, Pace]:
    """The pace of each annotator. The history does not count as text to read: the pair before may have shown it."""
    votes = Votes.of(snapshot)
    first, second = (token_counts(snapshot.pairs[name].combine_chunks()) for name in ("first", "second"))
    floor = np.maximum((first + second) / TOKENS_A_SECOND, LEAST_SECONDS)[votes.pair]
    votes = Votes(votes.table.append_column("floor", pa.array(floor)), votes.pair, votes.point)
    return {name: _pace(own) for name, own in votes.group_by("annotator")}


def _pace(votes: Votes) -> Pace:
    known = votes.table.filter(votes.table["seconds"].is_valid())
    seconds, floor = known["seconds"].to_numpy(), known["floor"].to_numpy()
    if not len(seconds):
        return Pace(None, Share(0, 0))
    low, middle, high = np.percentile(seconds, (25, 50, 75)).tolist()
    return Pace((low, middle, high), Share(int((seconds < floor).sum()), len(seconds)))
