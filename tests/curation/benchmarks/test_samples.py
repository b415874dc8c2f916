"""Rows become samples by a template, and scores belong to samples; a mistake is one sentence."""

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from curation.benchmarks.samples import REFERENCES, samples_table, take_apart, verbalise
from curation.contamination.scores import read_scores
from schemas.errors import UserError


def numbered(rows: Sequence[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    return list(enumerate(rows, 1))


ROWS = numbered(
    [
        {"id": "a", "question": "What is rye? {answer}", "choices": ["grain", "fish"], "answer": 0},
        {"id": 7, "question": "", "choices": [], "answer": None},
    ]
)


def test_a_template_is_filled_in_once() -> None:
    found = verbalise("quiz", ROWS, "Q: {question}\n{choices}\nA: {answer}", None)
    assert found.sample_ids == ("a", "7")
    assert found.texts == ("Q: What is rye? {answer}\ngrain\nfish\nA: 0", "Q: \n\nA: ")


def test_without_a_template_the_usual_fields_make_the_text() -> None:
    assert verbalise("quiz", ROWS, None, None).template == "{question}\n{answer}"
    found = verbalise("quiz", numbered([{"prompt": "p"}, {"prompt": "q"}]), None, None)
    assert (found.template, found.texts, found.sample_ids) == ("{prompt}", ("p", "q"), ("1", "2"))
    assert verbalise("quiz", [], None, None).texts == ()


@pytest.mark.parametrize(
    ("rows", "template", "id_field", "said"),
    [
        ([{"id": 1, "text": "a"}, {"id": "1", "text": "b"}], None, None, "rows 1 and 2 have the same id '1'"),
        ([{"body": "a"}], None, None, "give a template of its fields (body)"),
        ([{"text": "a"}], "{question}", None, "row 1 has no field question"),
        ([{"text": {"a": 1}}], None, None, "row 1: field text is not a text"),
        ([{"text": "a"}], None, "key", "row 1 has no key: name a field of ids that every row has"),
        ([{"text": "a"}], "", None, "the template '' has no field in braces"),
        ([{"text": "a"}], "{text", None, "the template '{text' has no field in braces"),
    ],
)
def test_a_wrong_row_is_named(
    rows: list[dict[str, Any]], template: str | None, id_field: str | None, said: str
) -> None:
    with pytest.raises(UserError) as error:
        verbalise("quiz", numbered(rows), template, id_field)
    assert said in str(error.value)


def test_rows_are_taken_apart_by_the_usual_fields_or_named_ones() -> None:
    rows = numbered(
        [{"question": "q", "answer": 4}, {"prompt": "p", "completion": None, "context": ["a", "b"]}, {"text": "t"}]
    )
    found = take_apart("quiz", rows, {}, None)
    assert (found.texts, found.answers, found.passages) == (("q", "p", "t"), ("4", "", ""), ("", "a\nb", ""))
    named = take_apart("quiz", ROWS, {"question": "choices", "answer": "question", "passage": None}, None)
    assert (named.texts, named.answers) == (("grain\nfish", ""), ("What is rye? {answer}", ""))
    assert samples_table([found, named]).schema == REFERENCES
    assert take_apart("quiz", [], {}, None).texts == ()


@pytest.mark.parametrize(
    ("rows", "fields", "said"),
    [
        (
            [{"text": "a"}, {"body": "a"}],
            {},
            "row 2 has no field question, prompt or text: name the field of its question (body)",
        ),
        ([{"text": "a"}], {"answer": "reply"}, "row 1 has no field reply, which is asked for: its fields are text"),
        ([{"text": "a", "id": 1}, {"text": "a", "id": 1}], {}, "rows 1 and 2 have the same id '1'"),
    ],
)
def test_a_row_without_a_part_is_named(rows: list[dict[str, Any]], fields: dict[str, str], said: str) -> None:
    with pytest.raises(UserError) as error:
        take_apart("quiz", numbered(rows), fields, None)
    assert said in str(error.value)


SAMPLES = samples_table([verbalise("quiz", ROWS, "{question}", None)])


def test_scores_belong_to_samples() -> None:
    found = read_scores("model", "", numbered([{"id": 7, "score": True}]), SAMPLES, None)
    assert [math.isnan(each) for each in found.values] == [True, False]
    assert found.values[1] == 1
    two = samples_table([verbalise(name, ROWS, "{question}", None) for name in ("quiz", "test")])
    rows = numbered([{"benchmark": "test", "id": "a", "score": "0.5"}])
    assert read_scores("model", "", rows, two, None).values[2] == 0.5


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"id": "b", "score": 1}], "no sample 'b'"),
        ([{"id": "a", "score": 1}, {"id": "a", "score": 1}], "row 2: the sample 'a' of quiz has a score already"),
        ([{"id": "a", "score": "good"}], "the score is 'good'"),
        ([{"id": "a"}], "the score is None"),
        ([{"id": "a", "score": math.inf}], "the score is inf"),
        ([{"score": 1}], "row 1 has no id"),
    ],
    ids=json.dumps,
)
def test_a_wrong_score_is_named(rows: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(UserError) as error:
        read_scores("model", "", numbered(rows), SAMPLES, None)
    assert said in str(error.value)
