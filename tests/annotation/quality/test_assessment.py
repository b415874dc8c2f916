"""What is measured of annotators, by hand on small campaigns."""

from dataclasses import replace

import pyarrow as pa
import pytest

from annotation.protocols.scale import PREFERENCE
from annotation.quality import Rules, agreements, assess
from annotation.quality.bias import leans
from annotation.quality.gold import accuracy
from annotation.quality.groups import model_pairs
from annotation.quality.pace import paces
from annotation.quality.votes import Votes
from annotation.statistics.shares import Share
from schemas import ASSIGNMENTS, JUDGMENTS, REFUSED
from tests.annotation.written import drawn, pair, snapshot, table, vote, votes


def test_the_scale_of_a_vote_goes_from_first_to_second() -> None:
    words = ["f3", "f2", "f1", "f0", "s0", "s1", "s2", "s3"]
    made = snapshot([pair("p")], [vote("p", word, f"mill/a{n}") for n, word in enumerate(words)])
    found = Votes.of(made)
    assert [PREFERENCE.values[point] for point in found.point] == [-4, -3, -2, -1, 1, 2, 3, 4]
    assert [PREFERENCE.strengths[point] for point in found.point] == [3, 2, 1, 0, 0, 1, 2, 3]
    assert [PREFERENCE.outcomes[each] for each in found.outcome] == ["first"] * 4 + ["second"] * 4


def test_the_left_side_is_that_of_the_task() -> None:
    rows = [vote("p", word, f"mill/a{n}", swapped=swap) for n, (word, swap) in enumerate(
        [("f1", False), ("f1", True), ("s1", False), ("s1", True)]
    )]  # fmt: skip
    assert Votes.of(snapshot([pair("p")], rows)).left.tolist() == [True, False, False, True]


def test_agreement_is_of_votes_on_pairs_that_are_not_gold() -> None:
    pairs = [pair("p"), pair("q"), pair("r"), pair("g", gold="first")]
    rows = [*votes("p", "f3 f3 f3"), *votes("q", "s0 s1 s3"), *votes("r", "f0 s0 f1")]
    found = agreements(snapshot(pairs, rows))
    noise = [*votes("g", "f3 s3"), vote("p", "s3", "mill/a9", round="adjudication")]
    assert agreements(snapshot(pairs, [*rows, *noise])) == found
    assert (found.overall.pairs, found.overall.votes) == (3, 9)
    assert found.overall.preferred.value == pytest.approx(_ac1([(3, 0), (0, 3), (2, 1)]))
    assert {name: each.pairs for name, each in found.by_degree.items()} == {
        "negligibly_better": 1,
        "slightly_better": 1,
        "significantly_better": 1,
    }


def _ac1(counts: list[tuple[int, int]]) -> float:
    """AC1 of two categories, three votes each, from its definition."""
    observed = sum((a * (a - 1) + b * (b - 1)) / 6 for a, b in counts) / len(counts)
    share = sum(a / 3 for a, _ in counts) / len(counts)
    chance = 2 * share * (1 - share)
    return (observed - chance) / (1 - chance)


def test_agreement_by_batch_and_by_models_is_that_of_the_part() -> None:
    made = drawn(200)
    found = agreements(made)
    assert sum(each.pairs for each in found.by_batch.values()) == found.overall.pairs == 200
    assert sum(each.votes for each in found.by_degree.values()) == found.overall.votes == 600
    assert list(found.by_models) == ["alpha / beta", "beta / gamma"]
    rows = made.pairs.to_pylist()
    part = {row["pair_id"] for row in rows if row["batch"] == "batch-2"}
    kept = [row for row in made.judgments.to_pylist() if row["pair_id"] in part]
    alone = agreements(replace(made, judgments=table(JUDGMENTS, kept)))
    assert alone.overall == found.by_batch["batch-2"]


def test_model_pairs_do_not_depend_on_which_comes_first() -> None:
    names = model_pairs(pa.chunked_array([["a", "b", None]]), pa.chunked_array([["b", "a", "a"]]))
    assert names.to_pylist() == ["a / b", "a / b", None]


def test_agreement_on_safety_takes_each_response_as_a_unit() -> None:
    rows = [*votes("p", "f3:yn f3:yn f1:yn"), *votes("q", "s1:yy s1:yy s1:yn")]
    found = agreements(snapshot([pair("p"), pair("q")], rows)).overall.safety
    assert found.units == 4
    assert found.value == pytest.approx(_ac1([(3, 0), (0, 3), (3, 0), (2, 1)]))
    assert agreements(snapshot([pair("p")], votes("p", "f1 f1"))).overall.safety.value is None


def test_accuracy_is_the_share_of_gold_pairs_answered_as_known() -> None:
    pairs = [pair("g", gold="first"), pair("h", gold="second"), pair("p")]
    rows = [*votes("g", "f3 s1"), *votes("h", "s0 s2 f1"), *votes("p", "s1 s1 s1 s1")]
    found = accuracy(snapshot(pairs, rows))
    assert found == {"mill/a1": Share(2, 2), "mill/a2": Share(1, 2), "mill/a3": Share(0, 1)}


def test_lean_counts_sides_not_responses() -> None:
    pairs = [pair(f"p{n}", batch=f"batch-{n % 2}") for n in range(6)]
    rows = [
        vote(f"p{n}", "f1" if n % 2 else "s1", swapped=n % 2 == 0, batch=f"batch-{n % 2}") for n in range(6)
    ]  # always the left one
    found = leans(snapshot(pairs, rows))
    assert found.overall.left == Share(6, 6)
    assert found.overall.p == pytest.approx(2 / 64)
    assert found.by_batch["batch-1"].left == Share(3, 3)


def test_pace_in_seconds_and_hasty_votes() -> None:
    long = "word " * 400
    pairs = [pair("p", first=long, second=long + "more"), pair("q"), pair("r")]
    rows = [vote("p", "f1", seconds=39.0), vote("q", "f1", seconds=1.9), vote("r", "f1", seconds=2.0)]
    found = paces(snapshot(pairs, [*rows, vote("r", "f1", "mill/a2", seconds=None)]))
    assert found["mill/a1"].quartiles == pytest.approx((1.95, 2.0, 20.5))
    assert found["mill/a1"].hasty == Share(2, 3)  # 801 words in 39 s, and anything in less than 2 s
    assert found["mill/a2"].quartiles is None


def test_concerns_name_who_and_why() -> None:
    pairs = [*(pair(f"p{n:03}") for n in range(100)), *(pair(f"g{n}", gold="first") for n in range(8))]
    rows = []
    for n in range(100):
        swapped, word = n % 2 == 0, "f1" if n % 3 else "s1"
        left, right = ("s1", "f1") if swapped else ("f1", "s1")
        rows += [
            vote(f"p{n:03}", word, "mill/a1", swapped=swapped),
            vote(f"p{n:03}", left, "mill/a2", swapped=swapped),
            vote(f"p{n:03}", right if n % 4 else left, "mill/a3", swapped=swapped),
            vote(f"p{n:03}", word, "mill/a10", swapped=swapped, seconds=1.0 if n < 11 else 30.0),
        ]
    rows += [vote(f"g{n}", "s2" if n < 7 else "f1", "mill/a1", swapped=n % 2 == 0) for n in range(8)]
    made = snapshot(pairs, rows)
    rules = Rules(min_agreement=-1)  # the four do not agree, which is another rule
    found = [(each.annotator, each.rule, each.measure) for each in assess(made, rules).concerns]
    found = [each for each in found if each[1] != "negative_agreement"]
    assert found == [
        ("mill/a1", "often_wrong", Share(1, 8)),
        ("mill/a2", "always_one_side", Share(100, 100)),
        ("mill/a3", "leans", Share(25, 100)),
        ("mill/a10", "too_fast", Share(11, 100)),
    ]
    assert not assess(made, Rules(min_votes=1000, min_gold=10)).concerns


def test_progress_and_quarantine_are_counted() -> None:
    rows = votes("p", "f1 f1")
    made = snapshot([pair("p")], rows)
    states = [{**row, "state": state} for row, state in zip(rows, ("done", "skipped"), strict=True)]
    refused = [{"annotation": "1", "reason": "not_asked", "message": "m", "raw": b""}] * 2
    found = assess(replace(made, assignments=table(ASSIGNMENTS, states), refused=table(REFUSED, refused))).progress
    assert found.by_annotator["mill/a2"] == {"done": 0, "open": 0, "skipped": 1, "refused": 0, "withdrawn": 0}
    assert found.by_batch["batch-1"]["done"] == 1
    assert found.refused == {"not_asked": 2}


def test_a_campaign_without_votes_is_no_error() -> None:
    found = assess(snapshot([pair("p"), pair("g", gold="first")], []))
    assert found.agreements.overall.votes == 0
    assert (found.accuracy, found.paces, found.concerns) == ({}, {}, ())
