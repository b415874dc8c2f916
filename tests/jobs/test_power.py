"""``gristmill campaign power`` says how many prompts a win rate needs, and what no number of prompts can give."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.jobs.calling import call


@dataclass(frozen=True)
class Command:
    monkeypatch: pytest.MonkeyPatch
    printed: pytest.CaptureFixture[str]

    def run(self, *words: str) -> tuple[int, str, str]:
        code = call("campaign", "power", *words, monkeypatch=self.monkeypatch)
        return (code, *self.printed.readouterr())

    def planned(self, *words: str) -> list[dict[str, Any]]:
        code, out, err = self.run(*words, "--json")
        assert (code, err) == (0, "")
        choices: list[dict[str, Any]] = json.loads(out)["choices"]
        return choices


@pytest.fixture
def power(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(monkeypatch, capsys)


def test_the_prompts_that_it_names_give_the_width_that_was_asked_for(power: Command) -> None:
    [choice] = power.planned("--width", "0.1", "--raters", "100", "--votes", "3")
    assert choice["width"] <= 0.1
    assert choice["votes"] == 3 * choice["prompts"]
    [fewer] = power.planned("--prompts", str(choice["prompts"] - 1), "--raters", "100", "--votes", "3")
    assert fewer["width"] > 0.1


def test_the_cost_is_that_of_all_votes(power: Command) -> None:
    [choice] = power.planned("--prompts", "100", "--votes", "2", "--cost", "0.25")
    assert (choice["votes"], choice["cost"]) == (200, 50.0)


def test_it_says_when_only_more_people_help(power: Command) -> None:
    code, out, _ = power.run("--width", "0.02", "--rate", "0.6")
    assert code == 0
    assert "No number of prompts gives 30 people a width of 0.02" in out
    needed = out.rsplit("at least ", 1)[1].partition(" ")[0]
    [choice] = power.planned("--width", "0.02", "--rate", "0.6", "--raters", needed.replace(",", ""), "--votes", "1")
    assert choice["prompts"]


def test_one_person_is_no_people(power: Command) -> None:
    code, out, _ = power.run("--prompts", "100", "--raters", "1")
    assert code == 0
    assert "by the votes of 1 person." in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give either --width, the width of the interval, or --prompts"),
        (["--width", "0.1", "--prompts", "9"], "give either --width"),
        (["--width", "nan"], "nan is not a finite number"),
        (["--width", "0.1", "--cost", "inf"], "inf is not a finite number"),
        (["--width", "0.1", "--votes", "31"], "--votes 31 is more than --raters 30: a person votes once"),
    ],
)
def test_a_question_without_an_answer_is_one_sentence(power: Command, words: list[str], message: str) -> None:
    code, _, err = power.run(*words)
    assert code == 2
    assert message in err
