"""Judges pairs of responses by a model, in both orders or in one, and combines what it says into verdicts."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from annotation.evaluation.book import Request, request_of
from annotation.evaluation.pairs import Pair
from annotation.evaluation.replies import Failure, Reply
from annotation.evaluation.templates import Template, fill
from annotation.evaluation.verdicts import NO_VERDICT, Outcome, Reading, read

Orders = Literal["both", "random", "first"]
DEFAULTS: Mapping[str, Any] = {"temperature": 0, "max_tokens": 1024}
"""Fields of a request that neither the template nor the user gives."""

_SWAP: Mapping[Outcome, Outcome] = {"first": "second", "second": "first"}


@dataclass(frozen=True, kw_only=True)
class Judge:
    """A model with a template. ``parameters`` override the template's and DEFAULTS; None leaves a field out.

    ``orders``: ask about each pair in both orders, in one order drawn with the ``seed``, or only as the pair is.
    """

    model: str
    template: Template
    orders: Orders = "both"
    seed: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of each request, apart from its messages."""
        given = {**DEFAULTS, **self.template.parameters, **self.parameters, "model": self.model}
        return {name: value for name, value in sorted(given.items()) if value is not None}


@dataclass(frozen=True)
class Question:
    """What is asked about a pair in one order. ``swapped``: the judge sees the pair's second response first. ``key`` is
    the code in the messages."""

    pair: Pair
    swapped: bool
    key: str
    request: Request


@dataclass(frozen=True)
class Answer:
    """A question with its reply and the outcome, in terms of the pair's first and second response, whatever the
    order."""

    question: Question
    reply: Reply | Failure
    reading: Reading

    @property
    def outcome(self) -> Outcome:
        said = self.reading.outcome
        return _SWAP.get(said, said) if self.question.swapped else said


@dataclass(frozen=True)
class Verdict:
    """The outcome of a pair. ``inconsistent``: both orders have a verdict, and the verdicts differ."""

    pair: Pair
    outcome: Outcome
    inconsistent: bool
    answers: tuple[Answer, ...]


def questions(pairs: Sequence[Pair], judge: Judge) -> Iterator[Question]:
    """The questions about the pairs, in their order, by a template that compares pairs."""
    fields, digest = judge.fields, judge.template.digest
    for pair in pairs:
        for swapped in _orders(pair, judge):
            shown = (pair.second, pair.first) if swapped else (pair.first, pair.second)
            filled = fill(judge.template, pair.messages, {"first": shown[0], "second": shown[1]})
            request = request_of(digest, {**fields, "messages": list(filled.messages)})
            yield Question(pair, swapped, filled.key, request)


def _orders(pair: Pair, judge: Judge) -> tuple[bool, ...]:
    if judge.orders == "both":
        return False, True
    return (judge.orders == "random" and draw(judge.seed, pair.pair_id),)


def draw(seed: int, pair_id: str) -> bool:
    """Whether a pair is shown swapped, where one order is drawn: depends on the seed and the pair alone."""
    return bool(hashlib.blake2b(f"{seed}\0order\0{pair_id}".encode(), digest_size=1).digest()[0] & 1)


def verdicts(
    asked: Sequence[Question], found: Mapping[bytes, Reply | Failure], template: Template
) -> Iterator[Verdict]:
    """The verdict on each pair, from the reply to each of its questions. Questions of a pair follow each other."""
    held: list[Answer] = []
    for question in asked:
        if held and held[0].question.pair is not question.pair:
            yield combine(held)
            held = []
        reply = found[question.request.key]
        held.append(Answer(question, reply, read(reply, template.verdict, question.key)))
    if held:
        yield combine(held)


def combine(answers: Sequence[Answer]) -> Verdict:
    """The verdict on a pair from the answers in one or two orders, by `combined`."""
    return Verdict(answers[0].question.pair, *combined([answer.outcome for answer in answers]), tuple(answers))


def combined(outcomes: Sequence[Outcome]) -> tuple[Outcome, bool]:
    """The outcome of a pair from those in one or two orders, and whether they are inconsistent.

    Equal outcomes are the verdict; different ones are a tie, which is inconsistent. If an order has no verdict, the
    pair has none: its outcome is the first of NO_VERDICT among the orders'.

    >>> combined(["first", "first"]), combined(["first", "tie"]), combined(["first", "refused"])
    (('first', False), ('tie', True), ('refused', False))
    """
    failed = next((outcome for outcome in NO_VERDICT if outcome in outcomes), None)
    if failed is not None:
        return failed, False
    differ = len(set(outcomes)) > 1
    return ("tie" if differ else outcomes[0]), differ
