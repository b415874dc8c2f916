"""Rows with one scored answer each: two consecutive rows with the same prompt are a pair."""

from collections.abc import Iterator, Mapping

from annotation.imports.fields import RowError
from annotation.imports.forms import Form
from annotation.imports.layout import Layout
from annotation.imports.outcomes import REJECT_ERRORS, Candidate, Outcome, Reject, make_reject
from annotation.imports.ranks import Ranks
from annotation.imports.scored import Scored
from annotation.rows.reading import as_json


class Consecutive(Form):
    """Holds each row until the next row shows whether both have the same prompt."""

    def __init__(self, layout: Layout, ranks: Ranks, mapped: bool):
        super().__init__(layout, mapped)
        self._ranks = ranks
        self._scored = Scored(layout, self.prompts, self.facts)
        self._before: tuple[int, Mapping[str, object]] | None = None

    def read(self, number: int, row: Mapping[str, object]) -> Iterator[Candidate]:
        if self._before is not None and self._same_prompt(self._before[1], row):
            (first, before), self._before = self._before, None
            yield Candidate(first, 1, 2, self._outcome(before, row))
            return
        yield from self.interrupt()
        self._before = number, row

    def interrupt(self) -> Iterator[Candidate]:
        if self._before is not None:
            (number, row), self._before = self._before, None
            yield Candidate(number, 1, 1, Reject("unpaired", "", as_json(row)))

    def finish(self) -> Iterator[Candidate]:
        return self.interrupt()

    def _same_prompt(self, one: Mapping[str, object], other: Mapping[str, object]) -> bool:
        try:
            return self.prompts.field(one) == self.prompts.field(other)
        except RowError:
            return False

    def _outcome(self, one: Mapping[str, object], other: Mapping[str, object]) -> Outcome:
        try:
            first, second = self._scored.answer(one), self._scored.answer(other)
            self._ranks.count((first.score, second.score))
            return self._scored.pair(one, self.prompts.of(one), first, second)
        except REJECT_ERRORS as error:
            return make_reject(error, [one, other])
