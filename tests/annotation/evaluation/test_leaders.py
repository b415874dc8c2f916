"""The leaderboard: people and judges apart unless asked otherwise, and models without a rating are named."""

import math

import pyarrow as pa
import pytest

from annotation.evaluation.numbers import Number
from annotation.evaluation.reported import TOGETHER, Choices, leaders
from annotation.evaluation.sources import Source
from tests.annotation.evaluation.reports import judged


def numbers(*sources: Source, measure: str = "rating", **choices: object) -> dict[tuple[str, str | None], Number]:
    found = leaders(sources, Choices(**choices))  # type: ignore[arg-type]
    return {(each.number.source, each.number.model): each.number for each in found if each.number.measure == measure}


def test_two_models_are_rated_by_the_log_odds_of_their_votes() -> None:
    """Three wins to one: the difference of ratings is log 3 (Bradley and Terry 1952)."""
    found = numbers(judged(["first", "first", "first", "second", "refused"]))
    alpha, beta = found["judged", "alpha"], found["judged", "beta"]
    assert alpha.value is not None
    assert beta.value is not None
    assert alpha.value - beta.value == pytest.approx(math.log(3))
    assert (alpha.votes, alpha.left_out) == (4, "1 refused")


def test_sources_are_rated_apart_and_together_only_if_asked() -> None:
    """One source says three to one, the other one to three: together they say nothing."""
    one = judged(["first", "first", "first", "second"], name="one")
    other = judged(["first", "second", "second", "second"], name="other")
    apart = numbers(one, other)
    assert {source for source, _ in apart} == {"one", "other"}
    assert apart["one", "alpha"].value == pytest.approx(apart["other", "beta"].value)
    together = numbers(one, other, together=True)
    assert together[TOGETHER, "alpha"].value == pytest.approx(0, abs=1e-9)
    assert together[TOGETHER, "alpha"].votes == 8


def test_a_model_without_a_rating_is_named_with_the_reason() -> None:
    source = judged(["first", "second"], name="one")
    more = judged(["first", "first"], models=("alpha", "gamma"), name="one")
    both = Source(name="one", voters="judge", facts=(), votes=pa.concat_tables([source.votes, more.votes]))
    found = numbers(both)
    assert (found["one", "gamma"].value, found["one", "gamma"].method) == (None, "no win against a rated model")
    assert found["one", "alpha"].left_out == "gamma (no win against a rated model)"


def test_nothing_to_rate_is_said_in_words() -> None:
    [alone] = numbers(judged(["first", "first"])).values()
    assert alone.value is None
    assert "no two models can be rated" in alone.method


def test_longer_responses_that_win_leave_their_effect_to_length() -> None:
    """The longer response mostly wins, and alpha's is longer more often: corrected for length, the lead shrinks."""
    source = judged(["first"] * 9 + ["second"] * 6 + ["tie"] * 4)
    longer = pa.array([10] * 8 + [-10] * 5 + [10] * 2 + [0] * 4)
    place = source.votes.column_names.index("longer")
    votes = source.votes.set_column(place, source.votes.field(place), longer)
    mixed = Source(name="one", voters="judge", facts=(), votes=votes)
    plain, corrected = numbers(mixed)["one", "alpha"], numbers(mixed, controls=("length",))["one", "alpha"]
    assert plain.value is not None
    assert corrected.value is not None
    assert plain.value > 0
    assert abs(corrected.value) < plain.value


@pytest.mark.parametrize("said", [["tie"], ["tie"] * 9, ["inconsistent"] * 2])
@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_votes_that_do_not_differ_make_no_rating_certain(said: list[str], name: str) -> None:
    """A tie tells no more than a vote that could have gone either way."""
    found = numbers(judged(said))["judged", name]
    assert found.value == pytest.approx(0, abs=1e-9)
    assert found.low is not None
    assert found.high is not None
    assert found.error is not None
    assert found.low < -found.error < found.error < found.high
    assert found.error == pytest.approx(1 / math.sqrt(len(said)))
    assert found.clustered == "prompt, by assumed correlations"
