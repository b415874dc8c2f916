"""The outcome of a candidate pair: a pair with the better answer first, or a reject with its reason."""

from typing import Any, NamedTuple

from annotation.campaign.responses import Messages
from annotation.imports.dialogues import MessageError
from annotation.imports.fields import RowError
from annotation.imports.hh import DialogueError
from annotation.imports.row_facts import Facts
from annotation.rows.reading import as_json

REASONS = {
    "unreadable": "the row is not JSON, lacks a field, or holds a value of another type",
    "unreadable_dialogue": "the dialogue does not parse, or does not end with the user before an answer",
    "more_than_text": "a message or the row holds more than text (tool calls, reasoning, images)",
    "other_role": "a message is of another role than system, user and assistant",
    "differing_prefixes": "the two dialogues differ before the last answer: they are no answers to one prompt",
    "empty_prompt": "the user's last turn is empty",
    "empty_answer": "one of the answers is empty",
    "equal_answers": "both answers are the same text",
    "tie": "neither answer is better",
    "no_votes": "nobody voted on the pair",
    "unsafe_chosen": "the chosen answer is unsafe and the other one is safe (Llama 2 uses no such pair)",
    "too_few_answers": "the row has fewer than two answers",
    "unpaired": "no row beside it has the same prompt",
    "repeated_id": "another row of the file has the same id",
    "near_held_out": "the prompt is close to a held-out one",
}
"""The reasons of rejects, and their meanings."""


class AnswerFacts(NamedTuple):
    """Facts about two answers, as pairs of values: the first answer's value, then the second's."""

    safe: tuple[bool | None, bool | None]
    risks: tuple[tuple[str, ...], tuple[str, ...]]
    models: tuple[str | None, str | None]

    def swap(self) -> "AnswerFacts":
        """The same facts with both answers in the other order."""
        return AnswerFacts(self.safe[::-1], self.risks[::-1], self.models[::-1])


UNKNOWN_ANSWERS = AnswerFacts((None, None), ((), ()), (None, None))
"""The facts of a row that says nothing about its answers."""


class Pair(NamedTuple):
    """One comparison. ``votes``: the votes for the chosen and the rejected answer; None if unknown."""

    prompt: Messages
    chosen: str
    rejected: str
    facts: Facts
    about: AnswerFacts = UNKNOWN_ANSWERS
    degree: str | None = None
    votes: tuple[int, int] | None = None


class Reject(NamedTuple):
    """A candidate that is left out. ``raw`` is JSON text; ``message`` is empty if the text in REASONS is enough."""

    reason: str
    message: str
    raw: str


Outcome = Pair | Reject


class Candidate(NamedTuple):
    """One candidate with its outcome.

    ``row``: the number of its row; ``pair``: its number among the pairs of the row, from 1; ``rows``: how many rows of
    the file it accounts for (0 if an earlier pair already counted the row); ``several``: rows of this form can have
    several pairs.
    """

    row: int
    pair: int
    rows: int
    outcome: Outcome
    several: bool = False


class RejectError(Exception):
    """A candidate that a rule rejects, with the reason (a key of REASONS)."""

    def __init__(self, reason: str, message: str = ""):
        super().__init__(message)
        self.reason, self.message = reason, message


REJECT_ERRORS = (RejectError, RowError, DialogueError, MessageError)
"""Errors that reject one candidate and let the import continue."""


def check(prompt: Messages, first: str, second: str) -> None:
    """Raises RejectError unless these are two different answers to a prompt that ends with the user."""
    if not prompt or prompt[-1][0] != "user":
        raise RejectError("unreadable_dialogue", "the turn before the answer is not the user's")
    if not prompt[-1][1].strip():
        raise RejectError("empty_prompt")
    if not first.strip() or not second.strip():
        raise RejectError("empty_answer")
    if first == second:
        raise RejectError("equal_answers")


def make_reject(error: Exception, raw: Any) -> Reject:
    if isinstance(error, RejectError):
        return Reject(error.reason, error.message, as_json(raw))
    if isinstance(error, MessageError):
        return Reject(error.reason, str(error), as_json(raw))
    reason = "unreadable_dialogue" if isinstance(error, DialogueError) else "unreadable"
    return Reject(reason, str(error), as_json(raw))
