"""Deciding is apart from measuring: exact at the threshold, silent on null, monotone, blind to all but its signal."""

import dataclasses
from types import NoneType
from typing import get_args, get_type_hints

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.filters.rules import Rule, failures
from curation.recipe import STEPS, Filter

FILTERS = [step for step in (each() for each in STEPS) if isinstance(step, Filter)]
NUMERIC = [
    (one.use, rule, one.signals.field(rule.signal)) for one in FILTERS for rule in one.rules() if not rule.one_of
]


@pytest.mark.parametrize(("use", "rule", "field"), NUMERIC, ids=lambda value: getattr(value, "reason", None))
def test_a_value_at_the_threshold_passes_and_the_next_one_fails(use: str, rule: Rule, field: pa.Field) -> None:
    threshold = rule.at_least if rule.at_least is not None else rule.at_most
    assert threshold is not None
    outside = -np.inf if rule.at_least is not None else np.inf
    if pa.types.is_integer(field.type):
        values = [int(threshold), int(threshold) + (1 if outside > 0 else -1)]
    else:
        exact = np.float32(threshold)
        values = [exact, np.nextafter(exact, np.float32(outside))]
    batch = pa.RecordBatch.from_arrays([pa.array([*values, None], field.type)], [field.name])
    assert failures(batch, [rule])[:, 0].tolist() == [False, True, False]


@pytest.mark.parametrize("one", FILTERS, ids=lambda one: one.use)
def test_rules_ask_for_signals_of_their_filter_and_have_words_for_reasons(one: Filter) -> None:
    rules = one.rules()
    assert {rule.signal for rule in rules} <= set(one.signals.names)
    assert len({rule.reason for rule in rules}) == len(rules)
    for rule in rules:
        assert rule.reason.replace("_", "").isalnum()
        assert rule.reason == rule.reason.lower()


@pytest.mark.parametrize("one", FILTERS, ids=lambda one: one.use)
def test_none_switches_each_rule_off(one: Filter) -> None:
    hints = get_type_hints(type(one))
    off = {
        field.name: () if isinstance(field.default, tuple) else False if field.default is True else None
        for field in dataclasses.fields(one)
        if field.init
        and (isinstance(field.default, tuple) or field.default is True or NoneType in get_args(hints[field.name]))
    }
    assert dataclasses.replace(one, **off).rules() == ()


def test_every_signal_has_one_name() -> None:
    names = [name for one in FILTERS for name in one.signals.names]
    assert len(set(names)) == len(names)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(-2, 2, width=32)), min_size=1, max_size=8),
    st.floats(-2, 2),
    st.floats(0, 1),
)
def test_a_looser_threshold_never_fails_more(values: list[float | None], threshold: float, slack: float) -> None:
    batch = pa.RecordBatch.from_arrays([pa.array(values, pa.float32())], ["x"])
    tight, loose = failures(batch, [Rule("r", "x", at_most=threshold), Rule("r", "x", at_most=threshold + slack)]).T
    assert not (loose & ~tight).any()
    tight, loose = failures(batch, [Rule("r", "x", at_least=threshold), Rule("r", "x", at_least=threshold - slack)]).T
    assert not (loose & ~tight).any()


def test_nan_and_null_fail_nothing_and_texts_are_compared_as_texts() -> None:
    numbers = pa.array([float("nan"), None, 3.0], pa.float32(), from_pandas=False)
    languages = pa.array(["en", "de", None], pa.string())
    batch = pa.RecordBatch.from_arrays([numbers, languages], ["x", "language"])
    rules = [Rule("low", "x", at_least=5), Rule("high", "x", at_most=1), Rule("language", "language", one_of=("en",))]
    assert failures(batch, rules).T.tolist() == [[False, False, True], [False, False, True], [False, True, False]]
