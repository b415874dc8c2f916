"""How far people agree with each other, and a judge with people, on the same pairs."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.evaluation.agreement import Agreement, agree
from annotation.evaluation.numbers import Number, Origin, Traced
from annotation.evaluation.sources import Source
from annotation.evaluation.votes import mirrored
from annotation.quality.agreement import Estimate, Ratings, gwet
from annotation.statistics.outcomes import Ints
from annotation.statistics.shares import Share
from schemas.evaluation import NO_VERDICT

POINTS = ("win", "loss", "tie")
"""What a vote can say, in the order of `annotation.evaluation.agreement.POINTS`."""


def both(people: Source, judge: Source) -> pa.Table:
    """The votes of people on pairs that the judge also saw, with a column ``verdict``: the judge's outcome from the
    point of view of the vote's model. Two responses of one model, and equal responses of other models, are left out."""
    votes = people.votes.filter(pc.not_equal(people.votes["model"], people.votes["opponent"]))
    judged = judge.votes.filter(pc.is_valid(judge.votes["item"]))
    place = pc.index_in(votes["item"], value_set=judged["item"].combine_chunks(), skip_nulls=True)
    votes, verdicts = votes.filter(pc.is_valid(place)), judged.take(place.drop_null())
    straight, turned = (
        pc.and_(pc.equal(verdicts["model"], votes[one]), pc.equal(verdicts["opponent"], votes[other]))
        for one, other in (("model", "opponent"), ("opponent", "model"))
    )
    category = pc.coalesce(votes["category"], verdicts["category"])
    votes = votes.set_column(votes.column_names.index("category"), "category", category)
    votes = votes.append_column("verdict", mirrored(verdicts["outcome"], turned))
    return votes.filter(pc.or_(straight, turned))


def among(people: Source) -> Iterator[Traced]:
    """How far people agree with each other on win, tie or loss of the model (AC1)."""
    votes = people.votes.filter(pc.is_in(people.votes["outcome"], value_set=pa.array(POINTS)))
    found = gwet(Ratings.of_counts(_counts(votes)[0], (0, 1, 2)))
    if found.value is not None:
        origin = Origin(where={"source": (people.name,)}, left_out=NO_VERDICT)
        yield _estimate(found, origin, "AC1", source=people.name, voters="people", votes=len(votes))


def _counts(votes: pa.Table) -> tuple[Ints, Ints]:
    """How often each of POINTS was given to each pair, of shape (pairs, points); and a row of each pair."""
    items, first, item = np.unique(votes["item"].to_pylist(), return_index=True, return_inverse=True)
    point = pc.index_in(votes["outcome"], value_set=pa.array(POINTS)).to_numpy().astype(np.int64)
    size = len(items) * len(POINTS)
    return np.bincount(item * len(POINTS) + point, minlength=size).reshape(-1, len(POINTS)), first


def agreements(people: Source, judge: Source) -> Iterator[Traced]:
    """The agreement of a judge with people: in all, and in each category of prompts."""
    votes = both(people, judge)
    known = pc.and_(*(pc.is_in(votes[name], value_set=pa.array(POINTS)) for name in ("outcome", "verdict")))
    votes = votes.filter(known)
    if not len(votes):
        return
    yield from _agreement(votes, people, judge, "all", "")
    categories = pc.unique(votes["category"].drop_null()).sort().to_pylist()
    for name in categories:
        yield from _agreement(votes.filter(pc.equal(votes["category"], name)), people, judge, "category", name)


def _agreement(votes: pa.Table, people: Source, judge: Source, kind: str, group: str) -> Iterator[Traced]:
    """AC1 and Cohen's kappa of the judge with people's most frequent answer, and how often both say the same."""
    counts, first = _counts(votes)
    said = pc.index_in(votes["verdict"], value_set=pa.array(POINTS)).to_numpy().astype(np.int64)[first]
    names = (people.name, judge.name)
    where = {"source": names} if kind == "all" else {"source": names, kind: (group,)}
    origin = Origin(where=where, left_out=NO_VERDICT, in_all=names)
    about: dict[str, Any] = {"source": " and ".join(names), "voters": "people and judge", "kind": kind, "group": group}
    found = agree(said, counts)
    yield _estimate(found.ac1, origin, "AC1", **about, votes=len(votes))
    yield _estimate(found.kappa, origin, "kappa with most votes", **about, votes=len(votes))
    yield from _shares(found, origin, about)


def _shares(found: Agreement, origin: Origin, about: dict[str, Any]) -> Iterator[Traced]:
    for measure, share in (("as most votes", found.majority), ("as most votes, without ties", found.decided)):
        yield Traced(_share(share, measure, about), origin)


def _share(share: Share, measure: str, about: dict[str, Any]) -> Number:
    low, high = share.interval or (None, None)
    fixed = {**about, "section": "agreement", "measure": measure, "votes": share.total}
    return Number(**fixed, value=share.value, low=low, high=high, method="Wilson; a pair counts once")


def _estimate(found: Estimate, origin: Origin, measure: str, **about: Any) -> Traced:
    method = "Gwet; a pair counts once" if measure == "AC1" else "Cohen; a pair counts once"
    fields = {name: getattr(found, name) for name in ("value", "low", "high", "error")}
    return Traced(Number(section="agreement", measure=measure, method=method, **fields, **about), origin)
