"""How far a judge agrees with people on the same pairs."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.judgments.snapshot import Snapshot
from annotation.quality.agreement import UNDEFINED, Estimate, cohen_kappa, gwet_with_others
from annotation.statistics.outcomes import Ints
from annotation.statistics.shares import Share

POINTS = ("first", "second", "tie")
"""What a judge or a person can prefer."""


@dataclass(frozen=True)
class Agreement:
    """The agreement of a judge with people, over pairs that have a verdict and votes.

    ``ac1``: Gwet's AC1 of the judge with all votes, 1 is perfect agreement and 0 is chance. ``majority``: how often the
    judge's verdict is the answer that most votes give; pairs without such an answer are left out. ``kappa``: Cohen's
    kappa of the judge with that answer. ``decided``: as ``majority``, among the pairs where both prefer a response.
    """

    pairs: int
    votes: int
    ac1: Estimate
    kappa: Estimate
    majority: Share
    decided: Share


def agreement(verdicts: pa.Table, snapshot: Snapshot) -> Agreement:
    """The agreement of verdicts (the table VERDICTS) with the votes of a campaign that count, on the same pairs.

    Gold pairs and adjudicating votes do not count.
    """
    return agree(*_points(_with_verdict(verdicts), snapshot))


def by_category(verdicts: pa.Table, snapshot: Snapshot) -> dict[str, Agreement]:
    """The agreement within each category of prompts, sorted by name; prompts without a category are left out."""
    given = _with_verdict(verdicts)
    own, votes = _points(given, snapshot)
    category = given["category"].to_numpy()
    names = sorted(set(given["category"].drop_null().to_pylist()))
    return {name: agree(own[category == name], votes[category == name]) for name in names}


def _with_verdict(verdicts: pa.Table) -> pa.Table:
    return verdicts.filter(pc.is_in(verdicts["outcome"], value_set=pa.array(POINTS)))


def _points(given: pa.Table, snapshot: Snapshot) -> tuple[Ints, Ints]:
    """The judge's verdict and the counts of people's votes, as ``agree`` takes them."""
    own = _numbers(pc.index_in(given["outcome"], value_set=pa.array(POINTS)))
    rounds = snapshot.judgments.filter(pc.equal(snapshot.judgments["round"], "vote"))
    place = pc.index_in(rounds["pair_id"], value_set=given["pair_id"].combine_chunks())
    point = pc.index_in(rounds["prefers"], value_set=pa.array(POINTS))
    votes = np.zeros((len(own), len(POINTS)), np.int64)
    known = pc.and_(pc.is_valid(place), pc.is_valid(point))
    np.add.at(votes, (_numbers(place.filter(known)), _numbers(point.filter(known))), 1)
    return own, votes


def agree(judge: Ints, votes: Ints) -> Agreement:
    """The agreement of a judge's verdicts, an index into POINTS for each pair, with counts of people's votes, of shape
    (pairs, points). Pairs without votes are left out."""
    voted = votes.sum(axis=1) > 0
    judge, votes = judge[voted], votes[voted]
    if not len(judge):
        return Agreement(0, 0, UNDEFINED, UNDEFINED, Share(0, 0), Share(0, 0))
    most = votes.argmax(axis=1)
    single = (votes == votes.max(axis=1)[:, None]).sum(axis=1) == 1
    tie = POINTS.index("tie")
    decided = single & (most != tie) & (judge != tie)
    equal = most == judge
    return Agreement(
        len(judge),
        int(votes.sum()),
        gwet_with_others(judge, votes),
        cohen_kappa(judge[single], most[single], len(POINTS)),
        Share(int(equal[single].sum()), int(single.sum())),
        Share(int(equal[decided].sum()), int(decided.sum())),
    )


def _numbers(column: pa.ChunkedArray) -> Ints:
    found: Ints = column.to_numpy().astype(np.int64)
    return found
