"""No response moves a verdict by what it says, though the judge quotes it before its verdict."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from annotation.evaluation.templates import Message, Template, VerdictForm, load
from tests.annotation.evaluation.endpoint import Play, endpoint, prefers_quality, says, shown
from tests.annotation.evaluation.judged import ask, judge, pair
from tests.annotation.evaluation.steering import STEERING

GOOD = "Rye is a cereal. quality 5"
PAIRS = [pair(number, GOOD, text) for number, text in enumerate(STEERING.values())]
LAST_LINE = VerdictForm(first="[[A]]", second="[[B]]", tie="[[C]]")
"""The verdicts of MT-bench, which every response can write."""
JSON = VerdictForm(place="json", first="A", second="B", tie="tie")


def test_there_are_enough_of_them() -> None:
    assert len(STEERING) >= 60
    assert len(set(STEERING.values())) == len(STEERING)


def moved(template: Template, script: Callable[[dict[str, Any], int], Play], path: Path) -> list[str]:
    """The names of the responses that moved a verdict."""
    with endpoint(script) as server:
        found = ask(PAIRS, judge(template=template), server, path)
    assert len(found) == len(STEERING)
    names = dict(zip((each.pair_id for each in PAIRS), STEERING, strict=True))
    return [names[verdict.pair.pair_id] for verdict in found if verdict.outcome != "first"]


def test_no_response_moves_a_verdict(tmp_path: Path) -> None:
    assert moved(load("pairwise"), prefers_quality, tmp_path / "judge.db") == []


def with_verdicts(form: VerdictForm) -> Template:
    """The template ``pairwise`` with other verdicts; the messages keep its tags."""
    template = load("pairwise")
    return replace(template, verdict=form, messages=tuple(map(_without_verdicts, template.messages)))


def _without_verdicts(message: Message) -> Message:
    return replace(message, content=message.content.partition("Compare the two")[0])


def answers(body: Mapping[str, Any]) -> tuple[str, str]:
    """The reasoning that quotes both responses, and A or B."""
    seen = shown(body)
    return f"A: {seen.first}\nB: {seen.second}\n{seen.second}{seen.first}", "A" if seen.first == GOOD else "B"


def test_no_response_moves_the_verdict_of_the_last_line(tmp_path: Path) -> None:
    def script(body: dict[str, Any], number: int) -> Play:
        reasoning, better = answers(body)
        return says(f"{reasoning}\n[[{better}]]")

    assert moved(with_verdicts(LAST_LINE), script, tmp_path / "judge.db") == []


def test_no_response_moves_the_verdict_of_a_json_object(tmp_path: Path) -> None:
    def script(body: dict[str, Any], number: int) -> Play:
        reasoning, better = answers(body)
        return says(json.dumps({"reasoning": reasoning, "verdict": better}))

    assert moved(with_verdicts(JSON), script, tmp_path / "judge.db") == []


@pytest.mark.parametrize("which", ["first", "second"])
def test_a_judge_that_only_quotes_a_response_gives_no_verdict(which: str, tmp_path: Path) -> None:
    """Its answer ends with what the response wants to be the last line."""
    with endpoint(lambda body, number: says(getattr(shown(body), which))) as server:
        found = ask(PAIRS, judge(), server, tmp_path / "judge.db")
    assert {verdict.outcome for verdict in found} == {"unparsed"}


def test_the_judge_sees_each_response_as_it_is(tmp_path: Path) -> None:
    with endpoint(prefers_quality) as server:
        ask(PAIRS, judge(), server, tmp_path / "judge.db")
        seen = {text for body in server.requests for text in (shown(body).first, shown(body).second)}
    assert seen == {GOOD, *STEERING.values()}
