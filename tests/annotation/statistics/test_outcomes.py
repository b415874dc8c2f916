"""What votes say about a win rate, and that nothing without a verdict counts as a win or a loss."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.statistics.clusters import Ratio, interval
from annotation.statistics.outcomes import LOSS, OUTCOMES, TIE, WIN, Outcomes, bounds, majority, parts
from tests.annotation.statistics.evaluation_data import table

NAMES = st.sampled_from("abc")
ROWS = st.lists(st.tuples(NAMES, NAMES, NAMES, NAMES, st.sampled_from(OUTCOMES)), min_size=1, max_size=30)
DEFINITIONS = st.sampled_from(["decided", "half"])
Row = tuple[str, str, str, str, str]


def outcomes(rows: list[Row]) -> Outcomes:
    return Outcomes.of(*(list(column) for column in zip(*rows, strict=True)))


@given(ROWS, DEFINITIONS)
def test_a_vote_without_a_verdict_moves_the_bounds_only(rows: list[Row], definition: str) -> None:
    all_votes = outcomes(rows)
    decided = all_votes.filter(all_votes.decided)
    found, alone = bounds(all_votes.outcome, definition), bounds(decided.outcome, definition)
    assert found.value == alone.value
    assert found.without_verdict == len(all_votes) - len(decided)
    if found.low is not None and found.high is not None and found.value is not None:
        assert found.low <= found.value <= found.high
        assert (found.low == found.high) == (found.without_verdict == 0)


@given(ROWS, DEFINITIONS)
def test_the_mirrored_votes_give_the_mirrored_win_rate(rows: list[Row], definition: str) -> None:
    votes = outcomes(rows)
    found, mirrored = bounds(votes.outcome, definition), bounds(votes.mirrored().outcome, definition)
    if found.value is not None:
        assert mirrored.value == pytest.approx(1 - found.value)
    if found.low is not None and found.high is not None:
        assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low))
    assert votes.mirrored().mirrored().outcome.tolist() == votes.outcome.tolist()


@given(ROWS)
def test_the_votes_of_a_model_do_not_depend_on_its_side(rows: list[Row]) -> None:
    for model in "abc":
        votes = outcomes(rows)
        if model in votes.models:
            own, turned = votes.of_model(model), votes.mirrored().of_model(model)
            assert own.outcome.tolist() == turned.outcome.tolist()
            assert set(own.model_a.tolist()) <= {votes.models.index(model)}


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_votes_never_matters(rows: list[Row], draw: st.DataObject) -> None:
    other = sorted(rows, key=lambda row: hash(row[0]) % 7)
    one, two = majority(outcomes(rows)), majority(outcomes(other))
    for column in ("prompt", "model_a", "model_b", "outcome"):
        assert getattr(one, column).tolist() == getattr(two, column).tolist()


def test_the_parts_of_a_win_rate() -> None:
    outcome = np.array([WIN, TIE, LOSS, OUTCOMES.index("refused")], np.int8)
    assert [part.tolist() for part in parts(outcome, "decided")] == [[1, 0, 0, 0], [1, 0, 1, 0]]
    assert [part.tolist() for part in parts(outcome, "half")] == [[1, 0.5, 0, 0], [1, 1, 1, 0]]


def test_three_votes_become_the_outcome_of_most() -> None:
    votes = {"p1": "win win loss", "p2": "win tie loss", "p3": "tie loss loss", "p4": "error refused missing"}
    rows = [(prompt, str(n), "x", "y", word) for prompt in votes for n, word in enumerate(votes[prompt].split())]
    assert [OUTCOMES[code] for code in majority(outcomes(rows)).outcome] == ["win", "tie", "loss", "missing"]


def test_votes_with_exchanged_sides_are_counted_together() -> None:
    rows = [("p", "1", "x", "y", "win"), ("p", "2", "y", "x", "loss"), ("p", "3", "y", "x", "win")]
    [outcome] = majority(outcomes(rows)).outcome
    assert OUTCOMES[outcome] == "win"


def test_a_wrong_word_is_named() -> None:
    with pytest.raises(ValueError, match="'won' is not an outcome"):
        outcomes([("p", "r", "x", "y", "won")])


def test_the_published_win_rates_of_alpaca_eval(shared: Path) -> None:
    """All 24 win rates and standard errors (with n - 1), in percent: an outcome may also be a probability."""
    rows, expected = table(shared, "alpaca_eval_preferences"), table(shared, "alpaca_eval_expected")
    run = np.array([f"{a} {m}" for a, m in zip(rows["annotator"], rows["model"], strict=True)])
    preference = np.array([float(value or "nan") for value in rows["preference"]])
    score = np.where(preference == 0, 0.5, preference - 1)
    found = {}
    for name in np.unique(run):
        own = score[(run == name) & ~np.isnan(score)]
        made = interval(Ratio(own, np.ones(len(own)), np.arange(len(own))))
        assert made.value is not None
        assert made.error is not None
        found[name] = (made.votes, 100 * made.value, 100 * made.error)
    for annotator, model, *published in zip(*expected.values(), strict=True):
        assert found[f"{annotator} {model}"] == pytest.approx(tuple(map(float, published)), rel=1e-12, abs=1e-12)
    assert len(found) == len(expected["model"]) == 24
