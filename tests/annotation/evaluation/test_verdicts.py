"""A verdict counts only where the template asks for it, and only if nothing else stands there."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.evaluation.replies import Failure, FailureReason, Reply
from annotation.evaluation.templates import VerdictForm, load
from annotation.evaluation.verdicts import Outcome, read

KEY = "0123abcd"
FORM = load("pairwise").verdict
GRADES = load("single").verdict
JSON = VerdictForm(place="json", field="better", first="A {key}", second="B {key}", tie="tie {key}")


def reply(content: str, finish: str = "stop", refusal: str = "") -> Reply:
    return Reply(content, finish, refusal, "judge-1", "http://127.0.0.1/v1")


VERDICT_LINES: dict[str, Outcome] = {
    f"verdict {KEY}: A": "first",
    f"verdict {KEY}: B": "second",
    f"verdict {KEY}: tie": "tie",
    f"  **verdict {KEY}: B**  ": "second",
    f"`verdict {KEY}: tie`": "tie",
}


@pytest.mark.parametrize(("line", "outcome"), VERDICT_LINES.items())
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n \t\n"])
def test_the_last_line_is_the_verdict(line: str, outcome: Outcome, end: str) -> None:
    assert read(reply(f"A is short.\nverdict {KEY}: A\n{line}{end}"), FORM, KEY).outcome == outcome
    assert read(reply(line + end), FORM, KEY).outcome == outcome


@pytest.mark.parametrize(
    "line",
    [
        "verdict: A",
        "verdict 0123abce: A",
        f"verdict {KEY}: a",
        f"Verdict {KEY}: A",
        f"verdict {KEY}: A, or B",
        f"verdict {KEY}: C",
        f"verdict {KEY}: A.",
        f"My verdict {KEY}: A",
        f"verdict {KEY}:\u200b A",
        f"\ufeffverdict {KEY}: A",
        f"verdict {KEY}: \u0410",  # Cyrillic
        f"verdict {KEY}: \uff21",  # full width
        f"verdict {KEY}:\u00a0A",
        f"verdict {KEY}: B\u2028verdict {KEY}: A",
        f"verdict {KEY}: B\x0bverdict {KEY}: A",
        f"verdict {KEY}: A verdict {KEY}: A",
        "verdict {key}: A",
        "",
    ],
)
def test_anything_else_in_the_last_line_is_no_verdict(line: str) -> None:
    assert read(reply(line), FORM, KEY).outcome == "unparsed"
    assert read(reply(f"verdict {KEY}: A\n{line or '?'}"), FORM, KEY).outcome == "unparsed"


@given(st.text(), st.sampled_from(list(VERDICT_LINES.items())))
def test_no_reasoning_changes_the_verdict(reasoning: str, verdict: tuple[str, Outcome]) -> None:
    assert read(reply(f"{reasoning}\n{verdict[0]}"), FORM, KEY).outcome == verdict[1]


@given(st.text(alphabet=st.characters(exclude_characters="\n")))
def test_no_text_without_the_key_is_a_verdict(text: str) -> None:
    assert read(reply(text), FORM, KEY).outcome == "unparsed"


def test_what_was_cut_off_blocked_or_refused_is_named_whatever_it_says() -> None:
    said = f"verdict {KEY}: A"
    assert read(reply(said, "length"), FORM, KEY).outcome == "truncated"
    assert read(reply(said, "content_filter"), FORM, KEY).outcome == "refused"
    assert read(reply(said, "stop", "I cannot compare these."), FORM, KEY).outcome == "refused"
    assert read(reply("I'm sorry to hear that."), FORM, KEY).outcome == "unparsed"


@pytest.mark.parametrize("reason", get_args(FailureReason))
def test_a_failure_is_an_error_with_its_reason(reason: FailureReason) -> None:
    found = read(Failure(reason, "no"), FORM, KEY)
    assert (found.outcome, found.reason) == ("error", reason)


@pytest.mark.parametrize(
    ("line", "grade"),
    [(f"grade {KEY}: 1", 1), (f"grade {KEY}: 10", 10), (f"grade {KEY}: 07", 7), (f"**grade {KEY}: 5**", 5)],
)
def test_a_grade_is_a_whole_number_of_the_scale(line: str, grade: int) -> None:
    found = read(reply(f"Good.\n{line}"), GRADES, KEY)
    assert (found.outcome, found.grade) == ("graded", grade)


@pytest.mark.parametrize("said", ["0", "11", "-5", "5.5", "5/10", "five", "\u0665", "", "5 5", "9" * 30])
def test_anything_else_is_no_grade(said: str) -> None:
    assert read(reply(f"grade {KEY}: {said}"), GRADES, KEY).outcome == "unparsed"


def test_the_verdict_of_a_json_object_is_its_field() -> None:
    held = {"reasoning": f'"better": "B {KEY}"', "better": f"A {KEY}"}
    assert read(reply(json.dumps(held)), JSON, KEY).outcome == "first"


@pytest.mark.parametrize(
    "said",
    [
        f'{{"better": "A {KEY}", "better": "B {KEY}"}}',
        f'{{"better": "A {KEY}"}} {{"better": "A {KEY}"}}',
        f'[{{"better": "A {KEY}"}}]',
        f'{{"Better": "A {KEY}"}}',
        f'{{"better": ["A {KEY}"]}}',
        f'{{"better": "A {KEY} "}}',
        f'{{"a": {{"better": "A {KEY}"}}}}',
        f"A {KEY}",
        "[" * 100_000,
    ],
)
def test_anything_else_is_no_json_verdict(said: str) -> None:
    assert read(reply(said), JSON, KEY).outcome == "unparsed"
