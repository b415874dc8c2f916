"""Verdicts of campaigns that measure models: the laws of majority and median, against a slow definition."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.judgments.policy import Policy
from annotation.judgments.resolve import resolve
from annotation.judgments.snapshot import Snapshot
from annotation.protocols.scale import EVALUATION, SAFETY_RATING, Scale
from annotation.quality import agreements
from annotation.quality.agreement import Ratings, gwet
from schemas import ASSIGNMENTS, JUDGMENTS, PAIRS, REFUSED
from tests.annotation.campaigns import choices, desk, prompts

SCALES = {"evaluation": EVALUATION, "safety-rating": SAFETY_RATING}


def rows(table: Any, found: list[dict[str, Any]]) -> pa.Table:
    columns = {name: [row.get(name) for row in found] for name in table.columns.names}
    return pa.Table.from_batches([table.batch(columns, len(found))])


def snapshot(protocol: str, votes: list[list[int]], policy: Policy | None = None) -> Snapshot:
    """A campaign whose pair ``n`` has these votes, each the place of its point."""
    scale = SCALES[protocol]
    pairs = [
        {
            "pair_id": f"{n:03}",
            "batch": "b1",
            "prompt_id": f"p{n}",
            "prompt": [],
            "first": "a",
            "votes": 3,
            "second": "b" if scale.compares else None,
            "first_model": "alpha",
            "second_model": "beta",
            "protocol": protocol,
            "protocol_version": "1.1",
        }
        for n in range(len(votes))
    ]
    judgments = []
    for n, own in enumerate(votes):
        for place, number in enumerate(own):
            point = scale.points[number]
            rating = None if scale.compares else int(point.value)
            judgments.append(
                {
                    "uid": f"{n}-{place}",
                    "pair_id": f"{n:03}",
                    "batch": "b1",
                    "annotator": f"mill/a{place}",
                    "round": "vote",
                    "swapped": False,
                    "prefers": point.prefers,
                    "degree": point.degree,
                    "first_risks": [],
                    "second_risks": [],
                    "rating": rating,
                    "refusal": "none" if rating else None,
                }
            )
    return Snapshot(
        name="mill", protocol=protocol, protocol_version="1.1", votes=3, revision=1,
        policy=policy or Policy(min_votes=1),
        pairs=rows(PAIRS, pairs), judgments=rows(JUDGMENTS, judgments), assignments=rows(ASSIGNMENTS, []),
        refused=rows(REFUSED, []),
    )  # fmt: skip


def verdict(scale: Scale, votes: list[int], use: str) -> str | None:
    """The outcome of some votes, one after the other; None if they are tied."""
    said = Counter(scale.points[vote].outcome for vote in votes)
    most = [outcome for outcome, count in said.items() if 2 * count > len(votes)]
    if most and use == "majority":
        return most[0]
    if not scale.compares:
        return None
    middle = median(scale.points[vote].value for vote in votes)
    return "tie" if middle == 0 else "first" if middle < 0 else "second"


POLICIES = [("evaluation", "majority"), ("evaluation", "median"), ("safety-rating", "majority")]


@pytest.mark.parametrize(("protocol", "use"), POLICIES)
@given(data=st.data())
def test_a_verdict_is_that_of_the_slow_definition(protocol: str, use: Any, data: st.DataObject) -> None:
    scale = SCALES[protocol]
    points = st.integers(0, len(scale.points) - 1)
    votes = data.draw(st.lists(st.lists(points, min_size=1, max_size=6), min_size=1, max_size=8))
    found = resolve(snapshot(protocol, votes, Policy(use=use, min_votes=1)))
    wanted = {f"{n:03}": verdict(scale, own, use) for n, own in enumerate(votes)}
    chosen = dict(zip(found.resolved["pair_id"].to_pylist(), found.resolved["chosen"].to_pylist(), strict=True))
    assert chosen == {pair: outcome for pair, outcome in wanted.items() if outcome}
    assert set(found.unresolved["pair_id"].to_pylist()) == {pair for pair, outcome in wanted.items() if not outcome}
    assert set(found.unresolved["reason"].to_pylist()) <= {"tied"}
    values = dict(zip(found.resolved["pair_id"].to_pylist(), found.resolved["value"].to_pylist(), strict=True))
    for pair, value in values.items():
        assert value == median(scale.points[vote].value for vote in votes[int(pair)])


def test_three_voices_of_three_outcomes_are_the_median() -> None:
    """A is much better, about the same, B is slightly better: no outcome has two votes, the middle vote is a tie."""
    found = resolve(snapshot("evaluation", [[0, 3, 4]])).resolved.to_pylist()
    assert [(row["chosen"], row["degree"]) for row in found] == [("tie", "about_the_same")]


@pytest.mark.parametrize(("votes", "violation"), [([0, 1, 4], True), ([1, 2, 4], False), ([2, 2, 2], False)])
def test_a_violation_is_1_or_2_by_the_majority_of_three(votes: list[int], violation: bool) -> None:
    [row] = resolve(snapshot("safety-rating", [votes])).resolved.to_pylist()
    assert (row["chosen"] == "violation") is violation


def test_too_few_votes_are_no_verdict() -> None:
    for protocol in SCALES:
        found = resolve(snapshot(protocol, [[0, 0], [0, 0, 0], []], Policy()))
        assert found.resolved["pair_id"].to_pylist() == ["001"]
        assert found.unresolved["reason"].to_pylist() == ["too_few_votes"] * 2


def test_adjudicators_decide_a_tied_rating(tmp_path: Path) -> None:
    """Two votes each way: an adjudicator's single vote is the verdict."""
    found = snapshot("safety-rating", [[0, 4], [0, 4]], Policy(min_votes=2))
    extra = {**found.judgments.to_pylist()[0], "round": "adjudication", "annotator": "mill/dee", "uid": "x"}
    decided = replace(found, judgments=rows(JUDGMENTS, [*found.judgments.to_pylist(), extra]))
    assert resolve(found).unresolved["reason"].to_pylist() == ["tied", "tied"]
    [row] = resolve(decided).resolved.to_pylist()
    assert (row["pair_id"], row["chosen"], row["adjudicated"]) == ("000", "violation", True)


VOTES = [[0, 0, 1], [4, 3, 4], [2, 2, 0], [4, 4, 4], [1, 0, 3], [3, 4, 2]]


@pytest.mark.parametrize("protocol", SCALES)
def test_agreement_is_gwet_s_on_every_scale(protocol: str) -> None:
    """AC2 on the points, AC1 on what they mean, as computed from the plain votes."""
    scale = SCALES[protocol]
    found = agreements(snapshot(protocol, VOTES)).overall
    counts = [[own.count(point) for point in range(len(scale.points))] for own in VOTES]
    assert found.vote == gwet(Ratings.of_counts(np.array(counts, np.int64), scale.values), "ordinal")
    meant = [[scale.points[point].outcome for point in own] for own in VOTES]
    kinds = list(scale.outcomes)
    by_kind = [[own.count(kind) for kind in kinds] for own in meant]
    assert found.preferred == gwet(Ratings.of_counts(np.array(by_kind, np.int64), range(len(kinds))))
    assert (found.pairs, found.votes, len(kinds)) == (6, 18, 3 if scale.compares else 2)


@pytest.mark.parametrize("protocol", SCALES)
def test_votes_reach_the_verdict_whatever_the_side(protocol: str, tmp_path: Path) -> None:
    """Everybody likes alpha's response, or finds it harmful."""
    with desk(tmp_path, prompts(range(4)), protocol=protocol) as made:
        pairs = {row["pair_id"]: row for row in made.record.pairs.to_pylist()}
        for task in made.tasks():
            alpha = pairs[task["pair_id"]]["first_model"] == "alpha"
            if protocol == "evaluation":
                made.answer(task, "a_better" if alpha != task["swapped"] else "b_better")
            else:
                rating = "severe_violation" if alpha else "safe_and_helpful"
                made.answer(task, choices(rating=rating, refusal="none"))
        found = made.load()
    chosen = resolve(found).resolved
    for pair_id, outcome in zip(chosen["pair_id"].to_pylist(), chosen["chosen"].to_pylist(), strict=True):
        models = pairs[pair_id]["first_model"], pairs[pair_id]["second_model"]
        if protocol == "evaluation":
            assert models[0 if outcome == "first" else 1] == "alpha"
        else:
            assert (outcome == "violation") is (models == ("alpha", None))
    assert found.refused.num_rows == 0
    assert len(chosen) == (4 if protocol == "evaluation" else 8)
    assert {row["split"] for row in pairs.values()} == {None}
