"""Agreement of a judge with people: a hand-checked case, votes in a campaign, and a published judge."""

import csv
import gzip
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from annotation.evaluation.agreement import POINTS, agree, agreement
from annotation.evaluation.judging import Verdict
from annotation.evaluation.pairs import of_campaign
from annotation.evaluation.tables import tables_of
from annotation.evaluation.verdicts import Outcome
from tests.annotation.campaigns import desk


def test_split_votes_and_ties_are_counted_as_documented() -> None:
    """Pairs: agreed, contradicted, split votes, judge's tie, people's tie, no votes."""
    votes = np.array([[3, 0, 0], [2, 1, 0], [1, 1, 0], [0, 3, 0], [0, 1, 2], [0, 0, 0]])
    found = agree(np.array([POINTS.index(name) for name in ("first", "second", "first", "tie", "tie", "first")]), votes)
    assert (found.pairs, found.votes) == (5, 14)
    assert (found.majority.count, found.majority.total) == (2, 4)
    assert (found.decided.count, found.decided.total) == (1, 2)
    # the judge says first, second, tie, tie to what most votes call first, first, second, tie: 2/4 by 5/16 of chance
    assert found.kappa.value == pytest.approx((2 / 4 - 5 / 16) / (1 - 5 / 16))


def test_ac1_of_two_raters_is_gwets() -> None:
    """Gwet 2008: with two raters, p_a = 3/4; used shares are 3/8 and 5/8, chance is 2 x 15/64 / 2 of three points."""
    found = agree(np.array([0, 0, 1, 1]), np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]]))
    chance = (3 / 8 * 5 / 8 + 5 / 8 * 3 / 8) / 2
    assert found.ac1.value == pytest.approx((3 / 4 - chance) / (1 - chance))


def test_no_votes_give_no_agreement() -> None:
    found = agree(np.array([0, 1]), np.zeros((2, 3), np.int64))
    assert (found.pairs, found.ac1.value, found.kappa.value, found.majority.value) == (0, None, None, None)


def test_votes_of_a_campaign_meet_the_verdicts_on_the_same_pairs(tmp_path: Path) -> None:
    """Four pairs of three votes: the judge agrees with all, none, contradicts nobody on a pair that it leaves open."""
    with desk(tmp_path) as mill:
        pairs = of_campaign(mill.load())
        prefer = {each.pair_id: place < 2 for place, each in enumerate(pairs.pairs)}
        for task in mill.tasks():
            first = prefer[task["pair_id"]] != task["swapped"]
            mill.answer(task, "a_better" if first else "b_better")
        snapshot = mill.load()
    said: list[Outcome] = ["first", "second", "second", "refused"]
    verdicts = [Verdict(each, outcome, False, ()) for each, outcome in zip(pairs.pairs, said, strict=True)]
    found = agreement(tables_of(verdicts, pairs).verdicts, snapshot)
    assert (found.pairs, found.votes) == (3, 9)
    assert (found.majority.count, found.majority.total) == (2, 3)


def test_a_published_judge_agrees_with_the_crowd_as_published(shared: Path) -> None:
    """GPT-4 and the crowd of llmfao: 44.6% with ties, 74.6% without."""
    folder = shared / "data" / "evaluation"
    crowd, judge = (
        _outcomes(folder / f"llmfao_{name}.csv.gz") for name in ("crowd-comparisons", "gpt4-crowd-comparisons")
    )
    pairs = sorted(crowd)
    votes = np.array([[crowd[pair][point] for point in POINTS] for pair in pairs])
    own = np.array([POINTS.index(next(iter(judge[pair]))) for pair in pairs])
    found = agree(own, votes)
    assert (found.pairs, found.votes) == (2_139, 8_931)
    assert found.majority.value == pytest.approx(0.446, abs=5e-4)
    assert found.decided.value == pytest.approx(0.746, abs=5e-4)


def _outcomes(path: Path) -> dict[tuple[str, str, str], Counter[str]]:
    """The outcomes of each prompt and two models, in the order of their names."""
    found: defaultdict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            first, second = sorted((row["left"], row["right"]))
            winner = {"left": row["left"], "right": row["right"]}.get(row["winner"])
            outcome = "tie" if winner is None else "first" if winner == first else "second"
            found[row["prompt"], first, second][outcome] += 1
    return found
