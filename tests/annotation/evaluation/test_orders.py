"""Both orders together: what they come to, and what they do to a judge that prefers a position."""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.evaluation.accuracy import Accuracy, accuracy
from annotation.evaluation.book import request_of
from annotation.evaluation.judging import Answer, Question, Verdict, combine, draw, questions
from annotation.evaluation.pairs import Pair, Pairs
from annotation.evaluation.replies import Reply
from annotation.evaluation.tables import tables_of
from annotation.evaluation.verdicts import NO_VERDICT, Outcome, Reading
from annotation.evaluation.winrates import Position, matches, position
from tests.annotation.evaluation.judged import judge, pair

PAIRS = Pairs([], [("alpha", "beta")])
REPLY = Reply("", "stop", "", "judge-1", "")
REQUEST = request_of("", {})
SWAPPED: dict[str, Outcome] = {"first": "second", "second": "first"}


def verdict(of: Pair, *said: Outcome) -> Verdict:
    """The verdict on a pair of which the judge said this, in terms of what it was shown: as given, then swapped."""
    asked = [Question(of, swapped, "", REQUEST) for swapped in (False, True)]
    return combine([Answer(one, REPLY, Reading(outcome)) for one, outcome in zip(asked, said, strict=False)])


COMBINED: dict[tuple[Outcome, Outcome], tuple[Outcome, bool]] = {
    ("first", "second"): ("first", False),
    ("second", "first"): ("second", False),
    ("tie", "tie"): ("tie", False),
    ("first", "first"): ("tie", True),
    ("second", "second"): ("tie", True),
    ("first", "tie"): ("tie", True),
    ("tie", "first"): ("tie", True),
    ("first", "unparsed"): ("unparsed", False),
    ("refused", "second"): ("refused", False),
    ("truncated", "tie"): ("truncated", False),
    ("unparsed", "error"): ("error", False),
    ("truncated", "refused"): ("refused", False),
}


@pytest.mark.parametrize("said", COMBINED, ids="-".join)
def test_two_orders_come_to_one_verdict(said: tuple[Outcome, Outcome]) -> None:
    found = verdict(pair(1, "a", "b"), *said)
    assert (found.outcome, found.inconsistent) == COMBINED[said]


@given(st.tuples(*[st.sampled_from([each for each in get_args(Outcome) if each != "graded"])] * 2))
def test_a_pair_has_a_verdict_if_both_orders_have_one(said: tuple[Outcome, Outcome]) -> None:
    found = verdict(pair(1, "a", "b"), *said)
    assert (found.outcome in NO_VERDICT) == bool({*said} & {*NO_VERDICT})
    mirrored = verdict(pair(1, "b", "a"), said[1], said[0])
    assert mirrored.outcome == SWAPPED.get(found.outcome, found.outcome)


def test_a_random_order_depends_on_the_seed_and_the_pair_alone() -> None:
    pairs = [pair(number, "a", "b") for number in range(1000)]
    asked = [question.swapped for question in questions(pairs, judge(orders="random", seed=3))]
    assert asked == [question.swapped for question in questions(pairs, judge(orders="random", seed=3))]
    assert asked == [draw(3, each.pair_id) for each in pairs]
    assert 450 < sum(asked) < 550
    other = [question.swapped for question in questions(pairs, judge(orders="random", seed=4))]
    assert 400 < sum(one != another for one, another in zip(asked, other, strict=True)) < 600
    assert not any(question.swapped for question in questions(pairs, judge(orders="first")))


def simulated(rate: float, bias: float, orders: int, seed: int, pairs: int = 400) -> list[tuple[Outcome, ...]]:
    """What a judge says about each pair that says the side shown first with probability ``bias``, else the response
    that it finds better, which is the first one in a share ``rate`` of the pairs."""
    drawn = np.random.default_rng(seed)
    better = np.where(np.arange(pairs) < rate * pairs, 0, 1)
    biased = drawn.random((pairs, 2)) < bias
    return [
        tuple("first" if biased[n, order] or better[n] == order else "second" for order in range(orders))
        for n in range(pairs)
    ]


@cache
def combined(said: tuple[Outcome, ...]) -> Outcome:
    return verdict(pair(1, "a", "b"), *said).outcome


def estimate(says: Sequence[tuple[Outcome, ...]]) -> float:
    """The win rate of the first response."""
    counted = Counter(map(combined, says))
    return counted["first"] / (counted["first"] + counted["second"])


@pytest.mark.parametrize("rate", [0.5, 0.7, 0.95])
@pytest.mark.parametrize("bias", [0.1, 0.4])
def test_both_orders_take_the_bias_of_position_out_of_the_win_rate(rate: float, bias: float) -> None:
    """The mean over 200 simulations has a standard error of at most 0.15 points."""
    both = np.mean([estimate(simulated(rate, bias, 2, seed)) for seed in range(200)])
    assert abs(both - rate) < 0.005
    fixed = np.mean([estimate(simulated(rate, bias, 1, seed)) for seed in range(50)])
    assert fixed - rate == pytest.approx(bias * (1 - rate), abs=0.01)


def test_the_share_of_the_first_position_shows_the_bias() -> None:
    says = simulated(0.7, 0.4, 2, 1, 5_000)
    tables = tables_of([verdict(pair(number, "a", "b"), *said) for number, said in enumerate(says)], PAIRS)
    found = position(tables.said)
    assert found.compared == 5_000
    assert found.share == pytest.approx(0.7, abs=0.01)  # half of 1, half of 0.4
    assert found.changed / found.compared == pytest.approx(0.4, abs=0.02)
    rate = matches(tables)["alpha", "beta"].rate
    assert rate.value == estimate(says)
    calm = simulated(0.7, 0.0, 2, 1, 500)
    tables = tables_of([verdict(pair(number, "a", "b"), *said) for number, said in enumerate(calm)], PAIRS)
    assert position(tables.said) == Position(500, 500, 500, 0)


def test_position_bias_of_a_published_judge(shared: Path) -> None:
    """GPT-3.5 picks the first side of real arena battles 86% of the time."""
    path = shared / "data" / "evaluation" / "arena_votes.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        said = [row["gpt_3_5"] for row in csv.DictReader(lines)]
    outcomes: dict[str, Outcome] = {"model_a": "first", "model_b": "second"}
    verdicts = [verdict(pair(1, "a", "b"), outcomes.get(each, "tie")) for each in said]
    found = position(tables_of(verdicts, PAIRS).said)
    assert found.share is not None
    assert round(found.share, 2) == 0.86


def test_counts_of_llmbar_are_exact(shared: Path) -> None:
    """80 runs of judges over items with a known better answer; verdicts are given in terms of the items."""
    folder = shared / "data" / "evaluation"
    outcomes: dict[str, Outcome] = {"1": "first", "2": "second", "": "unparsed"}
    found: dict[str, list[tuple[Verdict, str]]] = defaultdict(list)
    with gzip.open(folder / "llmbar_verdicts.csv.gz", "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            swapped = outcomes[row["swapped"]]
            said = verdict(
                pair(len(found[row["set"]]), "a", "b"), outcomes[row["given"]], SWAPPED.get(swapped, swapped)
            )
            found[row["set"]].append((said, outcomes[row["label"]]))
    with gzip.open(folder / "llmbar_expected.csv.gz", "rt", encoding="utf-8") as lines:
        expected = list(csv.DictReader(lines))
    assert len(expected) == len(found) == 80
    for row in expected:
        items = found[row["set"]]
        counted = accuracy([each for each, _ in items], {each.pair.pair_id: label for each, label in items})
        names = ("correct_given", "correct_swapped", "correct_both", "equal")
        assert counted == Accuracy(len(items), *(int(row[name].partition(" / ")[0]) for name in names))
