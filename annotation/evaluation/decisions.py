"""Which model people prefer, decided or still open, by a test that may be looked at every day."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.evaluation.human_rates import rows_by
from annotation.evaluation.people import comparisons
from annotation.judgments.snapshot import Snapshot
from annotation.protocols import PROTOCOLS
from annotation.statistics.anytime import Obstacle, Verdict, decide
from annotation.statistics.outcomes import coded

SCORES = {"win": 1.0, "tie": 0.5, "loss": 0.0}


@dataclass(frozen=True)
class Question:
    """Whether people prefer model A: ``above`` or ``below`` (model B) once decided, else ``open``.

    ``more_votes`` is about how many further votes decide; None if decided, or with an ``obstacle``. ``evidence`` is the
    e-value, of which 20 decides.
    """

    model_a: str
    model_b: str
    votes: int
    verdict: Verdict
    more_votes: int | None
    obstacle: Obstacle | None
    evidence: float


def decisions(snapshot: Snapshot) -> list[Question]:
    """A question for every two models of an evaluation campaign; none for a campaign of another protocol."""
    protocol = PROTOCOLS[snapshot.protocol]
    if protocol.trains or not protocol.scale.compares:
        return []
    rows = comparisons(snapshot)
    rows = rows.filter(pc.not_equal(rows["model_a"], rows["model_b"]))
    return [_question(model_a, model_b, own) for (model_a, model_b), own in rows_by(rows, "model_a", "model_b")]


def _question(model_a: str, model_b: str, rows: pa.Table) -> Question:
    rows = rows.filter(pc.is_in(rows["outcome"], value_set=pa.array(list(SCORES))))
    score = np.array([SCORES[word] for word in rows["outcome"].to_pylist()], np.float64)
    prompt, rater = (coded(rows[name].to_pylist())[1] for name in ("prompt", "rater"))
    found = decide(score, prompt, rater)
    return Question(model_a, model_b, len(rows), found.verdict, found.more_votes, found.obstacle, found.evidence)
