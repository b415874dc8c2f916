"""Rows of an open set into pairs of answers with the better one first, or the reason why there is none."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, islice
from typing import Any, NamedTuple

from annotation.imports import fields, hh
from annotation.imports.dialogues import messages_of
from annotation.imports.fields import RowError, getter, optional
from annotation.imports.hh import DialogueError
from annotation.imports.layout import Layout, template_parts
from annotation.imports.reading import Row, Unreadable, as_json
from annotation.imports.verdicts import Verdict, verdict_of
from annotation.responses import Messages

REASONS = {
    "unreadable": "the row is no JSON, lacks a field, or holds a value of another type",
    "unreadable_dialogue": "the dialogue does not parse, or does not end with the user before an answer",
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
"""Why a candidate pair is no comparison."""


class Pair(NamedTuple):
    """One comparison. ``votes``: those for the chosen and for the rejected answer, where the set tells."""

    prompt: Messages
    chosen: str
    rejected: str
    degree: str | None
    safe: tuple[bool | None, bool | None]
    risks: tuple[tuple[str, ...], tuple[str, ...]]
    models: tuple[str | None, str | None]
    votes: tuple[int, int] | None
    weight: float
    id: str | None
    batch: str | None
    held_out: bool


class Reject(NamedTuple):
    """A candidate that is no comparison; ``raw`` is JSON text, ``message`` is empty where REASONS says it all."""

    reason: str
    message: str
    raw: str


Outcome = Pair | Reject


class Found(NamedTuple):
    """What became of one candidate. ``row``: the number of its row; ``pair``: which pair of the row it is, from 1;
    ``rows``: how many of the file's rows it accounts for (none, where the row has an earlier pair); ``several``: rows
    of this form have more pairs than one."""

    row: int
    pair: int
    rows: int
    outcome: Outcome
    several: bool = False


class _RejectError(Exception):
    """A candidate that a rule leaves out."""

    def __init__(self, reason: str, message: str = ""):
        super().__init__(message)
        self.reason, self.message = reason, message


class _Answer(NamedTuple):
    text: str
    score: float
    model: str | None


_UNTOLD: tuple[Any, Any, Any] = ((None, None), ((), ()), (None, None))
_CHOSEN = Verdict("first", None, None)


class Reader:
    """Reads rows by the first of the layouts whose fields they have."""

    def __init__(self, layouts: Sequence[Layout]):
        self._forms = [_Form(layout) for layout in layouts]
        self.columns = frozenset().union(*(layout.columns() for layout in layouts))

    def read(self, rows: Iterator[tuple[int, Row]]) -> Iterator[Found]:
        """Every candidate of a file, in the order of its rows."""
        before: tuple[int, dict[str, Any], _Form] | None = None
        for number, row in rows:
            form = None if isinstance(row, Unreadable) else self._form(row)
            if before is not None:
                if isinstance(row, dict) and form is before[2] and form.same_prompt(before[1], row):
                    yield Found(before[0], 1, 2, form.consecutive(before[1], row))
                    before = None
                    continue
                yield Found(before[0], 1, 1, Reject("unpaired", "", as_json(before[1])))
                before = None
            if isinstance(row, Unreadable):
                yield Found(number, 1, 1, Reject("unreadable", row.message, row.raw))
            elif form is None:
                yield Found(number, 1, 1, Reject("unreadable", self._lacking(row), as_json(row)))
            elif form.layout.consecutive:
                before = number, row, form
            elif form.layout.answers is None:
                yield Found(number, 1, 1, form.outcome(row))
            else:
                for pair, outcome in enumerate(form.several(row, form.layout.answers), 1):
                    yield Found(number, pair, int(pair == 1), outcome, True)
        if before is not None:
            yield Found(before[0], 1, 1, Reject("unpaired", "", as_json(before[1])))

    def _form(self, row: dict[str, Any]) -> "_Form | None":
        for form in self._forms:
            if form.needs <= row.keys():
                return form
        return None

    def _lacking(self, row: dict[str, Any]) -> str:
        missing = min((sorted(form.needs - row.keys()) for form in self._forms), key=len)
        return f"a row needs {', '.join(missing)}"


class _Form:
    """One layout, ready to be read."""

    def __init__(self, layout: Layout):
        self.layout = layout
        self.needs = layout.needed()
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
        self._verdict: Callable[[Any], Verdict] | None = verdict_of(layout)
        self._beside = [optional(each) for each in (layout.id, layout.batch, layout.split)]
        self._alone = (layout.id, layout.batch, layout.split, layout.weight) == (None, None, None, None)
        self._weight = optional(layout.weight if isinstance(layout.weight, str) else None)

    def outcome(self, row: dict[str, Any]) -> Outcome:
        """What becomes of a row with two answers."""
        try:
            return self._pair(row)
        except (_RejectError, RowError, DialogueError) as error:
            return _rejected(error, row)

    def same_prompt(self, one: dict[str, Any], other: Any) -> bool:
        try:
            return bool(self._prompt(one) == self._prompt(other))
        except RowError:
            return False

    def consecutive(self, one: dict[str, Any], other: dict[str, Any]) -> Outcome:
        """What becomes of two rows with one prompt."""
        try:
            answers = [self._answer(row) for row in (one, other)]
            return self._scored(one, *answers)
        except (_RejectError, RowError, DialogueError) as error:
            return _rejected(error, [one, other])

    def _pair(self, row: dict[str, Any]) -> Pair:
        prompt, first, second = self._texts(row)
        _check(prompt, first, second)
        verdict = self._judged(row)
        if verdict.side == "tie":
            raise _RejectError("tie")
        safe, risks, models = _UNTOLD if self._plain else self._about(row)
        votes = verdict.votes
        if verdict.side == "second":
            first, second = second, first
            safe, risks, models = safe[::-1], risks[::-1], models[::-1]
            votes = votes[::-1] if votes is not None else None
        if safe == (False, True):
            raise _RejectError("unsafe_chosen")
        beside = (1.0, None, None, False) if self._alone else self._row(row)
        return Pair(prompt, first, second, verdict.degree, safe, risks, models, votes, *beside)

    def _texts(self, row: dict[str, Any]) -> tuple[Messages, str, str]:
        """The prompt and both answers. An answer that is a dialogue holds its prompt."""
        values = [get(row) for get in self._answers]
        form = self.layout.dialogue
        whole = isinstance(values[0], list) or (form == "hh" and self.layout.way == "chosen and rejected")
        if not whole:
            first, second = (fields.text(value, str(path)) for value, path in zip(values, self._sides, strict=True))
            return self._asked(row), first, second
        if form == "hh" and isinstance(values[0], str) and isinstance(values[1], str):
            one, other = hh.parse_both(values[0], values[1])
        else:
            one, other = (_messages(value, form, str(path)) for value, path in zip(values, self._sides, strict=True))
        if one[-1][0] != "assistant" or other[-1][0] != "assistant":
            raise _RejectError("unreadable_dialogue", "a dialogue does not end with the assistant")
        if one[:-1] != other[:-1]:
            raise _RejectError("differing_prefixes")
        if len(one) == 1 and self.layout.prompt is None and not self._templates:
            raise _RejectError("unreadable_dialogue", "a dialogue holds nothing before the answer")
        return one[:-1] or self._asked(row), one[-1][1], other[-1][1]

    def _asked(self, row: dict[str, Any]) -> Messages:
        if self.layout.prompt is not None:
            return _messages(self._prompt(row), self.layout.dialogue, self.layout.prompt)
        for parts in self._templates:
            try:
                values = [literal if path is None else getter(path)(row) for literal, path in parts]
            except RowError:
                continue
            if all(isinstance(value, str) for value in values):
                return (("user", "".join(values)),)
        if self._templates:
            raise RowError("a row lacks what the prompt is made of: no template has all its fields")
        raise RowError(f"{self._sides[0]} is no dialogue, and the mapping names no prompt")

    def _judged(self, row: dict[str, Any]) -> Verdict:
        one, other = self._of["score"]
        if one is not None and self.layout.way == "chosen and rejected":
            chosen, rejected = (fields.number(get(row), "a score") for get in self._get["score"])
            if chosen < rejected:
                raise RowError(f"{one} is lower than {other}")
            if chosen == rejected:
                raise _RejectError("tie")
        if self._verdict is None:
            return _CHOSEN
        verdict = self._verdict(row)
        if verdict.side is None:
            raise _RejectError("no_votes")
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

    def several(self, row: dict[str, Any], path: str) -> Iterator[Outcome]:
        """What becomes of each two of a row's answers, best ones first; one that cannot be read is left out alone."""
        answers: list[_Answer] = []
        unreadable: list[Reject] = []
        try:
            listed = getter(path)(row)
            if not isinstance(listed, list):
                raise RowError(f"{path} is not a list")
            self._asked(row)
        except (RowError, DialogueError, _RejectError) as error:
            yield _rejected(error, row)
            return
        for value in listed:
            try:
                answers.append(self._answer(value))
            except RowError as error:
                unreadable.append(_rejected(error, value))
        answers.sort(key=lambda answer: -answer.score)  # equal ones stay as they are listed
        found = False
        for one, other in islice(combinations(answers, 2), self.layout.most_pairs):
            found = True
            try:
                yield self._scored(row, one, other)
            except (_RejectError, RowError) as error:
                yield _rejected(error, {"first": one._asdict(), "second": other._asdict()})
        yield from unreadable
        if not found and not unreadable:
            yield _rejected(_RejectError("too_few_answers"), row)

    def _answer(self, value: Any) -> _Answer:
        layout = self.layout
        found = getter(str(layout.text))(value)
        score = getter(str(layout.score))(value)
        model = _name(optional(layout.model)(value), str(layout.model))
        return _Answer(fields.text(found, str(layout.text)), fields.number(score, str(layout.score)), model)

    def _scored(self, row: dict[str, Any], one: _Answer, other: _Answer) -> Pair:
        if one.score < other.score:
            one, other = other, one
        prompt = self._asked(row)
        _check(prompt, one.text, other.text)
        if one.score == other.score:
            raise _RejectError("tie")
        models = (one.model, other.model)
        return Pair(prompt, one.text, other.text, None, (None, None), ((), ()), models, None, *self._row(row))


def _check(prompt: Messages, first: str, second: str) -> None:
    """Raises _RejectError where these are no two answers to a prompt."""
    if not prompt or prompt[-1][0] != "user":
        raise _RejectError("unreadable_dialogue", "the turn before the answer is not the user's")
    if not prompt[-1][1].strip():
        raise _RejectError("empty_prompt")
    if not first.strip() or not second.strip():
        raise _RejectError("empty_answer")
    if first == second:
        raise _RejectError("equal_answers")


def _messages(value: Any, form: str, path: str) -> Messages:
    try:
        return messages_of(value, form)
    except TypeError as error:
        raise RowError(f"{path} {error}") from error


def _name(value: Any, path: str) -> str | None:
    return None if value is None else fields.text(value, path)


def _rejected(error: Exception, raw: Any) -> Reject:
    if isinstance(error, _RejectError):
        return Reject(error.reason, error.message, as_json(raw))
    reason = "unreadable_dialogue" if isinstance(error, DialogueError) else "unreadable"
    return Reject(reason, str(error), as_json(raw))
