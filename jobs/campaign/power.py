"""The command ``gristmill campaign power``."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from annotation.evaluation.correlations import Correlations, earlier
from annotation.judgments.snapshot import load
from annotation.statistics.power import Components, plan, prompts_needed, raters_needed
from jobs.tables import Row, print_table
from jobs.terminal import say
from schemas.errors import UserError
from schemas.visible import visible_json

VOTES = (1, 2, 3, 5)
"""The votes on each prompt that are compared unless the user names a number."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is planned: a win rate of ``rate`` between 0 and 1, judged by so many ``raters``.

    Either ``prompts`` is given, or the ``width`` of the 95% interval between 0 and 1. ``cost`` is that of one vote.
    """

    width: float | None
    prompts: int | None
    rate: float
    raters: int
    votes: int | None
    cost: float | None


@dataclass(frozen=True)
class Choice:
    """One way to answer the question; ``prompts`` and the rest are None if no number of prompts suffices."""

    votes_on_each_prompt: int
    prompts: int | None
    votes: int | None
    cost: float | None
    width: float | None


def power(folder: Path | None, as_json: bool, **given: float | None) -> None:
    """Prints how many prompts and votes a win rate needs. Raises UserError for a question that has no answer."""
    question = Question(**given)  # type: ignore[arg-type]
    _check(question)
    found = Correlations() if folder is None else earlier(load(folder))
    choices = [_choose(question, found, votes) for votes in _votes(question)]
    if as_json:
        print(visible_json(json.dumps({"assumptions": asdict(found), "choices": list(map(asdict, choices))}, indent=2)))
        return
    _print(question, found, choices)


def _check(question: Question) -> None:
    if (question.width is None) == (question.prompts is None):
        raise UserError("give either --width, the width of the interval, or --prompts, the number of prompts")
    if question.votes is not None and question.votes > question.raters:
        raise UserError(
            f"--votes {question.votes} is more than --raters {question.raters}: a person votes once on a prompt"
        )


def _votes(question: Question) -> Sequence[int]:
    return [question.votes] if question.votes else [votes for votes in VOTES if votes <= question.raters]


def _choose(question: Question, found: Correlations, votes: int) -> Choice:
    parts, decided = _parts(question, found), votes * (1 - found.ties)
    prompts = question.prompts
    if question.width is not None:
        prompts = prompts_needed(question.width, question.rate, parts, question.raters, decided)
    if prompts is None:
        return Choice(votes, None, None, None, None)
    planned = plan(question.rate, parts, prompts, question.raters, decided)
    cost = None if question.cost is None else question.cost * prompts * votes
    return Choice(votes, prompts, prompts * votes, cost, planned.width)


def _parts(question: Question, found: Correlations) -> Components:
    return Components.assumed(question.rate, found.prompt, found.rater)


def _print(question: Question, found: Correlations, choices: Sequence[Choice]) -> None:
    share = "people, who share the votes evenly" if question.raters > 1 else "person"
    say(f"A win rate of {question.rate:.1%} by the votes of {question.raters:,} {share}.")
    ties = f"; {found.ties:.0%} of the votes are ties, which do not count" if found.ties else ""
    say(
        f"{found.source}: two votes on a prompt correlate by {found.prompt:.2f}, two votes of a person by "
        f"{found.rater:.2f}{ties}."
    )
    print()
    priced = question.cost is not None
    columns = ("votes on each prompt", "prompts", "votes", *(["cost"] if priced else []), "width of the 95% interval")
    print_table(columns, [Row(_cells(each, priced=priced)) for each in choices])
    if any(each.prompts is None for each in choices):
        assert question.width is not None
        needed = raters_needed(question.width, question.rate, _parts(question, found))
        print()
        say(
            f"No number of prompts gives {_people(question.raters)} a width of {question.width:g}, because people "
            f"differ: that takes at least {_people(needed)}."
            if needed
            else f"No number of prompts and people gives a width of {question.width:g}."
        )


def _people(count: int) -> str:
    return f"{count:,} {'person' if count == 1 else 'people'}"


def _cells(choice: Choice, *, priced: bool) -> Sequence[str]:
    numbers = [_count(choice.votes_on_each_prompt), _count(choice.prompts), _count(choice.votes)]
    if priced:
        numbers.append("-" if choice.cost is None else f"{choice.cost:,.2f}")
    return [*numbers, "-" if choice.width is None else f"{100 * choice.width:.1f} points"]


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
