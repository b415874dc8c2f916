"""Parses rows of trainers' files back into the dataset's terms, independently of the code that writes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from annotation.imports.hh import DialogueError, parse

Row = Mapping[str, Any]
Messages = list[dict[str, str]]


@dataclass(frozen=True)
class RowContent:
    """What a row holds, by ``chosen`` and ``rejected``: the dialogue before each answer, the answers as messages, and
    the flags of safety. A row with a single answer has the entries of this answer only."""

    before: dict[str, Messages]
    answers: dict[str, dict[str, str]]
    safe: dict[str, bool | None]


class UnreadableError(Exception):
    """A row that is not in the trainer's form; the text says why."""


Read = Callable[[Row], RowContent]

ANSWERS = ("chosen", "rejected")


def whole_dialogues(row: Row) -> RowContent:
    """``chosen`` and ``rejected`` are dialogues with the answer at their end."""
    dialogues = {which: _messages(row, which) for which in ANSWERS}
    return _see(row, {which: each[:-1] for which, each in dialogues.items()}, {s: e[-1:] for s, e in dialogues.items()})


def answers(row: Row) -> RowContent:
    """``prompt`` is a dialogue, ``chosen`` and ``rejected`` are lists of what follows it."""
    prompt = _messages(row, "prompt")
    return _see(row, dict.fromkeys(ANSWERS, prompt), {which: _messages(row, which) for which in ANSWERS})


def read_labelled(row: Row) -> RowContent:
    """``completion`` follows ``prompt``; ``label`` is true for the chosen answer."""
    label = _value(row, "label", bool)
    which = "chosen" if label else "rejected"
    seen = _see({}, {which: _messages(row, "prompt")}, {which: _messages(row, "completion")})
    return RowContent(seen.before, seen.answers, {which: row["safe"]} if "safe" in row else {})


def read_ranked(row: Row) -> RowContent:
    """Of the two ``completions`` of ``context``, the completion with the lower rank is the chosen answer."""
    completions = _value(row, "completions", list)
    if len(completions) != 2:
        raise UnreadableError(f"{len(completions)} completions, where NeMo RL's DPO takes exactly 2")
    if completions[0]["rank"] == completions[1]["rank"]:
        raise UnreadableError("both completions have the same rank")
    chosen, rejected = sorted(completions, key=lambda each: int(each["rank"]))
    prompt = _messages(row, "context")
    following = {"chosen": _messages(chosen, "completion"), "rejected": _messages(rejected, "completion")}
    return _see(row, dict.fromkeys(ANSWERS, prompt), following)


def single_messages(prompt: str) -> Read:
    """``chosen`` and ``rejected`` are one message each, after the dialogue in the column ``prompt``."""

    def read(row: Row) -> RowContent:
        before = _messages(row, prompt)
        return _see(row, dict.fromkeys(ANSWERS, before), {which: [_message(row.get(which))] for which in ANSWERS})

    return read


def texts(row: Row) -> RowContent:
    """``chosen`` and ``rejected`` are HH's texts of dialogues."""
    dialogues = {}
    for which in ANSWERS:
        try:
            turns = parse(_value(row, which, str))
        except DialogueError as error:
            raise UnreadableError(f"{which}: {error}") from error
        dialogues[which] = [{"role": role, "content": content} for role, content in turns]
    return _see(row, {which: each[:-1] for which, each in dialogues.items()}, {s: e[-1:] for s, e in dialogues.items()})


def everything(row: Row) -> RowContent:
    """The row has the columns of the dataset itself."""
    prompt = _messages(row, "prompt")
    following = {which: [{"role": "assistant", "content": _value(row, which, str)}] for which in ANSWERS}
    return _see(row, dict.fromkeys(ANSWERS, prompt), following)


def _see(row: Row, before: dict[str, Messages], following: dict[str, Messages]) -> RowContent:
    """The row as a trainer uses it: the last message is the answer, all messages before it are its dialogue."""
    empty = [which for which, messages in following.items() if not messages]
    if empty:
        raise UnreadableError(f"{empty[0]} has no answer")
    safe = {which: row[f"{which}_safe"] for which in ANSWERS if f"{which}_safe" in row}
    dialogues = {which: [*before[which], *messages] for which, messages in following.items()}
    before = {which: each[:-1] for which, each in dialogues.items()}
    return RowContent(before, {which: each[-1] for which, each in dialogues.items()}, safe)


def _value(row: Row, column: str, kind: type) -> Any:
    value = row.get(column)
    if not isinstance(value, kind):
        found = "missing" if column not in row else f"of type {type(value).__name__}"
        raise UnreadableError(f"{column} is {found}, where a {kind.__name__} belongs")
    return value


def _messages(row: Row, column: str) -> Messages:
    return [_message(each) for each in _value(row, column, list)]


def _message(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or not isinstance(value.get("content"), str) or "role" not in value:
        raise UnreadableError("a message is {role, content}")
    return {"role": value["role"], "content": value["content"]}
