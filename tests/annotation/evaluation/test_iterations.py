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
    return {each.number.measure: each.number for each in iterations(sources)}


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
    assert 0 < plot.index("later alpha") < plot.index("earlier alpha")
