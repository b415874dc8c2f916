"""The real votes and judgments of ../shared/data/evaluation as columns."""

import csv
import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt

from annotation.statistics.outcomes import Outcomes

ARENA = {"model_a": 1.0, "model_b": 0.0, "tie": 0.5, "tie (bothbad)": 0.5}
"""The score of model A for each word of the arena's votes."""
LLMFAO = {"left": "win", "right": "loss", "tie": "tie"}


def table(shared: Path, name: str) -> dict[str, list[str]]:
    """The columns of a file."""
    with gzip.open(shared / "data" / "evaluation" / f"{name}.csv.gz", "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {column: [row[column] for row in rows] for column in rows[0]}


def arena(shared: Path, model: str, judge: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The scores that people and a judge gave to a model in each of its battles with others."""
    votes = table(shared, "arena_votes")
    first, second = (np.array(votes[side]) == model for side in ("model_a", "model_b"))
    people, judged = (np.array([ARENA[word] for word in votes[who]]) for who in ("human", judge))
    played = first ^ second
    return tuple(np.where(first, score, 1 - score)[played] for score in (people, judged))  # type: ignore[return-value]


def llmfao(shared: Path) -> tuple[Outcomes, npt.NDArray[np.int64]]:
    """The crowd's votes, model A on the left, and the comparison (two responses to one prompt) of each vote."""
    votes = table(shared, "llmfao_crowd-comparisons")
    outcomes = Outcomes.of(
        votes["prompt"], votes["worker"], votes["left"], votes["right"], [LLMFAO[word] for word in votes["winner"]]
    )
    return outcomes, np.array(votes["id"], np.int64)
