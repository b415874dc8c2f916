"""Prompts with their responses, and gold pairs, from files of rows: JSON lines, CSV, Parquet and others."""

import hashlib
import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from annotation.campaign.facts import UNKNOWN, Facts, merge, parse_facts
from annotation.rows.delimited import Cell
from annotation.rows.reading import Unreadable
from annotation.rows.reading import rows as rows_of
from schemas.preference import FACTS

ROLES = ("system", "user", "assistant")
RESPONSE_FIELDS = ("model", "temperature", "text", "response")
TEXTS = ("prompt_id", "prompt", "model", "text", "response", "chosen", "rejected", *FACTS)
"""The columns of texts, which may look like JSON in CSV."""
COLUMNS = ("messages", "responses", "temperature", *TEXTS)
"""The columns that are read, apart from HIDDEN_FIELDS."""

NON_TEXT_FIELDS = frozenset(
    ["audio", "audios", "function_call", "functions", "image", "images", "tool_calls", "tools", "video", "videos"]
)
"""Fields of a row, a message or a response that hold content other than text."""

HIDDEN_FIELDS = NON_TEXT_FIELDS | {"reasoning_content", "thinking"}

Messages = tuple[tuple[str, str], ...]
"""A dialogue: (role, content) of each turn, oldest first; the last turn is the user's."""


@dataclass(frozen=True)
class Response:
    model: str
    temperature: float | None
    text: str


@dataclass(frozen=True)
class Problem:
    """An input that was skipped or needs attention: where it is, the reason in one word, and a sentence."""

    where: str
    reason: str
    message: str


@dataclass(frozen=True)
class Prompt:
    prompt_id: str
    messages: Messages
    responses: tuple[Response, ...]
    repeated: int = 0
    """Responses that were left out because another response has the same model, temperature and text."""
    facts: Facts = UNKNOWN
    repeats: tuple[Problem, ...] = field(default=(), compare=False, repr=False)
    """Where the repeated responses are."""


@dataclass(frozen=True)
class GoldPair:
    """Two responses of which the better is known; ``chosen`` and ``rejected`` are texts."""

    prompt_id: str
    messages: Messages
    chosen: str
    rejected: str
    repeated: int = 0
    """Rows that were left out because they hold the same pair."""


class _BadRowError(ValueError):
    """A row that cannot be used; the message says why."""


def find_non_text(holder: Mapping[str, Any], names: Collection[str]) -> str | None:
    """The first of the fields ``names`` that has a value, or None if each is missing, null or empty.

    >>> find_non_text({"role": "user", "images": [], "tool_calls": [{"id": "1"}]}, NON_TEXT_FIELDS)
    'tool_calls'
    """
    return next((name for name in sorted(holder.keys() & names) if holder[name] not in (None, False, "", [], {})), None)


@dataclass
class _Rows:
    """The rows of one prompt_id that are still being read: their dialogues, and (place, responses, facts) of each."""

    dialogues: set[Messages] = field(default_factory=set)
    rows: list[tuple[str, list[Response], Facts]] = field(default_factory=list)

    def merged(self, prompt_id: str) -> Prompt:
        """The prompt of all rows. Raises _BadRowError if they contradict each other, or none has the dialogue."""
        if not self.dialogues:
            raise _BadRowError(f"no row gives the messages or the prompt of {prompt_id}: add them to one of its rows")
        if len(self.dialogues) > 1:
            raise _BadRowError(
                f"prompt {prompt_id} has different messages in several rows: give each dialogue its own prompt_id"
            )
        facts = UNKNOWN
        for _, _, each in self.rows:
            try:
                facts = merge(facts, each)
            except ValueError as error:
                raise _BadRowError(f"prompt {prompt_id} {error}: give each prompt one") from error
        [messages] = self.dialogues
        kept: set[Response] = set()
        repeats = []
        for where, response in ((where, response) for where, responses, _ in self.rows for response in responses):
            if response in kept:
                message = f"{response.model} answers the prompt {prompt_id} again with the same response: left out"
                repeats.append(Problem(where, "repeated_response", message))
            kept.add(response)
        return Prompt(prompt_id, messages, tuple(sorted(kept, key=sort_key)), len(repeats), facts, tuple(repeats))


def read_prompts(path: Path, *, measures: bool = False) -> tuple[list[Prompt], list[Problem]]:
    """The prompts of a file, sorted by id, with the rows of a prompt merged; and the rows that were skipped.

    A row has ``prompt_id`` (if missing, a hash of the messages), ``messages`` (or ``prompt``, a single user turn; or
    neither, if another row of the same prompt_id has it) and ``responses``: a list of {model, temperature, text}; or it
    has the ``model``, ``temperature`` and ``text`` (or ``response``) of one response. Rows that contradict each other
    are all skipped, so that the result does not depend on the order of rows.

    ``measures``: the responses are for a campaign that measures models. Then the facts of each prompt are read, and a
    null response, which is an empty text, is a prompt that the model did not answer.

    Raises UserError if the file cannot be read.
    """
    problems: list[Problem] = []
    return merge_rows(_read_rows(path, problems), problems, measures=measures), problems


def merge_rows(
    rows: Iterable[tuple[str, Mapping[str, Any]]], problems: list[Problem], *, measures: bool
) -> list[Prompt]:
    """The prompts of rows, of which each has its place, as `read_prompts` has them; appends the rows that it skips to
    ``problems``."""
    found: dict[str, _Rows] = {}
    for where, row in rows:
        try:
            prompt_id, messages = _parse_prompt(row)
            responses = _parse_responses(row, measures)
            facts = parse_facts(row) if measures else UNKNOWN
        except (_BadRowError, ValueError) as error:
            problems.append(Problem(where, "unusable_row", str(error)))
            continue
        held = found.setdefault(prompt_id, _Rows())
        held.rows.append((where, responses, facts))
        if messages is not None:
            held.dialogues.add(messages)
    prompts = []
    for prompt_id, held in sorted(found.items()):
        try:
            prompts.append(held.merged(prompt_id))
        except _BadRowError as error:
            problems += [Problem(where, "unusable_row", str(error)) for where, _, _ in held.rows]
    return prompts


def sort_key(response: Response) -> tuple[str, bool, float, str]:
    """The key of a total order of responses that is independent of their quality."""
    return response.model, response.temperature is not None, response.temperature or 0.0, response.text


def read_gold(path: Path) -> tuple[list[GoldPair], list[Problem]]:
    """The gold pairs of a file, sorted; and the rows that were skipped.

    A row has ``messages`` (or ``prompt``), ``chosen`` and ``rejected``. A repeated pair is returned once, with the
    smallest of its ids. Rows that contradict each other are all skipped. Raises UserError if the file cannot be read.
    """
    problems: list[Problem] = []
    found: dict[tuple[Messages, frozenset[str]], list[tuple[str, GoldPair]]] = {}
    for where, row in _read_rows(path, problems):
        try:
            prompt_id, messages = _parse_prompt(row)
            if messages is None:
                raise _BadRowError(NO_PROMPT)
            chosen, rejected = _parse_text(row, "chosen"), _parse_text(row, "rejected")
            if not chosen.strip() or not rejected.strip() or chosen == rejected:
                raise _BadRowError("chosen and rejected must be two different texts, neither of them empty")
        except _BadRowError as error:
            problems.append(Problem(where, "unusable_row", str(error)))
            continue
        gold = GoldPair(prompt_id, messages, chosen, rejected)
        found.setdefault((messages, frozenset((chosen, rejected))), []).append((where, gold))
    pairs = []
    for rows in found.values():
        if len({gold.chosen for _, gold in rows}) > 1:
            message = "other rows swap chosen and rejected of this pair: remove the wrong rows"
            problems += [Problem(where, "unusable_row", message) for where, _ in rows]
        else:
            one = min((gold for _, gold in rows), key=lambda gold: gold.prompt_id)
            pairs.append(replace(one, repeated=len(rows) - 1))
    return sorted(pairs, key=lambda gold: (gold.prompt_id, gold.chosen, gold.rejected)), problems


def _read_rows(path: Path, problems: list[Problem]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    word = "line" if ".jsonl" in path.suffixes else "row"
    for number, row in rows_of(path, frozenset((*COLUMNS, *HIDDEN_FIELDS)), texts=TEXTS):
        where = f"{path.name}, {word} {number}"
        if isinstance(row, Unreadable):
            problems.append(Problem(where, "unusable_row", row.message))
        else:
            yield where, {name: None if _is_blank(name, value) else value for name, value in row.items()}


def _is_blank(name: str, value: Any) -> bool:
    """Whether a value is an empty cell of CSV, which stands for a missing value. The text of an answer may be empty."""
    return isinstance(value, Cell) and not value and name not in ("text", "chosen", "rejected")


NO_RESPONSE = "the row has no response"
NULL = "; give null for a prompt that the model did not answer"
NO_PROMPT = "the row needs messages, a list of {role, content}, or prompt, a text"


def _parse_prompt(row: Mapping[str, Any]) -> tuple[str, Messages | None]:
    """The id and the dialogue of a row; None as the dialogue of a row that has only the id."""
    messages = row.get("messages")
    if messages is None and isinstance(row.get("prompt"), str):
        messages = [{"role": "user", "content": row["prompt"]}]
    if messages is None and row.get("prompt") is None and row.get("prompt_id") is not None:
        return _parse_id(row["prompt_id"]), None
    if not isinstance(messages, list) or not messages:
        raise _BadRowError(NO_PROMPT)
    _refuse_non_text(row, NON_TEXT_FIELDS, "the row")
    turns = []
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise _BadRowError(f"the role of a message must be one of {', '.join(ROLES)}")
        _refuse_non_text(message, HIDDEN_FIELDS, "a message")
        turns.append((message["role"], _parse_text(message, "content")))
    if turns[-1][0] != "user":
        raise _BadRowError("the last message is not the user's: the responses must answer the user")
    if not turns[-1][1].strip():
        raise _BadRowError("the last message is empty")
    prompt_id = row.get("prompt_id")
    if prompt_id is None:
        prompt_id = hashlib.blake2b(orjson.dumps(turns), digest_size=16).hexdigest()
    return _parse_id(prompt_id), tuple(turns)


def _parse_id(prompt_id: Any) -> str:
    if not isinstance(prompt_id, (str, int)) or isinstance(prompt_id, bool) or prompt_id == "":
        raise _BadRowError("prompt_id must be a text that is not empty, or a whole number")
    return str(prompt_id)


def _refuse_non_text(holder: Mapping[str, Any], names: Collection[str], what: str) -> None:
    found = find_non_text(holder, names)
    if found is not None:
        raise _BadRowError(
            f"{what} has {found!r}: annotators can be shown text only; remove the field if they do not need it"
        )


def _parse_responses(row: Mapping[str, Any], measures: bool) -> list[Response]:
    responses = row.get("responses")
    if responses is None and row.get("model") is None and _response_of(row) is not None:
        raise _BadRowError("the row has a response, but no model: give the name of the model")
    if responses is None and row.get("model") is not None:
        responses = [{name: row[name] for name in (*RESPONSE_FIELDS, *HIDDEN_FIELDS) if name in row}]
    if not isinstance(responses, list) or not responses:
        raise _BadRowError(
            "the row needs responses, a list of {model, temperature, text}, or model and text of one response"
        )
    kept = []
    for response in responses:
        if not isinstance(response, dict):
            raise _BadRowError("a response must be an object with model, temperature and text")
        _refuse_non_text(response, HIDDEN_FIELDS, "a response")
        model, temperature = response.get("model"), response.get("temperature")
        if not isinstance(model, str) or not model:
            raise _BadRowError("a response needs model, the name of its model")
        if temperature is not None:
            temperature = _number(temperature) if isinstance(temperature, Cell) else temperature
            if isinstance(temperature, bool) or not isinstance(temperature, (int, float)):
                raise _BadRowError("the temperature of a response must be a number or missing")
            temperature = float(temperature) + 0.0  # turns -0.0 into 0.0
            if not math.isfinite(temperature) or temperature < 0:
                raise _BadRowError("the temperature of a response must be 0 or more")
        name = "response" if response.get("text") is None and "response" in response else "text"
        if name not in response:
            raise _BadRowError(NO_RESPONSE + (NULL if measures else ""))
        unanswered = measures and name in response and response[name] is None
        kept.append(Response(str(model), temperature, "" if unanswered else _parse_text(response, name)))
    return kept


def _response_of(row: Mapping[str, Any]) -> Any:
    return row.get("response") if row.get("text") is None else row["text"]


def _parse_text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise _BadRowError(f"{name} must be a text")
    return str(value)


def _number(cell: Cell) -> float | Cell:
    """A cell of CSV as a number; the cell unchanged if it is not a number."""
    try:
        return float(cell)
    except ValueError:
        return cell
