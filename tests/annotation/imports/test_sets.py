"""What becomes of the rows of each open set."""

from typing import Any

import pytest

from annotation.imports.outcomes import REASONS, UNKNOWN_ANSWERS, AnswerFacts, Candidate, Pair, Reject
from annotation.imports.pairs import Reader
from annotation.imports.row_facts import Facts
from annotation.imports.sets import SETS
from tests.annotation.imports import published
from tests.annotation.imports.published import EXPECTED, A, B, Q, Row, rated, safe, stack, turns, ultra

CASES = [(name, row, expected) for name, table in EXPECTED.items() for row, expected in table]


def read(name: str, *rows: Row) -> list[Candidate]:
    return list(Reader(SETS[name].layouts).read(iter(enumerate(rows, 1))))


def test_every_set_is_tested() -> None:
    assert set(EXPECTED) == set(SETS)


@pytest.mark.parametrize(("name", "row", "expected"), CASES)
def test_a_row_becomes_a_comparison_or_a_named_reject(name: str, row: Row, expected: Any) -> None:
    [found] = read(name, row)
    assert (found.row, found.pair, found.rows) == (1, 1, 1)
    if isinstance(expected, str):
        assert isinstance(found.outcome, Reject)
        assert found.outcome.reason == expected, found.outcome
        assert expected in REASONS
        return
    assert isinstance(found.outcome, Pair), found.outcome
    assert (found.outcome.chosen, found.outcome.rejected) == expected[:2]
    told = dict(expected[2]) if len(expected) > 2 else {}
    if "turns" in told:
        assert found.outcome.prompt == tuple((turn["role"], turn["content"]) for turn in told.pop("turns"))
    if "prompt" in told:
        assert found.outcome.prompt == (("user", told.pop("prompt")),)
    said = found.outcome._asdict() | found.outcome.about._asdict() | found.outcome.facts._asdict()
    assert {key: said[key] for key in told} == told


def test_what_a_set_leaves_out_is_null() -> None:
    [found] = read("shp", published.shp(1))
    pair = found.outcome
    assert isinstance(pair, Pair)
    assert (pair.degree, pair.votes, pair.about) == (None, None, UNKNOWN_ANSWERS)
    assert pair.facts == Facts(weight=1.0, id=None, batch=None, held_out=False)


def test_an_older_form_of_safe_rlhf_has_neither_risks_nor_models() -> None:
    row = {key: value for key, value in safe(0, True, True).items() if not key.endswith(("category", "source"))}
    [found] = read("safe-rlhf", row)
    assert isinstance(found.outcome, Pair)
    assert found.outcome.about == AnswerFacts(safe=(True, True), risks=((), ()), models=(None, None))


def results(found: list[Candidate]) -> list[tuple[int, int, str]]:
    """(row, pair, chosen over rejected, or the reason)."""
    return [
        (
            *(each.row, each.pair),
            f"{each.outcome.chosen}>{each.outcome.rejected}" if isinstance(each.outcome, Pair) else each.outcome.reason,
        )
        for each in found
    ]


def test_each_two_of_four_completions_are_a_pair() -> None:
    found = read("ultrafeedback", ultra(("a", 1.0), ("b", 3.0), ("c", 2.0), ("d", 2.0)))
    assert results(found) == [
        (1, 1, "b>c"),
        (1, 2, "b>d"),
        (1, 3, "b>a"),
        (1, 4, "tie"),
        (1, 5, "c>a"),
        (1, 6, "d>a"),
    ]
    assert [each.rows for each in found] == [1, 0, 0, 0, 0, 0]


def test_an_answer_that_cannot_be_read_is_left_out_alone() -> None:
    found = read("ultrafeedback", ultra(("a", 1.0), ("b", None), ("c", 2.0)))
    assert results(found) == [(1, 1, "c>a"), (1, 2, "unreadable")]


def test_a_question_with_many_answers_gives_ten_pairs() -> None:
    found = read("stack-exchange", stack(*((f"answer {k}", k) for k in range(20))))
    assert [pair for _, _, pair in results(found)] == [f"answer 19>answer {k}" for k in range(18, 8, -1)]


def test_two_rows_of_one_prompt_are_a_pair() -> None:
    found = read(
        "helpsteer2",
        *(rated(B, 2), rated(A, 4)),
        rated(A, 4, "Alone?"),
        *(rated(A, 3), rated(B, 3)),
        *(rated(A, "4"), rated(B, 3)),
        rated("", 1),
    )
    assert results(found) == [
        (1, 1, f"{A}>{B}"),
        (3, 1, "unpaired"),
        (4, 1, "tie"),
        (6, 1, "unreadable"),
        (8, 1, "unpaired"),
    ]
    assert [each.rows for each in found] == [2, 1, 2, 2, 1]


def test_dialogues_keep_what_is_before_the_answer() -> None:
    dialogue = turns("s:Be kind.", "u:Hi.", "a:Hello.", f"u:{Q}")
    row = published.binarized([*dialogue, *turns(f"a:{A}")], [*dialogue, *turns(f"a:{B}")])
    [found] = read("ultrafeedback", row)
    assert isinstance(found.outcome, Pair)
    assert found.outcome.prompt == (("system", "Be kind."), ("user", "Hi."), ("assistant", "Hello."), ("user", Q))
