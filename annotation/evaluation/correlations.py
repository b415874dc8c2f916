"""How far votes on one prompt, and votes of one person, are alike: for plans, from an earlier campaign."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.evaluation.people import comparisons
from annotation.judgments.snapshot import Snapshot
from annotation.protocols import PROTOCOLS
from annotation.statistics.clusters import PROMPT_CORRELATION, RATER_CORRELATION, Ratio
from annotation.statistics.outcomes import OUTCOMES, TIE, coded, parts
from annotation.statistics.power import components
from schemas.errors import UserError

LEAST_VOTES = 100
"""The fewest decided votes of an earlier campaign from which correlations are estimated."""


@dataclass(frozen=True)
class Correlations:
    """Intraclass correlations, 0 to 1, of decided votes on one prompt and of one person, and the share of ties."""

    prompt: float = PROMPT_CORRELATION
    rater: float = RATER_CORRELATION
    ties: float = 0.0
    source: str = "Assumed"


def earlier(snapshot: Snapshot) -> Correlations:
    """The correlations in an evaluation campaign: parts of the variance over all pairs of models, by decided votes.

    Raises UserError for another campaign, and for fewer than LEAST_VOTES decided votes.
    """
    if not PROTOCOLS[snapshot.protocol].scale.compares:
        raise UserError(
            f"{snapshot.name} is a campaign of the protocol {snapshot.protocol}, which rates single responses, but a "
            "plan is of comparisons: name an earlier campaign of comparisons, or none to plan by assumed correlations"
        )
    rows = comparisons(snapshot)
    rows = rows.filter(pc.and_(pc.is_valid(rows["rater"]), pc.not_equal(rows["model_a"], rows["model_b"])))
    codes = {name: coded(rows[name].to_pylist())[1] for name in ("prompt", "rater", "model_a", "model_b")}
    outcome = pc.index_in(rows["outcome"], value_set=pa.array(OUTCOMES)).to_numpy().astype(np.int8)
    worth, counted = parts(outcome, "decided")
    decided = int(counted.sum())
    if decided < LEAST_VOTES:
        raise UserError(
            f"{snapshot.name} has {decided:,} votes without ties, too few to plan by: {LEAST_VOTES} are needed; leave "
            "the campaign out to plan by assumed correlations"
        )
    pair = codes["model_a"] * len(rows) + codes["model_b"]
    total = np.zeros(3)
    for number in np.unique(pair[counted > 0]):
        own = pair == number
        found = components(Ratio(worth[own], counted[own], codes["prompt"][own], codes["rater"][own]))
        total += counted[own].sum() * np.array([found.prompt, found.rater, found.rest])
    assumed, ties = Correlations(), float((outcome == TIE).mean())
    if not total.sum():
        return Correlations(assumed.prompt, assumed.rater, ties, f"Assumed, as all votes of {snapshot.name} agree")
    prompt, rater, _ = (total / total.sum()).tolist()
    return Correlations(prompt, rater, ties, f"As in {snapshot.name}")
