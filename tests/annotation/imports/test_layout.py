"""Layouts of one's own: what they give, and which cannot be."""

from typing import Any

import pytest

from annotation.imports.fields import RowError, getter
from annotation.imports.layout import Layout
from annotation.imports.outcomes import Pair
from annotation.imports.pairs import Reader
from annotation.imports.row_facts import Facts
from schemas.errors import UserError

PLAIN: dict[str, Any] = {"prompt": "q", "first": "a", "second": "b"}
JUDGED: dict[str, Any] = {**PLAIN, "preferred": "w", "preference": {"1": "first", "2": "second"}}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({}, "it has no answers: give chosen and rejected, first and second, answers, consecutive, tree, or "),
        ({"prompt": "q", "chosen": "a"}, "chosen needs rejected"),
        ({"prompt": "q", "first": "a", "preferred": "w"}, "first needs second"),
        (PLAIN, "first and second need preferred, first_score and second_score, votes, or annotations"),
        ({**PLAIN, "first_score": "x"}, "first_score needs second_score"),
        ({**PLAIN, "preferred": "w"}, "preference needs a value that means first, and a value that means second"),
        ({**PLAIN, "preferred": "w", "preference": {"1": "first"}}, "preference needs a value that means first, and"),
        ({**JUDGED, "chosen_safe": "s"}, "chosen_safe has no effect beside first and second"),
        ({**JUDGED, "first_safe": "s"}, "first_safe needs second_safe"),
        ({**JUDGED, "annotations": "x"}, "preferred and annotations both decide which answer is better"),
        ({**JUDGED, "votes": "x"}, "votes needs vote"),
        ({**JUDGED, "control": "x"}, "control needs annotations"),
        ({**JUDGED, "degree": "d"}, "degree needs degrees"),
        ({**JUDGED, "templates": ("{q}",)}, "give prompt or templates, not both"),
        ({**JUDGED, "split": "s"}, "split needs held_out"),
        ({**JUDGED, "weight": 0.0}, "weight is 0.0: give a number above 0"),
        ({**JUDGED, "weight": float("nan")}, "weight is nan: give a number above 0"),
        ({**JUDGED, "id": "a..b"}, "a name has an empty part"),
        ({"answers": "a", "text": "t", "score": "s"}, "answers needs prompt or templates"),
        ({"completion": "c", "label": "l"}, "completion needs prompt or templates"),
        ({"prompt": "q", "completion": "c"}, "completion needs label"),
        ({"tree": "t", "text": "x", "score": "s"}, "tree needs replies"),
        ({"tree": "t", "replies": "r"}, "tree needs text and score"),
        ({"tree": "t", "replies": "r", "text": "x", "score": "s", "prompt": "q"}, "prompt has no effect beside tree"),
        ({**JUDGED, "better": "lower"}, "better needs a score"),
        ({**JUDGED, "preference": {"<2": "first", ">1": "second"}}, "'<2' and '>1' of preference overlap"),
        ({**JUDGED, "preference": {"<=1": "first", ">=1": "second"}}, "overlap and mean different things"),
        ({**JUDGED, "preference": {"<1": "first", "< 1.0": "second"}}, "overlap and mean different things"),
        ({"prompt": "q", "chosen": "a", "rejected": "b", "preferred": "w"}, "preferred has no effect beside chosen"),
        ({"chosen": "a", "rejected": "b", "degrees": {"1": "better"}}, "degrees needs degree"),
        ({"prompt": "q", "answers": "a"}, "answers needs text and score"),
        ({"prompt": "q", "answers": "a", "text": "t"}, "text needs score"),
        ({"prompt": "q", "answers": "a", "text": "t", "score": "s", "most_pairs": 100}, "most_pairs is 100: give"),
        ({**JUDGED, "prompt": None, "templates": ("{q",)}, "the template '{q' cannot be read"),
    ],
)
def test_a_layout_that_cannot_be(names: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        Layout(**names)
    assert said in str(caught.value)


def outcome(row: dict[str, Any], **names: Any) -> Any:
    [found] = Reader([Layout(**names)]).read(iter([(1, row)]))
    return found.outcome


def test_weight_id_batch_and_split_come_from_the_row() -> None:
    names = {**JUDGED, "weight": "n", "id": "k", "batch": "month", "split": "s", "held_out": ("test",)}
    row = {"q": "Why?", "a": "x", "b": "y", "w": 2, "n": 0.5, "k": 7, "month": "May", "s": "test"}
    pair = outcome(row, **names)
    assert isinstance(pair, Pair)
    assert (pair.chosen, pair.facts) == ("y", Facts(weight=0.5, id="7", batch="May", held_out=True))
    changes: list[dict[str, Any]] = [{"n": 0}, {"n": None}, {"k": None}, {"k": " "}, {"month": ""}, {"month": []}]
    for change in changes:
        assert outcome({**row, **change}, **names).reason == "unreadable"
    assert outcome({**row, "s": None}, **names).facts.held_out is False


def test_answers_of_single_messages_take_the_prompt_beside_them() -> None:
    row = {"q": [{"role": "user", "content": "Why?"}], "a": [{"role": "assistant", "content": "x"}]}
    row["b"] = [{"role": "assistant", "content": "y"}]
    pair = outcome(row, prompt="q", chosen="a", rejected="b", degree="d", degrees={"1": "better"}, weight=2)
    assert pair.reason == "unreadable"
    pair = outcome({**row, "d": 1}, prompt="q", chosen="a", rejected="b", degree="d", degrees={"1": "better"}, weight=2)
    assert (pair.prompt, pair.chosen, pair.rejected, pair.degree, pair.facts.weight) == (
        (("user", "Why?"),),
        *("x", "y", "better", 2.0),
    )


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        (["1", "1", "2"], "x"),
        (["2"], "y"),
        (["1", "2"], "tie"),
        (["1", "0", "0"], "tie"),
        ([], "no_votes"),
        (None, "unreadable"),
    ],
)
def test_most_votes_decide_and_ties_vote_too(votes: list[str] | None, expected: str) -> None:
    preference = {"1": "first", "2": "second", "0": "tie"}
    row = {"q": "Why?", "a": "x", "b": "y", "votes": None if votes is None else [{"v": vote} for vote in votes]}
    found = outcome(row, **PLAIN, votes="votes", vote="v", preference=preference)
    assert (found.chosen if isinstance(found, Pair) else found.reason) == expected


def test_an_annotation_with_two_controls_needs_the_name_of_one() -> None:
    results = [
        {"from_name": name, "type": "choices", "value": {"choices": [choice]}}
        for name, choice in (("better", "A"), ("safer", "B"))
    ]
    row = {"q": "Why?", "a": "x", "b": "y", "annotations": [{"result": results}]}
    names = {**PLAIN, "annotations": "annotations", "preference": {"A": "first", "B": "second"}}
    assert outcome(row, **names).reason == "unreadable"
    assert outcome(row, **names, control="better").chosen == "x"
    assert outcome(row, **names, control="safer").chosen == "y"
    assert outcome(row, **names, control="other").reason == "no_votes"


def test_templates_show_braces_and_fields_as_they_are() -> None:
    row = {"q": "{a}", "a": "x", "b": "y", "w": "1"}
    pair = outcome(row, **{**JUDGED, "prompt": None, "templates": ("{nowhere}", "{{{q}}}: {a}")})
    assert pair.reason == "unreadable", "the first template's fields must be there"
    pair = outcome(row, **{**JUDGED, "prompt": None, "templates": ("{{{q}}}: {a}",)})
    assert pair.prompt == (("user", "{{a}}: x"),)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a.0.b", "x"), ("a.1.b", None), ("c.0", "y"), ("d.0", None), ("a.b", None), ("a.00.b", "x"), ("nowhere", None)],
)
def test_a_path_goes_through_objects_and_lists_not_into_texts(path: str, expected: str | None) -> None:
    row = {"a": [{"b": "x"}], "c": {"0": "y"}, "d": "text"}
    if expected is not None:
        assert getter(path)(row) == expected
        return
    with pytest.raises(RowError, match=f"a row needs {path}"):
        getter(path)(row)
