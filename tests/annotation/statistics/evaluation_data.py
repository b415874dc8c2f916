"""The real votes and judgments of ../shared/data/evaluation as columns."""

import csv
import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt

from annotation.statistics.outcomes import Outcomes
from annotation.statistics.prediction_powered import Calibrated, Judged, Labelled, prediction_powered

Floats = npt.NDArray[np.float64]

ARENA = {"model_a": 1.0, "model_b": 0.0, "tie": 0.5, "tie (bothbad)": 0.5}
"""The score of model A for each word of the arena's votes."""
RATED = ("vicuna-13b", "gpt-3.5-turbo", "palm-2")
JUDGES = ("gpt_4", "claude_3_opus", "gpt_3_5")
LLMFAO = {"left": "win", "right": "loss", "tie": "tie"}


def table(shared: Path, name: str) -> dict[str, list[str]]:
    """The columns of a file."""
    with gzip.open(shared / "data" / "evaluation" / f"{name}.csv.gz", "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {column: [row[column] for row in rows] for column in rows[0]}


def arena(shared: Path, model: str, judge: str) -> tuple[Floats, Floats]:
    """The scores that people and a judge gave to a model in each of its battles with others."""
    votes = table(shared, "arena_votes")
    first, second = (np.array(votes[side]) == model for side in ("model_a", "model_b"))
    people, judged = (np.array([ARENA[word] for word in votes[who]]) for who in ("human", judge))
    played = first ^ second
    return tuple(np.where(first, score, 1 - score)[played] for score in (people, judged))  # type: ignore[return-value]


def calibrated(human: Floats, judge: Floats, others: Floats) -> Calibrated:
    """The human win rate from one vote for each of some prompts, and a judge's scores of these and of other prompts."""
    count = len(human)
    labelled = Labelled(human, judge, np.arange(count))
    return prediction_powered(labelled, Judged(others, count + np.arange(len(others))))


def drawn(human: Floats, judge: Floats, votes: int, draw: np.random.Generator) -> Calibrated:
    """That many human votes, and the judge on as many further battles as there are, drawn with replacement."""
    labelled = draw.integers(0, len(human), votes)
    others = draw.integers(0, len(human), len(human) - votes)
    return calibrated(human[labelled], judge[labelled], judge[others])


def llmfao(shared: Path) -> tuple[Outcomes, npt.NDArray[np.int64]]:
    """The crowd's votes, model A on the left, and the comparison (two responses to one prompt) of each vote."""
    votes = table(shared, "llmfao_crowd-comparisons")
    outcomes = Outcomes.of(
        votes["prompt"], votes["worker"], votes["left"], votes["right"], [LLMFAO[word] for word in votes["winner"]]
    )
    return outcomes, np.array(votes["id"], np.int64)
