"""The human win rate from votes of people on a random part of judged pairs, and the judge's verdicts on all of them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.evaluation.comparing import POINTS, both
from annotation.evaluation.numbers import Number, Origin, Traced, of_interval
from annotation.evaluation.sources import Source
from annotation.evaluation.votes import mirrored
from annotation.statistics.outcomes import Floats, Ints
from annotation.statistics.prediction_powered import Judged, Labelled, prediction_powered
from schemas.evaluation import NO_VERDICT

SCORES = {"win": 1.0, "loss": 0.0}
"""What an outcome adds to a win rate; all others add a half. A judge without a verdict is a judge that says nothing:
the estimate stays valid, as it is for any judge."""
WORTH = "worth of the judge in votes"
COUNTED = "a tie is half a win; a judge's answer without a verdict says as much as a tie"


def calibrated(people: Source, judge: Source) -> Iterator[Traced]:
    """The human win rate of each two models by PPI++ and by people alone, and what the judge was worth in votes; or
    why there is no win rate by both."""
    votes = both(people, judge)
    votes = votes.filter(pc.is_in(votes["outcome"], value_set=pa.array(POINTS)))
    matches = sorted(set(zip(votes["model"].to_pylist(), votes["opponent"].to_pylist(), strict=True)))
    for models in matches:
        about: dict[str, Any] = {
            "section": "people_and_judge",
            "source": f"{people.name} and {judge.name}",
            "voters": "people and judge",
            "model": models[0],
            "opponent": models[1],
        }
        where = {"source": (people.name, judge.name), "model": models, "opponent": models}
        origin = Origin(where=where, left_out=NO_VERDICT)
        own = votes.filter(pc.and_(pc.equal(votes["model"], models[0]), pc.equal(votes["opponent"], models[1])))
        judged = _judged(judge, models)
        rest = judged.filter(pc.invert(pc.is_in(judged["prompt_id"], value_set=own["prompt_id"].combine_chunks())))
        flaw = _flaw(people, judge, judged, rest)
        if flaw is None:
            yield from _estimates(own, rest, origin, about)
        else:
            yield Traced(Number(**about, measure="win rate", value=None, votes=len(own), method=flaw), origin)


def _judged(judge: Source, models: tuple[str, str]) -> pa.Table:
    """The judge's verdicts on pairs of two models, from the point of view of the first."""
    votes = judge.votes.filter(pc.is_valid(judge.votes["item"]))
    turned = pc.and_(pc.equal(votes["model"], models[1]), pc.equal(votes["opponent"], models[0]))
    straight = pc.and_(pc.equal(votes["model"], models[0]), pc.equal(votes["opponent"], models[1]))
    outcome = mirrored(votes["outcome"], turned)
    votes = votes.set_column(votes.column_names.index("outcome"), "outcome", outcome)
    return votes.filter(pc.or_(turned, straight))


def _flaw(people: Source, judge: Source, judged: pa.Table, rest: pa.Table) -> str | None:
    """Why there is no win rate by people and judge; None if there is one."""
    if people.sampling is None:
        return "it is not known how the pairs with votes were drawn"
    if not len(rest):
        return "people voted on all judged pairs, so their win rate needs no judge"
    flaw = people.sampling.flaw_among(judged, judge.files)
    return None if flaw is None else f"the pairs with votes are not a random part of the judged pairs: {flaw}"


def _estimates(votes: pa.Table, rest: pa.Table, origin: Origin, about: dict[str, Any]) -> Iterator[Traced]:
    """``votes`` have the judge's outcome in the column ``verdict``; ``rest`` are the verdicts on other prompts."""
    prompts = pa.chunked_array([*votes["prompt_id"].chunks, *rest["prompt_id"].chunks], pa.string())
    labelled = Labelled(
        _scores(votes["outcome"]),
        _scores(votes["verdict"]),
        _codes(votes["prompt_id"], prompts),
        _codes(votes["rater"], votes["rater"]),
    )
    found = prediction_powered(labelled, Judged(_scores(rest["outcome"]), _codes(rest["prompt_id"], prompts)))
    method = f"{found.interval.method}; lambda {found.tuning:.3f}; {COUNTED}"
    made = of_interval(found.interval, origin, **about, measure="win rate")
    yield Traced(replace(made.number, method=method), origin)
    yield of_interval(found.human, origin, **about, measure="win rate by people alone")
    worth: dict[str, Any] = {
        "measure": WORTH,
        "value": found.worth,
        "votes": len(votes),
        "method": method,
    }
    yield Traced(Number(**about, **worth), origin)


def _scores(outcome: pa.ChunkedArray) -> Floats:
    return np.array([SCORES.get(word, 0.5) for word in outcome.to_pylist()], np.float64)


def _codes(column: pa.ChunkedArray, names: pa.ChunkedArray) -> Ints:
    codes: Ints = pc.index_in(column, value_set=pc.unique(names)).to_numpy().astype(np.int64)
    return codes
