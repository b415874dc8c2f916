"""Rows with one answer each, good or bad: a good and a bad answer to the same prompt are a pair."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from annotation.campaign.responses import Messages
from annotation.imports import fields
from annotation.imports.fields import getter
from annotation.imports.forms import Form
from annotation.imports.layout import Layout
from annotation.imports.outcomes import REJECT_ERRORS, Candidate, Outcome, Pair, Reject, RejectError, check, make_reject
from annotation.rows.reading import as_json


class Feedback(NamedTuple):
    """A row with one answer."""

    number: int
    row: Mapping[str, object]
    prompt: Messages
    text: str
    good: bool


class Labelled(Form):
    """Pairs the first good answer to a prompt with its first bad answer, the second with the second, and so on, however
    far apart the rows are. A row stays in memory until its partner is read."""

    def __init__(self, layout: Layout, mapped: bool):
        super().__init__(layout, mapped)
        self._label, self._completion = getter(str(layout.label)), getter(str(layout.completion))
        self._waiting: dict[tuple[Messages, bool], deque[Feedback]] = {}

    def read(self, number: int, row: Mapping[str, object]) -> Iterator[Candidate]:
        try:
            new = self._feedback(number, row)
        except REJECT_ERRORS as error:
            yield Candidate(number, 1, 1, make_reject(error, row))
            return
        others = self._waiting.get((new.prompt, not new.good))
        if not others:
            self._waiting.setdefault((new.prompt, new.good), deque()).append(new)
            return
        other = others.popleft()
        good, bad = (new, other) if new.good else (other, new)
        yield Candidate(other.number, 1, 2, self._outcome(good, bad))

    def finish(self) -> Iterator[Candidate]:
        why = "no further row with the same prompt has the other label"
        waiting, self._waiting = self._waiting, {}
        for each in sorted((each for kept in waiting.values() for each in kept), key=lambda each: each.number):
            yield Candidate(each.number, 1, 1, Reject("unpaired", why, as_json(each.row)))

    def _feedback(self, number: int, row: Mapping[str, object]) -> Feedback:
        self.prompts.check_text(row)
        layout = self.layout
        good = fields.flag(self._label(row), str(layout.label))
        if good is None:
            raise RejectError("no_votes", f"{layout.label} is empty")
        value = self._completion(row)
        prompt = self.prompts.of(row)
        if isinstance(value, str):
            return Feedback(number, row, prompt, value, good)
        messages = self.prompts.messages(value, str(layout.completion))
        if len(messages) != 1 or messages[0][0] != "assistant":
            raise RejectError("unreadable_dialogue", f"{layout.completion} is not one message of the assistant's")
        return Feedback(number, row, prompt, messages[0][1], good)

    def _outcome(self, good: Feedback, bad: Feedback) -> Outcome:
        try:
            check(good.prompt, good.text, bad.text)
            return Pair(good.prompt, good.text, bad.text, self.facts.of(good.row))
        except REJECT_ERRORS as error:
            return make_reject(error, {"chosen": good.row, "rejected": bad.row})
