"""The leaderboard of a source: ratings of models by Bradley and Terry's model, and ranks that hold together."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.evaluation.numbers import Number, Origin, Traced
from annotation.evaluation.votes import left_out, outcomes_of
from annotation.statistics.bradley_terry import Leaderboard, Ties, leaderboard, length_difference
from annotation.statistics.outcomes import Floats
from schemas.errors import UserError
from schemas.evaluation import NO_VERDICT

Control = Literal["position", "length"]
"""What ratings are corrected for: which response was shown first, or which is longer."""
TIES = {"half": "a tie is half a win and half a loss", "davidson": "ties by Davidson's model"}
UNRATED = {
    "not compared": "no vote with a verdict",
    "unbeaten": "unbeaten by rated models",
    "winless": "no win against a rated model",
    "apart": "no chain of wins to the rated models and back",
}
"""Why a model has no rating."""


def ratings(
    votes: pa.Table, ties: Ties, controls: tuple[Control, ...], source: str, voters: str, origin: Origin
) -> Iterator[Traced]:
    """The rating and the rank of each model, best first, then the effect of each control; models without a rating last.

    A rating is a log-odds. With a confidence of 95%, the bounds and ranks of all models are right at once. Without any
    rating there is one number without a value, whose method says why.
    """
    about: dict[str, Any] = {"section": "leaderboard", "source": source, "voters": voters}
    given = outcomes_of(votes)
    try:
        found = leaderboard(given, ties, _covariates(votes, controls))
    except UserError as error:
        yield Traced(Number(**about, measure="rating", value=None, votes=0, method=str(error)), origin)
        return
    unrated = [f"{name} ({UNRATED[why]})" for name, why in found.unrated.items()]
    about["left_out"] = ", ".join(filter(None, [left_out(given, NO_VERDICT), *unrated]))
    for place in sorted(range(len(found.models)), key=lambda place: (found.ranks.rank[place], found.models[place])):
        for each in _of_model(found, place, _method(found, ties, controls)):
            yield Traced(Number(**about, **each), origin)
    for name, (effect, spread) in found.effects.items():
        each = {"measure": f"effect of {name}", "value": effect, "error": spread, "votes": found.votes}
        yield Traced(Number(**about, **each, method=_method(found, ties, controls)), origin)
    for name, why in found.unrated.items():
        yield Traced(Number(**about, measure="rating", model=name, value=None, votes=0, method=UNRATED[why]), origin)


def _of_model(found: Leaderboard, place: int, method: str) -> Iterator[dict[str, Any]]:
    fixed = {"model": found.models[place], "votes": found.votes, "clustered": found.clustered, "method": method}
    low, high = float(found.ranks.low[place]), float(found.ranks.high[place])
    yield {
        **fixed,
        "measure": "rating",
        "value": float(found.rating[place]),
        "low": low,
        "high": high,
        "error": float(found.error[place]),
    }
    best, worst = float(found.ranks.best[place]), float(found.ranks.worst[place])
    yield {**fixed, "measure": "rank", "value": float(found.ranks.rank[place]), "low": best, "high": worst}


def _method(found: Leaderboard, ties: Ties, controls: tuple[Control, ...]) -> str:
    parts = [f"Bradley-Terry, {TIES[ties]}", "all intervals and ranks are right at once with a confidence of 95%"]
    if controls:
        parts.insert(1, f"corrected for {' and '.join(controls)}")
    if found.tie is not None:
        parts.append(f"tie parameter {found.tie:.3f}")
    return "; ".join(parts)


def _covariates(votes: pa.Table, controls: tuple[Control, ...]) -> Mapping[str, Floats]:
    """The columns of the controls. Raises UserError if votes do not have one."""
    found: dict[str, Floats] = {}
    if "position" in controls:
        if not votes["shown_first"].drop_null():
            raise UserError(
                "no vote has a single order, so ratings cannot be corrected for position: leave out --control position"
            )
        first = pc.fill_null(pc.cast(votes["shown_first"], pa.float64()), 0.5).to_numpy()
        found["position"] = 2 * first - 1
    if "length" in controls:
        if votes["longer"].null_count == len(votes):
            raise UserError(
                "no vote has its responses, so ratings cannot be corrected for length: leave out --control length"
            )
        longer = pc.fill_null(votes["longer"], 0).to_numpy().astype(np.float64)
        found["length"] = length_difference(longer, np.zeros(len(longer)))
    return found
