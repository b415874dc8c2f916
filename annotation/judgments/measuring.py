"""The verdicts of campaigns that measure models: which response is better or neither, or whether one is a violation."""

import numpy as np
import pyarrow as pa

from annotation.judgments.deciding import Deciding, Ints, points
from annotation.judgments.snapshot import Snapshot
from annotation.protocols.scale import Scale

FAILURES = ("too_few_votes", "tied")


def measured(snapshot: Snapshot, scale: Scale) -> tuple[pa.Table, pa.Table]:
    """(resolved, unresolved) as in `Resolution`.

    ``resolved``: pair_id, chosen (an outcome of the scale), degree, value (the median of the votes, as a number of the
    scale; the mean of two middle votes), votes (of those that decide), adjudicated.

    By ``majority`` an outcome wins if more than half of the votes share it. In a comparison, the ``median`` decides
    otherwise: its side, or a tie if the median is in the middle. Of a single response, as many votes for a violation
    as against one are ``tied``.
    """
    votes = Deciding.of(snapshot)
    size = len(votes.pairs)
    counts = np.bincount(
        votes.pair * len(scale.points) + points(votes.judgments, scale), minlength=size * len(scale.points)
    ).reshape(size, len(scale.points))
    total = counts.sum(axis=1)
    low, high = middle(counts)
    value = np.array(scale.values)[np.stack([low, high])].mean(axis=0)
    shared = np.stack([counts[:, np.array(scale.outcome_of) == place].sum(axis=1) for place in range(_size(scale))], 1)
    has_majority = 2 * shared.max(axis=1) > total
    outcome = np.where(has_majority, shared.argmax(axis=1), -1)
    if scale.compares:
        by_median = np.sign(value).astype(np.int64) + 1
        outcome = by_median if snapshot.policy.use == "median" else np.where(has_majority, outcome, by_median)
    failure = np.where(outcome < 0, FAILURES.index("tied"), -1)
    failure[total < votes.needed(snapshot.policy)] = FAILURES.index("too_few_votes")
    strengths = np.array(scale.strengths)[np.stack([low, high])].min(axis=0)
    rows = pa.table(
        {
            "pair_id": votes.pairs["pair_id"],
            "chosen": pa.array(scale.outcomes).take(pa.array(np.maximum(outcome, 0))),
            "degree": pa.array(scale.degrees[::-1]).take(pa.array(strengths)),
            "value": pa.array(value),
            "reason": pa.array(FAILURES).take(pa.array(failure, mask=failure < 0)),
            "votes": pa.array(total, pa.int32()),
            "adjudicated": pa.array(votes.adjudicated),
        }
    )
    failed = pa.array(failure >= 0)
    resolved = rows.drop_columns(["reason"]).filter(pa.array(failure < 0))
    return resolved, rows.select(["pair_id", "reason", "votes", "adjudicated"]).filter(failed)


def middle(counts: Ints) -> tuple[Ints, Ints]:
    """The lower and the upper median point of each row of counts; 0 and 0 for a row without votes."""
    below = counts.cumsum(axis=1)
    total = below[:, -1:]
    low: Ints = np.argmax(2 * below >= np.maximum(total, 1), axis=1)
    high: Ints = np.argmax(2 * below > total, axis=1)
    return low, high


def _size(scale: Scale) -> int:
    return len(scale.outcomes)
