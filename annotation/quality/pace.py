"""Measures how long annotators take for a pair, and finds votes that came faster than anybody can read."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.lengths import token_counts
from annotation.judgments.snapshot import Snapshot
from annotation.quality.votes import Votes
from annotation.statistics.shares import Share

TOKENS_A_SECOND = 20.0
"""Five times the speed of silent reading in English (238 words a minute, Brysbaert 2019)."""
LEAST_SECONDS = 2.0


@dataclass(frozen=True)
class Pace:
    """``quartiles``: the seconds a pair at 25%, 50% and 75% (None if no time is known). ``hasty``: the share of votes,
    among votes with a known time, that took less than LEAST_SECONDS, or less time than reading the responses takes at
    TOKENS_A_SECOND."""

    quartiles: tuple[float, float, float] | None
    hasty: Share


def paces(snapshot: Snapshot) -> Mapping[str, Pace]:
    """The pace of each annotator. The history does not count as text to read: an earlier pair may show it too."""
    votes = Votes.of(snapshot)
    texts = (pc.fill_null(snapshot.pairs[name].combine_chunks(), "") for name in ("first", "second"))
    first, second = map(token_counts, texts)
    floor = np.maximum((first + second) / TOKENS_A_SECOND, LEAST_SECONDS)[votes.pair]
    votes = votes.with_column("floor", pa.array(floor))
    return {name: _pace(own) for name, own in votes.group_by("annotator")}


def _pace(votes: Votes) -> Pace:
    known = votes.table.filter(votes.table["seconds"].is_valid())
    seconds, floor = known["seconds"].to_numpy(), known["floor"].to_numpy()
    if not len(seconds):
        return Pace(None, Share(0, 0))
    low, middle, high = np.percentile(seconds, (25, 50, 75)).tolist()
    return Pace((low, middle, high), Share(int((seconds < floor).sum()), len(seconds)))
