"""Counts votes over time, by the server's clock, in steps of one length."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.judgments.snapshot import Snapshot

STEPS = tuple(
    timedelta(**length)
    for length in ({"minutes": 10}, {"hours": 1}, {"hours": 6}, {"days": 1}, {"weeks": 1}, {"weeks": 4})
)
MOST_STEPS = 60


@dataclass(frozen=True)
class Timeline:
    """``starts``: the times (UTC) at which steps begin, without gaps. For each step: the number of votes, and the
    median of their seconds a pair (None if no time is known). Empty if no vote has a time."""

    step: timedelta = STEPS[0]
    starts: tuple[datetime, ...] = ()
    votes: tuple[int, ...] = ()
    seconds: tuple[float | None, ...] = ()


def timeline(snapshot: Snapshot) -> Timeline:
    """The votes that count, in the shortest of STEPS that gives at most MOST_STEPS steps, or else in the longest."""
    judgments = snapshot.judgments.filter(pc.is_valid(snapshot.judgments["submitted"]))
    if not len(judgments):
        return Timeline()
    moments = judgments["submitted"].cast(pa.int64()).to_numpy()
    for step in STEPS:
        place = moments // (step // timedelta(microseconds=1))
        if place.max() - place.min() < MOST_STEPS:
            break
    place, first = place - place.min(), int(place.min())
    votes = np.bincount(place)
    seconds = judgments["seconds"].to_numpy()
    known = ~np.isnan(seconds)
    order = np.argsort(place[known], kind="stable")
    ends = np.bincount(place[known], minlength=len(votes)).cumsum()
    parts = np.split(seconds[known][order], ends[:-1])
    return Timeline(
        step,
        tuple(datetime.fromtimestamp(0, UTC) + step * (first + n) for n in range(len(votes))),
        tuple(votes.tolist()),
        tuple(float(np.median(part)) if len(part) else None for part in parts),
    )
