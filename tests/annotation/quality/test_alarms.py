"""The alarms about agreement, drift, skipped pairs and people who stopped, by hand on small campaigns."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from scipy.stats import fisher_exact

from annotation.judgments.policy import Policy
from annotation.quality import Rules, assess
from annotation.quality.drift import Change
from annotation.quality.peers import peers
from annotation.quality.stalls import Stuck, stuck, waiting
from annotation.statistics.distributions import fisher_p
from annotation.statistics.shares import Share
from jobs.campaign.attention import items
from schemas import ASSIGNMENTS
from tests.annotation.written import pair, snapshot, table, vote, votes

START = datetime(2026, 5, 4, tzinfo=UTC)
LAST = "last voted on 2026-05-04, with 1 open task; others gave 24 votes in the 2.0 days since"


def said(rows: list[dict[str, Any]], pairs: list[dict[str, Any]], **changes: Any) -> list[tuple[str, str, str]]:
    made = replace(snapshot(pairs, rows), **changes)
    return [(item.kind, item.annotator, item.message) for item in items(made, assess(made), {}, "mill")]


@pytest.mark.parametrize("counts", [(8, 10, 1, 6), (0, 20, 20, 20), (30, 60, 31, 59), (5, 5, 5, 5), (0, 0, 2, 3)])
def test_fishers_exact_test_as_in_scipy(counts: tuple[int, int, int, int]) -> None:
    count, total, other, others = counts
    expected = fisher_exact([[count, total - count], [other, others - other]])[1]
    assert fisher_p(*counts) == pytest.approx(expected)


def test_agreement_with_others_leaves_out_gold_adjudication_and_pairs_alone() -> None:
    pairs = [pair("p"), pair("q"), pair("r"), pair("g", gold="first")]
    rows = [*votes("p", "f1 f1 s1"), *votes("q", "s1 s1"), *votes("r", "f1"), *votes("g", "f1 s1")]
    found = peers(snapshot(pairs, [*rows, vote("p", "s1", "mill/a9", round="adjudication")]))
    assert list(found) == ["mill/a1", "mill/a2", "mill/a3"]
    assert [each.agreement.units for each in found.values()] == [2, 2, 1]
    second = ((0 + 1 / 2) / 2 + (1 + 1) / 2) / 2  # of mill/a1: first on p, where the others differ; second on q
    chance = 2 * second * (1 - second)
    assert found["mill/a1"].agreement.value == pytest.approx((3 / 4 - chance) / (1 - chance))
    assert found["mill/a1"].by_batch == {"batch-1": Share(1, 1)}, "on p the other votes are one each"
    assert found["mill/a3"].by_batch == {"batch-1": Share(0, 1)}


def test_low_and_negative_agreement_are_two_alarms() -> None:
    pairs, rows = [pair(f"p{n:02}") for n in range(40)], []
    for n in range(40):
        right, wrong = ("f1", "s1") if n % 2 else ("s1", "f1")
        random = right if n % 4 < 2 else wrong
        rows += votes(f"p{n:02}", f"{right} {right} {wrong} {random} {right} {right}", swapped=n % 3 == 0)
    assert [(kind, name) for kind, name, _ in said(rows, pairs)] == [
        ("negative_agreement", "mill/a3"),
        ("low_agreement", "mill/a4"),
    ]
    assert not said(rows[: 6 * 19], pairs), "19 pairs are too few"


def test_drift_is_a_change_of_the_latest_batch() -> None:
    pairs = [pair(f"{batch}{n:02}", batch=batch) for batch in ("old", "new") for n in range(30)]
    rows = []
    for n in range(30):
        right, wrong = ("f1", "s1") if n % 2 else ("s1", "f1")
        rows += votes(f"old{n:02}", f"{right} {right} {right}", swapped=n % 4 < 2, batch="old")
        left = {"f1": False, "s1": True}
        rows += [vote(f"new{n:02}", right, name, swapped=n % 4 < 2, batch="new") for name in ("mill/a1", "mill/a2")]
        worse = wrong if n < 20 else right
        swapped = left[worse] == (n < 29)
        rows.append(vote(f"new{n:02}", worse, "mill/a3", swapped=swapped, batch="new"))
    made = snapshot(pairs, rows)
    concerns = {each.rule: each.measure for each in assess(made).concerns if each.annotator == "mill/a3"}
    assert concerns["agreement_drift"] == Change("new", Share(30, 30), Share(10, 30))
    assert concerns["side_drift"] == Change("new", Share(15, 30), Share(29, 30))
    [told] = [text for kind, _, text in said(rows, pairs) if kind == "agreement_drift"]
    assert told == (
        "agrees with most others on 33% of 30 pairs in new, on 100% of 30 before (Fisher's exact test, p < 0.001)"
    )
    assert {each.annotator for each in assess(made).concerns} == {"mill/a3"}
    assert "drift" not in str(assess(made, Rules(min_votes=31)).concerns)


def test_pairs_that_skips_keep_from_a_verdict() -> None:
    pairs = [*(pair(name) for name in "pqrs"), pair("g", gold="first")]
    states = {
        "p": "done done skipped",
        "q": "open skipped skipped",
        "r": "done done open",
        "s": "skipped done done",
        "g": "skipped done done",
    }
    tasks = [
        {**row, "state": state}
        for name, words in states.items()
        for row, state in zip(votes(name, "f1 f1 f1"), words.split(), strict=True)
    ]
    tasks.append({**vote("s", "f1", "mill/a9", round="adjudication"), "state": "open"})
    made = replace(snapshot(pairs, []), assignments=table(ASSIGNMENTS, tasks))
    assert stuck(made) == Stuck(("p", "q"), {"mill/a3": 2, "mill/a2": 1})
    assert stuck(replace(made, policy=Policy(min_votes=2))) == Stuck(("q",), {"mill/a2": 1, "mill/a3": 1})
    [item] = items(made, assess(made), {}, "mill")
    assert item.message == (
        "2 pairs can no longer get the votes that a verdict needs, because of skips (mill/a3 2, mill/a2 1)"
    )
    assert item.help.startswith("gristmill campaign reassign mill --skipped asks")


def test_who_stopped_is_seen_by_the_votes_of_others() -> None:
    pairs = [pair(f"p{n:02}") for n in range(25)]
    hours = [("mill/a1", 0), *(("mill/a2", 2 * n) for n in range(1, 25))]
    rows = [
        vote(f"p{n:02}", "f1", name, swapped=n % 2 == 0, submitted=START + timedelta(hours=hour))
        for n, (name, hour) in enumerate(hours)
    ]
    tasks = [{**row, "state": "done"} for row in rows]
    tasks += [{**vote("p24", "f1", name), "state": "open"} for name in ("mill/a1", "mill/a2", "mill/a3")]
    assignments = table(ASSIGNMENTS, tasks)
    assert said(rows, pairs, assignments=assignments) == [
        (
            "stopped",
            "mill/a1",
            LAST,
        ),
        ("stopped", "mill/a3", "has not begun, with 1 open task; others gave 25 votes in 2.0 days"),
    ]
    assert not said(rows[:-1], pairs, assignments=assignments), "less than two days"
    assert waiting(replace(snapshot(pairs, []), assignments=assignments)) == {}
