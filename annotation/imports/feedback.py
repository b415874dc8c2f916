"""Rows with one answer each, good or bad: two of them with one prompt are a pair."""

from collections import deque
from collections.abc import Iterator
from typing import Any

from annotation.imports.forms import Feedback, Form
from annotation.imports.outcomes import LEAVING_OUT, Found, Reject, rejected
from annotation.imports.reading import as_json
from annotation.responses import Messages


class Labelled:
    """Pairs the first good answer to a prompt with the first bad one, then the second ones, and so on, however far
    apart they are. A row waits in memory for the other one of its pair."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[Messages, bool], deque[Feedback]] = {}

    def add(self, number: int, row: dict[str, Any], form: Form) -> Iterator[Found]:
        try:
            prompt, text, good = form.labelled(row)
        except LEAVING_OUT as error:
            yield Found(number, 1, 1, rejected(error, row))
            return
        new = Feedback(number, row, prompt, text)
        others = self._waiting.get((prompt, not good))
        if not others:
            self._waiting.setdefault((prompt, good), deque()).append(new)
            return
        other = others.popleft()
        yield Found(other.number, 1, 2, form.labelled_pair(*((new, other) if good else (other, new))))

    def left(self) -> Iterator[Found]:
        """The rows that found no other one, in their order."""
        for each in sorted((each for kept in self._waiting.values() for each in kept), key=lambda each: each.number):
            yield Found(
                each.number,
                1,
                1,
                Reject("unpaired", "no further row with the same prompt has the other label", as_json(each.row)),
            )
