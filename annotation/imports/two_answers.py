"""Rows with two answers: chosen and rejected, or first and second with a field that decides between them."""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from annotation.campaign.responses import Messages
from annotation.imports import fields, hh
from annotation.imports.fields import RowError, optional_getter
from annotation.imports.forms import Form
from annotation.imports.layout import Layout
from annotation.imports.outcomes import (
    REJECT_ERRORS,
    UNKNOWN_ANSWERS,
    AnswerFacts,
    Candidate,
    Pair,
    RejectError,
    check,
    make_reject,
)
from annotation.imports.ranks import Ranks
from annotation.imports.verdicts import Verdict, verdict_of

T = TypeVar("T")

_CHOSEN = Verdict("first", None, None)


class TwoAnswers(Form):
    """Reads each row as one pair."""

    def __init__(self, layout: Layout, ranks: Ranks, mapped: bool):
        super().__init__(layout, mapped)
        self._paths = layout.paths()
        self._first, self._second = map(optional_getter, self._paths)
        self._scores = _read_both(layout, "score", lambda value, _: fields.number(value, "a score"))
        self._safe = _read_both(layout, "safe", fields.flag)
        self._risks = _read_both(layout, "risks", fields.names)
        self._models = _read_both(layout, "model", fields.name)
        self._says_nothing = not any(path for of in ("safe", "risks", "model") for path in layout.paths(of))
        self._in_order = layout.way == "chosen and rejected"
        self._verdict = verdict_of(layout, ranks)

    def read(self, number: int, row: Mapping[str, object]) -> Iterator[Candidate]:
        try:
            yield Candidate(number, 1, 1, self._pair(row))
        except REJECT_ERRORS as error:
            yield Candidate(number, 1, 1, make_reject(error, row))

    def _pair(self, row: Mapping[str, object]) -> Pair:
        self.prompts.check_text(row)
        prompt, first, second = self._texts(row)
        check(prompt, first, second)
        verdict = self._judge(row)
        if verdict.side == "tie":
            raise RejectError("tie")
        about = (
            UNKNOWN_ANSWERS if self._says_nothing else AnswerFacts(self._safe(row), self._risks(row), self._models(row))
        )
        votes = verdict.votes
        if verdict.side == "second":
            first, second, about = second, first, about.swap()
            votes = votes[::-1] if votes is not None else None
        if about.safe == (False, True):
            raise RejectError("unsafe_chosen")
        return Pair(prompt, first, second, self.facts.of(row), about, verdict.degree, votes)

    def _texts(self, row: Mapping[str, object]) -> tuple[Messages, str, str]:
        """The prompt and both answers. An answer that is a complete dialogue also contains its prompt."""
        values = self._first(row), self._second(row)
        one_path, other_path = map(str, self._paths)
        turns = self.layout.dialogue == "hh"
        if not isinstance(values[0], list | dict) and not (turns and self._in_order):
            first, second = fields.text(values[0], one_path), fields.text(values[1], other_path)
            return self.prompts.of(row), first, second
        if turns and isinstance(values[0], str) and isinstance(values[1], str):
            one, other = hh.parse_both(values[0], values[1])
        else:
            one, other = self.prompts.messages(values[0], one_path), self.prompts.messages(values[1], other_path)
        if one[-1][0] != "assistant" or other[-1][0] != "assistant":
            raise RejectError("unreadable_dialogue", "a dialogue does not end with the assistant")
        if one[:-1] != other[:-1]:
            raise RejectError("differing_prefixes")
        if len(one) == 1 and self.layout.prompt is None and not self.layout.templates:
            raise RejectError("unreadable_dialogue", "a dialogue holds nothing before the answer")
        prompt = self.prompts.with_system(one[:-1], row) if len(one) > 1 else self.prompts.of(row)
        return prompt, one[-1][1], other[-1][1]

    def _judge(self, row: Mapping[str, object]) -> Verdict:
        """The verdict of a row. Raises RejectError if scores are equal, or nobody voted."""
        if self.layout.chosen_score is not None:
            self._check_scores(row)
        if self._verdict is None:
            return _CHOSEN
        verdict = self._verdict(row)
        if verdict.side is None:
            raise RejectError("no_votes")
        return verdict

    def _check_scores(self, row: Mapping[str, object]) -> None:
        """Raises RejectError for equal scores, and RowError if the rejected answer has the better score."""
        layout = self.layout
        chosen, rejected = self._scores(row)
        lower = layout.better == "lower"
        if chosen != rejected and (chosen < rejected) != lower:
            raise RowError(f"{layout.chosen_score} is {'higher' if lower else 'lower'} than {layout.rejected_score}")
        if chosen == rejected:
            raise RejectError("tie")


def _read_both(layout: Layout, of: str, read: Callable[[object, str], T]) -> Callable[[object], tuple[T, T]]:
    """A function that reads a property of both answers from a row, such as ``model``. ``read`` takes value and path."""
    one, other = layout.paths(of)
    first, second = optional_getter(one), optional_getter(other)
    return lambda row: (read(first(row), str(one)), read(second(row), str(other)))
