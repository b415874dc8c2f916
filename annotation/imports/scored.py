"""Reads answers with scores, and pairs two answers with the better answer first."""

from collections.abc import Mapping
from typing import NamedTuple

from annotation.campaign.responses import Messages
from annotation.imports import fields
from annotation.imports.fields import getter, optional_getter
from annotation.imports.layout import Layout
from annotation.imports.outcomes import UNKNOWN_ANSWERS, Pair, RejectError, check
from annotation.imports.prompts import Prompts
from annotation.imports.row_facts import RowFacts


class Answer(NamedTuple):
    """One answer to a prompt."""

    text: str
    score: float
    model: str | None


class Scored:
    """Reads the answers of a layout, and compares their scores. The layout says whether the lower score is better."""

    def __init__(self, layout: Layout, prompts: Prompts, facts: RowFacts):
        self._prompts, self._facts = prompts, facts
        self._in_tree = layout.tree is not None
        self._lower = layout.better == "lower"
        self._text_path, self._score_path, self._model_path = str(layout.text), str(layout.score), str(layout.model)
        self._text, self._score, self._model = (
            getter(self._text_path),
            getter(self._score_path),
            optional_getter(layout.model),
        )

    def answer(self, value: object) -> Answer:
        """The answer in ``value``: a row, or an item of its answers. Raises REJECT_ERRORS for an invalid answer."""
        self._prompts.check_text(value)
        text = self._text(value)
        if self._in_tree and isinstance(value, dict) and value.get(self._score_path) is None:
            raise RejectError("no_votes", f"the reply has no {self._score_path}")
        score = self._score(value)
        model = fields.name(self._model(value), self._model_path)
        return Answer(fields.text(text, self._text_path), fields.number(score, self._score_path), model)

    def sort_key(self, answer: Answer) -> float:
        """A key that sorts answers from best to worst."""
        return answer.score if self._lower else -answer.score

    def pair(self, row: Mapping[str, object], prompt: Messages, one: Answer, other: Answer) -> Pair:
        """The pair of two answers of a row. Raises RejectError if they are not a comparison, for example a tie."""
        better, worse = sorted((one, other), key=self.sort_key)
        check(prompt, better.text, worse.text)
        if better.score == worse.score:
            raise RejectError("tie")
        about = UNKNOWN_ANSWERS._replace(models=(better.model, worse.model))
        return Pair(prompt, better.text, worse.text, self._facts.of(row), about)
