"""Models' responses to prompts, from files of rows (JSON lines, CSV, Parquet and others)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotation.campaign.responses import ROLES, Messages
from annotation.evaluation.forms.responses import AGAIN, FIELDS, own_form
from annotation.rows.delimited import Cell
from annotation.rows.reading import Unreadable
from annotation.rows.reading import rows as rows_of
from schemas.errors import UserError
from schemas.visible import visible

TEXTS = ("prompt_id", "prompt", "model", "response", "text", "category")
COLUMNS = frozenset((*TEXTS, "messages", "responses", *FIELDS))
"""The columns that are read."""


@dataclass(frozen=True)
class Question:
    """A prompt: the dialogue, whose last turn is the user's, and its category, None if it has none."""

    prompt_id: str
    messages: Messages
    category: str | None = None


@dataclass(frozen=True)
class Outputs:
    """Questions by id, and the responses of each model by the question's id; all sorted by name."""

    questions: Mapping[str, Question]
    models: Mapping[str, Mapping[str, str]]

    @property
    def unanswered(self) -> list[tuple[str, str]]:
        """(model, prompt_id) of each prompt that a model did not answer, sorted."""
        return [(name, each) for name, texts in self.models.items() for each in self.questions if each not in texts]


@dataclass
class Gathering:
    """Outputs that are still being read, and the place of each question and response, for messages."""

    questions: dict[str, Question] = field(default_factory=dict)
    models: dict[str, dict[str, str | None]] = field(default_factory=dict)
    _places: dict[tuple[str, ...], str] = field(default_factory=dict)

    def ask(self, question: Question, place: str) -> None:
        """Adds a question; the same question may come again. Raises UserError if its id has another dialogue."""
        held = self.questions.setdefault(question.prompt_id, question)
        first = self._places.setdefault((question.prompt_id,), place)
        if held.messages != question.messages:
            raise UserError(
                f"{place}: the prompt {question.prompt_id!r} has other messages than at {first}: give each dialogue "
                "its own prompt_id"
            )
        if held.category is None:
            self.questions[question.prompt_id] = question
        elif question.category not in (None, held.category):
            raise UserError(
                f"{place}: the prompt {question.prompt_id!r} has category {question.category!r}, but "
                f"{held.category!r} at {first}: give each prompt one category"
            )

    def answer(self, prompt_id: str, model: str, text: str | None, place: str, *, again: bool = False) -> None:
        """Adds a response; None is a prompt that the model did not answer. Raises UserError if the model has already
        answered the prompt, unless the same response may come ``again``."""
        first = self._places.setdefault((prompt_id, model), place)
        if first != place and again and self.models[model].get(prompt_id) == text:
            return
        if first != place or prompt_id in self.models.get(model, {}):
            raise UserError(
                f"{place}: the model {model!r} answers the prompt {prompt_id!r} again, after {first}: keep one of the "
                "responses"
            )
        self.models.setdefault(model, {})[prompt_id] = text

    def finish(self, where: str) -> Outputs:
        """The outputs. Raises UserError if a response has no question, or if there is no response at all."""
        for model, texts in self.models.items():
            for prompt_id in texts:
                if prompt_id not in self.questions:
                    raise UserError(
                        f"{self._places[prompt_id, model]}: no row gives the prompt {prompt_id!r}: give its prompt or "
                        "messages"
                    )
        models = {
            name: {key: text for key, text in sorted(texts.items()) if text is not None}
            for name, texts in sorted(self.models.items())
        }
        if not any(models.values()):
            raise UserError(f"{where} holds no response: give rows with prompt_id, prompt, model and response")
        return Outputs(dict(sorted(self.questions.items())), models)


def read_outputs(paths: Sequence[Path]) -> Outputs:
    """The responses in these files.

    A row has ``prompt_id``, ``prompt`` (a text) or ``messages``, ``model`` and ``response``; a null response is a
    prompt that the model did not answer. The prompt may be missing where another row of the same id has it. A row may
    have a ``category``, and ``responses`` (a list of {model, text}) in place of model and response. Rows may also have
    a form of others (`forms.responses`). A response that is repeated for another filter of lm-eval counts once.

    Raises UserError, with the place, for a row that cannot be read, an id that is missing or has two dialogues, and a
    model that answers a prompt twice.
    """
    gathering = Gathering()
    for path in paths:
        for place, row in read_rows(path):
            _take(own_form(row, path, place), gathering, place)
    return gathering.finish(" and ".join(map(str, paths)))


def read_rows(path: Path, columns: Iterable[str] = COLUMNS, texts: Iterable[str] = TEXTS) -> Iterator[tuple[str, Any]]:
    """(place, row) of each row of a file; the place is for messages. Raises UserError for a value that is not a row."""
    word = "line" if ".jsonl" in path.suffixes else "row"
    for number, row in rows_of(path, frozenset(columns), texts=tuple(texts)):
        place = f"{path}, {word} {number}"
        if isinstance(row, Unreadable):
            raise UserError(f"{place}: {visible(row.message)}")
        yield place, row


def parse_messages(row: Mapping[str, Any], place: str) -> Messages | None:
    """The dialogue of a row, None if the row has neither ``messages`` nor ``prompt``."""
    messages = row.get("messages")
    if messages is None:
        messages = row.get("prompt")
        if messages is None or (isinstance(messages, Cell) and not messages):
            return None
    if isinstance(messages, str):
        messages = [{"role": "user", "content": str(messages)}]
    if not isinstance(messages, list) or not messages or not all(map(_is_turn, messages)):
        raise UserError(
            f"{place}: messages must be a list of {{role, content}}, with texts as content and the roles "
            f"{', '.join(ROLES)}, or prompt a text"
        )
    if messages[-1]["role"] != "user" or not messages[-1]["content"].strip():
        raise UserError(f"{place}: the last message must be the user's and not empty, as the responses answer it")
    return tuple((turn["role"], str(turn["content"])) for turn in messages)


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, dict) and turn.get("role") in ROLES and isinstance(turn.get("content"), str)


def _take(row: Mapping[str, Any], gathering: Gathering, place: str) -> None:
    prompt_id = parse_id(row.get("prompt_id"), "prompt_id", place)
    category = row.get("category") or None
    if not isinstance(category, str | None):
        raise UserError(f"{place}: category must be a text")
    messages = parse_messages(row, place)
    if messages is not None:
        gathering.ask(Question(prompt_id, messages, category if category is None else str(category)), place)
    responses = row.get("responses")
    if responses is None and row.get("model") is None and (row.get("response") or row.get("text")):
        raise UserError(f"{place}: the row has a response, but no model: give the name of the model")
    if responses is None:
        responses = [row] if row.get("model") is not None else []
    if not isinstance(responses, list) or not all(isinstance(each, dict) for each in responses):
        raise UserError(f"{place}: responses must be a list of {{model, text}}")
    if not responses and messages is None:
        raise UserError(f"{place}: the row has neither a prompt nor a model with its response")
    for each in responses:
        _take_response(prompt_id, each, gathering, place)


def _take_response(prompt_id: str, row: Mapping[str, Any], gathering: Gathering, place: str) -> None:
    model = parse_id(row.get("model"), "model", place)
    given = [name for name in ("response", "text") if name in row]
    if not given:
        raise UserError(f"{place}: the row has no response; give null for a prompt that the model did not answer")
    text = row[given[0]]
    if not isinstance(text, str | None):
        raise UserError(f"{place}: {given[0]} must be a text, or null for a prompt that the model did not answer")
    gathering.answer(prompt_id, model, None if text is None else str(text), place, again=AGAIN in row)


def parse_id(value: Any, name: str, place: str) -> str:
    """A text that is not empty, or a whole number, as a text. Raises UserError for anything else."""
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise UserError(f"{place}: {name} is missing: give a text, or a whole number")
    return str(value)
