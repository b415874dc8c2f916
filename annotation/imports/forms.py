"""One layout, ready to be read: a row into its pair or pairs."""

from collections.abc import Callable, Iterator
from itertools import combinations, islice
from typing import Any, NamedTuple

from annotation.imports import fields, hh
from annotation.imports.dialogues import messages_of
from annotation.imports.fields import RowError, getter, optional
from annotation.imports.layout import Layout, template_parts
from annotation.imports.outcomes import LEAVING_OUT, Outcome, Pair, Reject, RejectError, check, rejected
from annotation.imports.ranks import Ranks
from annotation.imports.trees import nodes
from annotation.imports.verdicts import Verdict, verdict_of
from annotation.responses import BEYOND_TEXT, Messages, beyond_text

SYSTEM = frozenset(["system", "system_message", "system_prompt"])
"""Fields of a row that hold the system's message, by their names."""

UNTOLD: tuple[Any, Any, Any] = ((None, None), ((), ()), (None, None))
"""Safety, risks and models of two answers of which the row says nothing."""

_CHOSEN = Verdict("first", None, None)


class UnusedSystemError(Exception):
    """A row has a system's message that the mapping does not use; the message says where."""


class _Answer(NamedTuple):
    text: str
    score: float
    model: str | None


class Feedback(NamedTuple):
    """A row with one answer."""

    number: int
    row: dict[str, Any]
    prompt: Messages
    text: str


class Form:
    """One layout, ready to be read."""

    def __init__(self, layout: Layout, ranks: Ranks, mapped: bool):
        self.layout = layout
        self.needs = layout.needed()
        self._ranks = Ranks() if layout.better is not None else ranks
        self._lower = layout.better == "lower"
        self._ignored = frozenset(layout.ignore)
        self._beyond = BEYOND_TEXT - layout.columns() - self._ignored
        self.systems = SYSTEM - layout.columns() - self._ignored if mapped and layout.system is None else frozenset()
        self._system = optional(layout.system)
        one, other = layout.sides
        named = layout.given()
        self._sides = tuple(named.get(side) for side in (one, other))
        self._answers = tuple(optional(named.get(side)) for side in (one, other))  # type: ignore[arg-type]
        self._of = {
            of: tuple(named.get(f"{side}_{of}") for side in (one, other)) for of in ("safe", "risks", "model", "score")
        }
        self._get = {of: tuple(optional(path) for path in paths) for of, paths in self._of.items()}  # type: ignore[arg-type]
        self._plain = not any(path for of in ("safe", "risks", "model") for path in self._of[of])
        self._prompt = optional(layout.prompt)
        self._templates = [template_parts(template) for template in layout.templates]
        self._verdict: Callable[[Any], Verdict] | None = verdict_of(layout, self._ranks)
        self._beside = [optional(each) for each in (layout.id, layout.batch, layout.split)]
        self._alone = (layout.id, layout.batch, layout.split, layout.weight) == (None, None, None, None)
        self._weight = optional(layout.weight if isinstance(layout.weight, str) else None)

    def outcome(self, row: dict[str, Any]) -> Outcome:
        """What becomes of a row with two answers."""
        try:
            return self._pair(row)
        except LEAVING_OUT as error:
            return rejected(error, row)

    def same_prompt(self, one: dict[str, Any], other: Any) -> bool:
        try:
            return bool(self._prompt(one) == self._prompt(other))
        except RowError:
            return False

    def consecutive(self, one: dict[str, Any], other: dict[str, Any]) -> Outcome:
        """What becomes of two rows with one prompt."""
        try:
            answers = [self._answer(row) for row in (one, other)]
            self._ranks.see([answer.score for answer in answers])
            return self._scored(one, self._asked(one), *answers)
        except LEAVING_OUT as error:
            return rejected(error, [one, other])

    def check_system(self, number: int, row: dict[str, Any]) -> None:
        """Raises UnusedSystemError for a row with a system's message that the layout neither uses nor ignores."""
        for name in sorted(self.systems & row.keys()):
            if isinstance(row[name], str) and row[name].strip():
                raise UnusedSystemError(
                    f'row {number} has a text in {name}, which the mapping does not use: add system = "{name}" to put '
                    f'it before the prompt, or ignore = ["{name}"] to leave it out'
                )

    def _pair(self, row: dict[str, Any]) -> Pair:
        self._only_text(row)
        prompt, first, second = self._texts(row)
        check(prompt, first, second)
        verdict = self._judged(row)
        if verdict.side == "tie":
            raise RejectError("tie")
        safe, risks, models = UNTOLD if self._plain else self._about(row)
        votes = verdict.votes
        if verdict.side == "second":
            first, second = second, first
            safe, risks, models = safe[::-1], risks[::-1], models[::-1]
            votes = votes[::-1] if votes is not None else None
        if safe == (False, True):
            raise RejectError("unsafe_chosen")
        beside = (1.0, None, None, False) if self._alone else self._row(row)
        return Pair(prompt, first, second, verdict.degree, safe, risks, models, votes, *beside)

    def _only_text(self, value: Any) -> None:
        """Raises RejectError for a row, or an answer, with fields that belong to the dialogue and are no texts."""
        if isinstance(value, dict) and not self._beyond.isdisjoint(value):
            name = beyond_text(value, self._beyond)
            if name is not None:
                raise RejectError("more_than_text", f"the row has {name!r}, which a comparison cannot hold")

    def _texts(self, row: dict[str, Any]) -> tuple[Messages, str, str]:
        """The prompt and both answers. An answer that is a dialogue holds its prompt."""
        values = [get(row) for get in self._answers]
        form = self.layout.dialogue
        whole = isinstance(values[0], list | dict) or (form == "hh" and self.layout.way == "chosen and rejected")
        if not whole:
            first, second = (fields.text(value, str(path)) for value, path in zip(values, self._sides, strict=True))
            return self._asked(row), first, second
        if form == "hh" and isinstance(values[0], str) and isinstance(values[1], str):
            one, other = hh.parse_both(values[0], values[1])
        else:
            one, other = (self._messages(value, str(path)) for value, path in zip(values, self._sides, strict=True))
        if one[-1][0] != "assistant" or other[-1][0] != "assistant":
            raise RejectError("unreadable_dialogue", "a dialogue does not end with the assistant")
        if one[:-1] != other[:-1]:
            raise RejectError("differing_prefixes")
        if len(one) == 1 and self.layout.prompt is None and not self._templates:
            raise RejectError("unreadable_dialogue", "a dialogue holds nothing before the answer")
        prompt = self._with_system(one[:-1], row) if len(one) > 1 else self._asked(row)
        return prompt, one[-1][1], other[-1][1]

    def _asked(self, row: dict[str, Any]) -> Messages:
        if self.layout.prompt is not None:
            return self._with_system(self._messages(self._prompt(row), self.layout.prompt, prompt=True), row)
        for parts in self._templates:
            try:
                values = [literal if path is None else getter(path)(row) for literal, path in parts]
            except RowError:
                continue
            if all(isinstance(value, str) for value in values):
                return self._with_system((("user", "".join(values)),), row)
        if self._templates:
            raise RowError("a row lacks what the prompt is made of: no template has all its fields")
        raise RowError(f"{self._sides[0]} is no dialogue, and the mapping names no prompt")

    def _messages(self, value: Any, path: str, prompt: bool = False) -> Messages:
        """The messages of a field. A ``prompt`` in HH's form may end with an empty turn of the assistant's."""
        form = self.layout.dialogue
        try:
            if prompt and form == "hh" and isinstance(value, str):
                return hh.parse_prompt(value)
            return messages_of(value, form, self._ignored)
        except TypeError as error:
            raise RowError(f"{path} {error}") from error

    def _with_system(self, prompt: Messages, row: dict[str, Any]) -> Messages:
        """The dialogue behind the system's message, where the row has one in a field of its own."""
        system = self._system(row)
        if system is None:
            return prompt
        text = fields.text(system, str(self.layout.system))
        if not text.strip():
            return prompt
        if prompt and prompt[0][0] == "system":
            if prompt[0][1] == text:
                return prompt
            raise RejectError("unreadable_dialogue", "the dialogue and the row have different system messages")
        return (("system", text), *prompt)

    def _judged(self, row: dict[str, Any]) -> Verdict:
        one, other = self._of["score"]
        if one is not None and self.layout.way == "chosen and rejected":
            chosen, rejected = (fields.number(get(row), "a score") for get in self._get["score"])
            if chosen != rejected and (chosen < rejected) != self._lower:
                raise RowError(f"{one} is {'higher' if self._lower else 'lower'} than {other}")
            if chosen == rejected:
                raise RejectError("tie")
        if self._verdict is None:
            return _CHOSEN
        verdict = self._verdict(row)
        if verdict.side is None:
            raise RejectError("no_votes")
        return verdict

    def _about(self, row: dict[str, Any]) -> tuple[Any, Any, Any]:
        """Safety, risks and models of both answers."""

        def both(of: str, read: Callable[[Any, str], Any]) -> tuple[Any, ...]:
            return tuple(read(get(row), str(path)) for get, path in zip(self._get[of], self._of[of], strict=True))

        return both("safe", fields.flag), both("risks", fields.names), both("model", _name)

    def _row(self, row: dict[str, Any]) -> tuple[float, str | None, str | None, bool]:
        """Weight, id, batch, and whether the row itself says that it is held out."""
        layout = self.layout
        own, batch, split = (get(row) for get in self._beside)
        weight = layout.weight if layout.weight is not None else 1.0
        if isinstance(weight, str):
            weight = fields.number(self._weight(row), weight)
            if weight <= 0:
                raise RowError(f"{layout.weight} is not above 0")
        named = [
            fields.word(value, path).strip() if path is not None else None
            for value, path in ((own, layout.id), (batch, layout.batch))
        ]
        if "" in named:
            raise RowError(f"{layout.id if named[0] == '' else layout.batch} is empty")
        held_out = split is not None and fields.word(split, str(layout.split)) in layout.held_out
        return float(weight), named[0], named[1], held_out

    def several(self, row: dict[str, Any]) -> Iterator[Outcome]:
        """What becomes of each two of a row's answers, best ones first; one that cannot be read is left out alone."""
        layout = self.layout
        found = False
        try:
            self._only_text(row)
            if layout.tree is not None:
                root = getter(layout.tree)(row)
                for prompt, replies in nodes(root, str(layout.text), str(layout.replies), layout.tree):
                    if len(replies) > 1:
                        found = True
                        yield from self._each_two(row, prompt, replies, layout.most_pairs)
            else:
                listed = getter(str(layout.answers))(row)
                if not isinstance(listed, list):
                    raise RowError(f"{layout.answers} is not a list")
                prompt = self._asked(row)
                for outcome in self._each_two(row, prompt, listed, layout.most_pairs):
                    found = True
                    yield outcome
        except LEAVING_OUT as error:
            yield rejected(error, row)
            return
        if not found:
            yield rejected(RejectError("too_few_answers"), row)

    def _each_two(self, row: dict[str, Any], prompt: Messages, listed: list[Any], most: int) -> Iterator[Outcome]:
        answers: list[_Answer] = []
        unreadable: list[Reject] = []
        for value in listed:
            try:
                answers.append(self._answer(value))
            except LEAVING_OUT as error:
                unreadable.append(rejected(error, value))
        self._ranks.see([answer.score for answer in answers])
        answers.sort(key=self._worst_last)  # equal ones stay as they are listed
        for one, other in islice(combinations(answers, 2), most):
            try:
                yield self._scored(row, prompt, one, other)
            except LEAVING_OUT as error:
                yield rejected(error, {"first": one._asdict(), "second": other._asdict()})
        yield from unreadable

    def _worst_last(self, answer: _Answer) -> float:
        return answer.score if self._lower else -answer.score

    def _answer(self, value: Any) -> _Answer:
        layout = self.layout
        self._only_text(value)
        found = getter(str(layout.text))(value)
        if layout.tree is not None and isinstance(value, dict) and value.get(str(layout.score)) is None:
            raise RejectError("no_votes", f"the reply has no {layout.score}")
        score = getter(str(layout.score))(value)
        model = _name(optional(layout.model)(value), str(layout.model))
        return _Answer(fields.text(found, str(layout.text)), fields.number(score, str(layout.score)), model)

    def _scored(self, row: dict[str, Any], prompt: Messages, one: _Answer, other: _Answer) -> Pair:
        if self._worst_last(one) > self._worst_last(other):
            one, other = other, one
        check(prompt, one.text, other.text)
        if one.score == other.score:
            raise RejectError("tie")
        safe, risks, _ = UNTOLD
        models = (one.model, other.model)
        return Pair(prompt, one.text, other.text, None, safe, risks, models, None, *self._row(row))

    def labelled(self, row: dict[str, Any]) -> tuple[Messages, str, bool]:
        """The prompt of a row, its one answer, and whether that is a good one."""
        self._only_text(row)
        layout = self.layout
        label = fields.flag(getter(str(layout.label))(row), str(layout.label))
        if label is None:
            raise RejectError("no_votes", f"{layout.label} is empty")
        value = getter(str(layout.completion))(row)
        prompt = self._asked(row)
        if isinstance(value, str):
            return prompt, value, label
        messages = self._messages(value, str(layout.completion))
        if len(messages) != 1 or messages[0][0] != "assistant":
            raise RejectError("unreadable_dialogue", f"{layout.completion} is not one message of the assistant's")
        return prompt, messages[0][1], label

    def labelled_pair(self, good: Feedback, bad: Feedback) -> Outcome:
        """What becomes of a good and a bad answer to one prompt."""
        rows = {"chosen": good.row, "rejected": bad.row}
        try:
            check(good.prompt, good.text, bad.text)
            safe, risks, models = UNTOLD
            return Pair(good.prompt, good.text, bad.text, None, safe, risks, models, None, *self._row(good.row))
        except LEAVING_OUT as error:
            return rejected(error, rows)


def _name(value: Any, path: str) -> str | None:
    return None if value is None else fields.text(value, path)
