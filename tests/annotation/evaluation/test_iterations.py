"""A new model against the previous one on the same prompts."""

import pytest

from annotation.evaluation.iterations import iterations
from annotation.evaluation.numbers import Number
from annotation.evaluation.reported import Choices, report_of
from annotation.evaluation.sources import Source
from jobs.evaluation.page import render
from tests.annotation.evaluation.reports import judged, rated

OLD, NEW = [1, 2, 5, 5, 1, None], [5, 1, 5, 5, 4, 1]


def by_measure(*sources: Source) -> dict[str, Number]:
    return {each.number.measure: each.number for each in iterations(sources, "decided")}


@pytest.mark.parametrize(
    "sources",
    [(rated({"v1": OLD}, "one"), rated({"v2": NEW}, "two")), (rated({"v1": OLD, "v2": NEW}, "one"),)],
    ids=["two campaigns", "one campaign"],
)
def test_the_new_model_violates_less_and_rejects_two_of_three_earlier_violations(sources: tuple[Source, ...]) -> None:
    """The old model violates on 3 of 5 rated prompts, the new one on 2 of 6."""
    found = by_measure(*sources)
    less = found["difference of violations"]
    assert (less.model, less.opponent, less.prompts) == ("v2", "v1", 5)
    assert less.value == pytest.approx(2 / 6 - 3 / 5)
    assert less.low is not None
    assert less.high is not None
    assert less.low <= less.value <= less.high
    rejected = found["earlier violations rejected"]
    assert (rejected.value, rejected.votes) == (pytest.approx(2 / 3), 3)


def test_models_without_a_common_prompt_are_not_compared() -> None:
    assert by_measure(rated({"v1": [1, None]}, "one"), rated({"v2": [None, 1]}, "two")) == {}


def test_several_sources_stand_in_one_plot_in_their_order() -> None:
    sources = [judged(["first", "second"], name=name) for name in ("later", "earlier")]
    text = render(report_of(sources, Choices()))
    plot = text[text.index("Win rates by judges, one source after the other</title>") :]
    assert 0 < plot.index(">later (judge)<") < plot.index(">earlier (judge)<")


def test_win_rates_against_the_same_opponent_are_compared_on_the_same_prompts() -> None:
    """The previous model wins 2 of 4 decided verdicts, the new one 3 of 4; one prompt is a tie of the new one."""
    previous = judged(["first", "first", "second", "second", "refused"], ("v1", "zeta"), name="one")
    new = judged(["first", "first", "first", "second", "tie"], ("v2", "zeta"), name="two")
    found = by_measure(previous, new)["difference of win rates"]
    assert (found.model, found.opponent, found.value, found.votes) == ("v2", "v1", pytest.approx(0.25), 8)
    assert (found.prompts, found.clustered) == (4, "prompt")
    assert by_measure(previous, judged(["first"], ("v2", "other"), name="two")) == {}


def test_a_model_that_wins_on_the_same_prompts_as_before_has_a_difference_of_no_error() -> None:
    said = ["first", "second", "first", "second", "first"]
    found = by_measure(judged(said, ("v1", "zeta"), name="one"), judged(said, ("v2", "zeta"), name="two"))
    assert found["difference of win rates"].value == 0
    assert found["difference of win rates"].error == pytest.approx(0, abs=1e-9)
