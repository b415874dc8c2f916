"""Rows with many answers, in a list or a tree: every two answers to the same prompt are a pair."""

from collections.abc import Iterator, Mapping
from itertools import combinations, islice

from annotation.campaign.responses import Messages
from annotation.imports.fields import RowError, getter
from annotation.imports.forms import Form
from annotation.imports.layout import Layout
from annotation.imports.outcomes import REJECT_ERRORS, Candidate, Outcome, Reject, RejectError, make_reject
from annotation.imports.ranks import Ranks
from annotation.imports.scored import Answer, Scored
from annotation.imports.trees import nodes


class Several(Form):
    """Reads every pair of two answers to the same prompt in a row, up to ``most_pairs`` per prompt."""

    def __init__(self, layout: Layout, ranks: Ranks, mapped: bool):
        super().__init__(layout, mapped)
        self._ranks = ranks
        self._scored = Scored(layout, self.prompts, self.facts)

    def read(self, number: int, row: Mapping[str, object]) -> Iterator[Candidate]:
        for pair, outcome in enumerate(self._outcomes(row), 1):
            yield Candidate(number, pair, int(pair == 1), outcome, True)

    def _outcomes(self, row: Mapping[str, object]) -> Iterator[Outcome]:
        """The outcomes of a row's pairs, best answers first. An unreadable answer is a reject of its own."""
        found = False
        try:
            self.prompts.check_text(row)
            for prompt, answers in self._answers(row):
                for outcome in self._pair_up(row, prompt, answers):
                    found = True
                    yield outcome
        except REJECT_ERRORS as error:
            yield make_reject(error, row)
            return
        if not found:
            yield make_reject(RejectError("too_few_answers"), row)

    def _answers(self, row: Mapping[str, object]) -> Iterator[tuple[Messages, list[object]]]:
        """The prompts of a row with their unread answers; from a tree, only prompts with two or more answers."""
        layout = self.layout
        if layout.tree is not None:
            for node in nodes(getter(layout.tree)(row), str(layout.text), str(layout.replies), layout.tree):
                if len(node.replies) > 1:
                    yield node
            return
        listed = getter(str(layout.answers))(row)
        if not isinstance(listed, list):
            raise RowError(f"{layout.answers} is not a list")
        yield self.prompts.of(row), listed

    def _pair_up(self, row: Mapping[str, object], prompt: Messages, listed: list[object]) -> Iterator[Outcome]:
        answers: list[Answer] = []
        unreadable: list[Reject] = []
        for value in listed:
            try:
                answers.append(self._scored.answer(value))
            except REJECT_ERRORS as error:
                unreadable.append(make_reject(error, value))
        self._ranks.count([answer.score for answer in answers])
        answers.sort(key=self._scored.sort_key)  # answers with equal scores keep their order
        for one, other in islice(combinations(answers, 2), self.layout.most_pairs):
            try:
                yield self._scored.pair(row, prompt, one, other)
            except REJECT_ERRORS as error:
                yield make_reject(error, {"first": one._asdict(), "second": other._asdict()})
        yield from unreadable
