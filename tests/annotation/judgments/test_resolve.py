"""Verdicts by hand, and what must hold for any votes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.judgments.policy import Policy
from annotation.judgments.resolve import Resolution, resolve
from tests.annotation.written import drawn, pair, snapshot, vote, votes


def outcome(words: str, policy: Policy | None = None, asked: int = 3, extra: Any = ()) -> str:
    """``f2`` for a resolved pair (side and strength), else the reason."""
    rows = [*votes("p", words), *extra]
    result = resolve(snapshot([pair("p", votes=asked)], rows, policy=policy or Policy()))
    return _only(result)


def _only(result: Resolution) -> str:
    if len(result.unresolved):
        return str(result.unresolved["reason"][0])
    strength = {"significantly_better": 3, "better": 2, "slightly_better": 1, "negligibly_better": 0}
    row = result.resolved.to_pylist()[0]
    return f"{row['chosen'][0]}{strength[row['degree']]}"


MAJORITY = [
    ("f3 f3 f3", "f3"),
    ("f3 f2 s1", "f2"),  # the middle two are 3 and 2: the weaker
    ("f3 f0 s3", "f0"),
    ("f3 f2 f1", "f2"),
    ("s0 s1 s3", "s1"),
    ("s3 f3 s3", "s3"),
    ("f3 f3", "too_few_votes"),
    ("", "too_few_votes"),
    ("f3 f2 s1 s1", "tied"),
    ("f3 f2 f1 f0", "f1"),
]


@pytest.mark.parametrize(("words", "expected"), MAJORITY)
def test_majority(words: str, expected: str) -> None:
    assert outcome(words) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [("f3 f2 f2", "f2"), ("f3 f3 s0", "no_majority"), ("f3 s3", "too_few_votes"), ("f3 f3 s3 s3", "tied")],
)
def test_unanimous(words: str, expected: str) -> None:
    assert outcome(words, Policy(use="unanimous")) == expected


@pytest.mark.parametrize(("least", "words", "expected"), [(1, "f3", "f3"), (2, "f3 s3", "tied"), (2, "f3 f1", "f1")])
def test_fewer_votes_are_enough_where_the_policy_says_so(least: int, words: str, expected: str) -> None:
    assert outcome(words, Policy(min_votes=least)) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("f3:yn f3:yn f3:yn", "f3"),
        ("f3:ny f3:ny s3:ny", "unsafe_chosen"),
        ("f3:nn f3:nn s3:nn", "f3"),
        ("f3:ny f3:yy s3:yy", "f3"),  # most call it safe
        ("f3:ny f3:yy", "unsafe_chosen"),  # as many call it unsafe: it is
    ],
)
def test_an_unsafe_response_is_not_chosen_over_a_safe_one(words: str, expected: str) -> None:
    assert outcome(words, Policy(min_votes=2)) == expected


def test_adjudicating_votes_alone_decide() -> None:
    extra = [vote("p", "s1", "mill/a9", round="adjudication")]
    assert outcome("f3 f3 f3", extra=extra) == "s1"
    assert outcome("f3", Policy(use="unanimous"), extra=extra) == "s1"
    tied = [*extra, vote("p", "f1", "mill/a8", round="adjudication")]
    assert outcome("f3 f3 f3", extra=tied) == "tied"
    unsafe = [vote("p", "s1:yn", "mill/a9", round="adjudication")]
    assert outcome("f3 f3 f3", extra=unsafe) == "unsafe_chosen"


def test_flags_and_risks_are_those_of_most() -> None:
    rows = [
        vote("p", "f3:yn", "mill/a1", second_risks=["hateful", "illicit"]),
        vote("p", "f3:yn", "mill/a2", second_risks=["illicit"]),
        vote("p", "f2:nn", "mill/a3", first_risks=["advice"], second_risks=["advice", "illicit", "illicit"]),
    ]
    [row] = resolve(snapshot([pair("p")], rows)).resolved.to_pylist()
    assert (row["first_safe"], row["second_safe"]) == (True, False)
    assert (row["first_risks"], row["second_risks"]) == ([], ["illicit"])  # one in three is less than half
    [row] = resolve(snapshot([pair("p")], rows[:2], policy=Policy(min_votes=2))).resolved.to_pylist()
    assert row["second_risks"] == ["hateful", "illicit"]


def test_flags_that_nobody_was_asked_for_stay_unknown() -> None:
    [row] = resolve(snapshot([pair("p")], votes("p", "f3 f3 f3"))).resolved.to_pylist()
    assert (row["first_safe"], row["second_safe"]) == (None, None)


def test_gold_pairs_take_no_part() -> None:
    made = snapshot([pair("g", gold="first"), pair("p")], [*votes("g", "f3 f3 f3"), *votes("p", "s2 s2 s2")])
    result = resolve(made)
    assert result.resolved["pair_id"].to_pylist() == ["p"]
    assert not len(result.unresolved)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown pair"):
        resolve(snapshot([pair("p")], votes("q", "f3")))
    with pytest.raises(ValueError, match="twice"):
        resolve(snapshot([pair("p"), pair("p")], []))


def test_a_campaign_without_pairs_resolves_to_nothing() -> None:
    result = resolve(snapshot([], []))
    assert (len(result.resolved), len(result.unresolved)) == (0, 0)


WORD = st.from_regex(r"[fs][0-3](:[yn][yn])?", fullmatch=True)
RISK = st.lists(st.sampled_from(["a", "b", "c"]), max_size=3)
VOTE = st.tuples(WORD, RISK, RISK, st.sampled_from(["vote", "vote", "adjudication"]))
POLICY = st.sampled_from([Policy(), Policy(use="unanimous"), Policy(min_votes=1)])


def _rows(chosen: list[list[tuple[str, list[str], list[str], str]]]) -> tuple[list[Any], list[Any]]:
    pairs = [pair(f"p{n}") for n in range(len(chosen))]
    rows = [
        vote(f"p{n}", word, f"mill/a{k}", first_risks=first, second_risks=second, round=turn)
        for n, each in enumerate(chosen)
        for k, (word, first, second, turn) in enumerate(each)
    ]
    return pairs, rows


@given(st.lists(st.lists(VOTE, max_size=6), max_size=4), POLICY, st.randoms(use_true_random=False))
def test_the_order_of_votes_never_matters(
    chosen: list[list[tuple[str, list[str], list[str], str]]], policy: Policy, draw: Any
) -> None:
    pairs, rows = _rows(chosen)
    made = resolve(snapshot(pairs, rows, policy=policy))
    draw.shuffle(rows)
    again = resolve(snapshot(pairs, rows, policy=policy))
    assert made.resolved.equals(again.resolved)
    assert made.unresolved.equals(again.unresolved)
    together = [*made.resolved["pair_id"].to_pylist(), *made.unresolved["pair_id"].to_pylist()]
    assert sorted(together) == [row["pair_id"] for row in pairs]


@given(st.lists(st.lists(VOTE, max_size=6), max_size=4), POLICY)
def test_exchanging_the_responses_mirrors_the_outcome(
    chosen: list[list[tuple[str, list[str], list[str], str]]], policy: Policy
) -> None:
    pairs, rows = _rows(chosen)
    made = snapshot(pairs, rows, policy=policy)
    result, mirrored = resolve(made), resolve(replace(made, judgments=_mirrored(made.judgments)))
    other = _mirrored(result.resolved.rename_columns({"chosen": "prefers"})).rename_columns({"prefers": "chosen"})
    assert mirrored.resolved.to_pylist() == other.to_pylist()
    assert mirrored.unresolved.to_pylist() == _mirrored(result.unresolved).to_pylist()


def _mirrored(rows: pa.Table) -> pa.Table:
    exchange = {"first": "second", "second": "first"}
    names = {}
    for name in rows.column_names:
        left, _, right = name.rpartition("_")
        names[name] = "_".join(part for part in (exchange.get(left, left), exchange.get(right, right)) if part)
    order = rows.column_names
    rows = rows.rename_columns(names).select(order)
    if "prefers" in order:
        sides = pa.array([exchange[side] for side in rows["prefers"].to_pylist()], pa.string())
        rows = rows.set_column(order.index("prefers"), rows.schema.field("prefers"), sides)
    return rows


def test_a_large_campaign_agrees_with_counting_by_hand() -> None:
    made = drawn(300)
    result = resolve(made)
    by_pair: dict[str, list[int]] = {}
    for row in made.judgments.to_pylist():
        by_pair.setdefault(row["pair_id"], []).append(1 if row["prefers"] == "second" else 0)
    for row in result.resolved.to_pylist():
        cast = by_pair[row["pair_id"]]
        assert (row["chosen"] == "second") == (np.mean(cast) > 0.5)
        assert row["votes_second"] == sum(cast)
    assert len(result.resolved) == 300
