"""Finds pairs that can no longer get their votes because annotators skipped them, and measures who waits how long."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.judgments.deciding import votes_needed
from annotation.judgments.snapshot import Snapshot
from annotation.quality.votes import Ints


@dataclass(frozen=True)
class Stuck:
    """``pairs``: the ids of the pairs, sorted. ``skipped_by``: how many of these pairs each annotator skipped."""

    pairs: tuple[str, ...] = ()
    skipped_by: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Waiting:
    """An annotator with ``open`` tasks. ``last`` is the time of the annotator's last vote, None before the first.

    ``others`` counts the votes that others gave since then (before the first vote: all votes), and ``days`` is the time
    from then (from the campaign's first vote) to the newest vote of anybody. Depends on the journal only, not on
    today's date.
    """

    open: int
    last: datetime | None
    others: int
    days: float


def stuck(snapshot: Snapshot) -> Stuck:
    """The pairs whose votes and open tasks are fewer than the votes that a verdict needs, and that somebody skipped.

    Gold pairs, and pairs that were given to an adjudicator, do not count.
    """
    pairs = snapshot.pairs.filter(pc.is_null(snapshot.pairs["gold"])).select(["pair_id", "votes"])
    place = pc.index_in(snapshot.assignments["pair_id"], value_set=pairs["pair_id"].combine_chunks())
    tasks = snapshot.assignments.select(["round", "state", "annotator"]).append_column("pair", place)
    tasks = tasks.filter(pc.is_valid(place))
    pair = tasks["pair"].to_numpy().astype(np.int64)

    def count(kept: pa.ChunkedArray) -> Ints:
        return np.bincount(pair[kept.to_numpy()], minlength=len(pairs))

    votes = pc.equal(tasks["round"], "vote")
    skips = pc.and_(votes, pc.equal(tasks["state"], "skipped"))
    possible = count(pc.and_(votes, pc.is_in(tasks["state"], pa.array(["done", "open"]))))
    found = (possible < votes_needed(pairs, snapshot.policy)) & (count(skips) > 0) & (count(pc.invert(votes)) == 0)
    by = Counter(tasks.filter(pc.and_(skips, pa.chunked_array([pa.array(found[pair])])))["annotator"].to_pylist())
    ids = pairs["pair_id"].filter(pa.array(found)).to_pylist()
    return Stuck(tuple(sorted(ids)), dict(sorted(by.items(), key=lambda each: (-each[1], each[0]))))


def waiting(snapshot: Snapshot) -> Mapping[str, Waiting]:
    """Each annotator with open tasks; those of adjudicators do not count. Empty if no vote has a time."""
    votes = snapshot.judgments.filter(pc.is_valid(snapshot.judgments["submitted"]))
    tasks = snapshot.assignments
    waits = pc.and_(pc.equal(tasks["state"], "open"), pc.equal(tasks["round"], "vote"))
    open_ = Counter(tasks.filter(waits)["annotator"].to_pylist())
    if not len(votes):
        return {}
    last = dict(zip(*votes.group_by("annotator").aggregate([("submitted", "max")]).columns, strict=True))
    last = {name.as_py(): moment for name, moment in last.items()}
    first, newest = (pc.min_max(votes["submitted"])[end] for end in ("min", "max"))
    found = {}
    for name, count in sorted(open_.items()):
        mine = last.get(name)
        later = len(votes) if mine is None else pc.sum(pc.greater(votes["submitted"], mine)).as_py()
        days = (newest.as_py() - (first if mine is None else mine).as_py()).total_seconds() / 86_400
        found[name] = Waiting(count, mine.as_py() if mine is not None else None, later or 0, days)
    return found
