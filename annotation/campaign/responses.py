"""Prompts with their responses, and gold pairs, from files of rows: JSON lines, CSV, Parquet and others."""

import hashlib
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from annotation.rows.delimited import Cell
from annotation.rows.reading import Unreadable
from annotation.rows.reading import rows as rows_of

ROLES = ("system", "user", "assistant")
RESPONSE_FIELDS = ("model", "temperature", "text")
TEXTS = ("prompt_id", "prompt", "model", "text", "chosen", "rejected")
"""The columns of texts, which may look like JSON in CSV."""
COLUMNS = ("messages", "responses", "temperature", *TEXTS)
"""The columns that are read, apart from _HIDDEN_FIELDS."""

NON_TEXT_FIELDS = frozenset(
    ["audio", "audios", "function_call", "functions", "image", "images", "tool_calls", "tools", "video", "videos"]
)
"""Fields of a row, a message or a response that hold content other than text."""

_HIDDEN_FIELDS = NON_TEXT_FIELDS | {"reasoning_content", "thinking"}

Messages = tuple[tuple[str, str], ...]
"""A dialogue: (role, content) of each turn, oldest first; the last turn is the user's."""


@dataclass(frozen=True)
class Response:
    model: str
    temperature: float | None
    text: str


@dataclass(frozen=True)
class Prompt:
    prompt_id: str
    messages: Messages
    responses: tuple[Response, ...]
    repeated: int = 0
    """Responses that were left out because another response has the same model, temperature and text."""


@dataclass(frozen=True)
class GoldPair:
    """Two responses of which the better is known; ``chosen`` and ``rejected`` are texts."""

    prompt_id: str
    messages: Messages
    chosen: str
    rejected: str
    repeated: int = 0
    """Rows that were left out because they hold the same pair."""


@dataclass(frozen=True)
class Problem:
    """An input that was skipped or needs attention: where it is, the reason in one word, and a sentence."""

    where: str
    reason: str
    message: str


class _BadRowError(ValueError):
    """A row that cannot be used; the message says why."""


def find_non_text(holder: Mapping[str, Any], names: Collection[str]) -> str | None:
    """The first of the fields ``names`` that has a value, or None if each is missing, null or empty.

    >>> find_non_text({"role": "user", "images": [], "tool_calls": [{"id": "1"}]}, NON_TEXT_FIELDS)
    'tool_calls'
    """
    return next((name for name in sorted(holder.keys() & names) if holder[name] not in (None, False, "", [], {})), None)


def read_prompts(path: Path) -> tuple[list[Prompt], list[Problem]]:
    """The prompts of a file, sorted by id, with the rows of a prompt merged; and the rows that were skipped.

    A row has ``prompt_id`` (if missing, a hash of the messages), ``messages`` (or ``prompt``, a single user turn) and
    ``responses``: a list of {model, temperature, text}; or it has the ``model``, ``temperature`` and ``text`` of one
    response. Rows that give the same id to different messages are all skipped, so that the result does not depend on
    the order of rows.

    Raises UserError if the file cannot be read.
    """
    problems: list[Problem] = []
    found: dict[str, dict[Messages, list[tuple[str, list[Response]]]]] = {}
    for where, row in _read_rows(path, problems):
        try:
            prompt_id, messages = _parse_prompt(row)
            responses = _parse_responses(row)
        except _BadRowError as error:
            problems.append(Problem(where, "unusable_row", str(error)))
            continue
        found.setdefault(prompt_id, {}).setdefault(messages, []).append((where, responses))
    prompts = []
    for prompt_id, dialogues in sorted(found.items()):
        if len(dialogues) > 1:
            message = f"prompt {prompt_id} has different messages in several rows: give each dialogue its own prompt_id"
            problems += [Problem(where, "unusable_row", message) for rows in dialogues.values() for where, _ in rows]
            continue
        [(messages, rows)] = dialogues.items()
        kept = {response for _, responses in rows for response in responses}
        repeated = sum(len(responses) for _, responses in rows) - len(kept)
        prompts.append(Prompt(prompt_id, messages, tuple(sorted(kept, key=sort_key)), repeated))
    return prompts, problems


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
    for number, row in rows_of(path, frozenset((*COLUMNS, *_HIDDEN_FIELDS)), texts=TEXTS):
        where = f"{path.name}, {word} {number}"
        if isinstance(row, Unreadable):
            problems.append(Problem(where, "unusable_row", row.message))
        else:
            yield where, {name: None if _is_blank(name, value) else value for name, value in row.items()}


def _is_blank(name: str, value: Any) -> bool:
    """Whether a value is an empty cell of CSV, which stands for a missing value. The text of an answer may be empty."""
    return isinstance(value, Cell) and not value and name not in ("text", "chosen", "rejected")


def _parse_prompt(row: Mapping[str, Any]) -> tuple[str, Messages]:
    messages = row.get("messages")
    if messages is None and isinstance(row.get("prompt"), str):
        messages = [{"role": "user", "content": row["prompt"]}]
    if not isinstance(messages, list) or not messages:
        raise _BadRowError("the row needs messages, a list of {role, content}, or prompt, a text")
    _refuse_non_text(row, NON_TEXT_FIELDS, "the row")
    turns = []
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise _BadRowError(f"the role of a message must be one of {', '.join(ROLES)}")
        _refuse_non_text(message, _HIDDEN_FIELDS, "a message")
        turns.append((message["role"], _parse_text(message, "content")))
    if turns[-1][0] != "user":
        raise _BadRowError("the last message is not the user's: the responses must answer the user")
    if not turns[-1][1].strip():
        raise _BadRowError("the last message is empty")
    prompt_id = row.get("prompt_id")
    if prompt_id is None:
        prompt_id = hashlib.blake2b(orjson.dumps(turns), digest_size=16).hexdigest()
    if not isinstance(prompt_id, (str, int)) or isinstance(prompt_id, bool) or prompt_id == "":
        raise _BadRowError("prompt_id must be a text that is not empty, or a whole number")
    return str(prompt_id), tuple(turns)


def _refuse_non_text(holder: Mapping[str, Any], names: Collection[str], what: str) -> None:
    found = find_non_text(holder, names)
    if found is not None:
        raise _BadRowError(
            f"{what} has {found!r}: annotators can be shown text only; remove the field if they do not need it"
        )


def _parse_responses(row: Mapping[str, Any]) -> list[Response]:
    responses = row.get("responses")
    if responses is None and row.get("model") is not None:
        responses = [{name: row[name] for name in (*RESPONSE_FIELDS, *_HIDDEN_FIELDS) if name in row}]
    if not isinstance(responses, list) or not responses:
        raise _BadRowError(
            "the row needs responses, a list of {model, temperature, text}, or model and text of one response"
        )
    kept = []
    for response in responses:
        if not isinstance(response, dict):
            raise _BadRowError("a response must be an object with model, temperature and text")
        _refuse_non_text(response, _HIDDEN_FIELDS, "a response")
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
        kept.append(Response(str(model), temperature, _parse_text(response, "text")))
    return kept


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
