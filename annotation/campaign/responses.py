"""Prompts with their responses, and gold pairs, from JSON lines or Parquet."""

import codecs
import hashlib
import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.checksums import sha256_of
from schemas.errors import UserError
from schemas.named_files import open_named

ROLES = ("system", "user", "assistant")
COLUMNS = ("prompt_id", "messages", "prompt", "responses", "chosen", "rejected")
"""All that is read of a row, aside from BEYOND_TEXT."""

BEYOND_TEXT = frozenset(
    ["audio", "audios", "function_call", "functions", "image", "images", "tool_calls", "tools", "video", "videos"]
)
"""Fields of a row, a message or an answer that hold a part of the dialogue other than its words."""

_REASONING = BEYOND_TEXT | {"reasoning_content", "thinking"}

Messages = tuple[tuple[str, str], ...]
"""A dialogue: (role, content) a turn, oldest first; the last one is the user's."""


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


@dataclass(frozen=True)
class GoldPair:
    """Two responses of which the better one is known; ``chosen`` and ``rejected`` are texts."""

    prompt_id: str
    messages: Messages
    chosen: str
    rejected: str


@dataclass(frozen=True)
class Problem:
    """Something that was left out, or is worth a look: where it is, the reason in one word, and a sentence."""

    where: str
    reason: str
    message: str


_UNREADABLE = (pa.ArrowException, OSError, ValueError, OverflowError, LookupError)
"""What Parquet raises beside its own: for texts that are not UTF-8, dates beyond Python's, time zones of no place."""


class _BadRowError(ValueError):
    """A row that cannot be used; the message says why."""


def beyond_text(holder: Mapping[str, Any], names: Collection[str]) -> str | None:
    """The first of these fields that holds something, or None if each is missing, null or empty.

    >>> beyond_text({"role": "user", "images": [], "tool_calls": [{"id": "1"}]}, BEYOND_TEXT)
    'tool_calls'
    """
    return next((name for name in sorted(holder.keys() & names) if holder[name] not in (None, False, "", [], {})), None)


def read_prompts(path: Path) -> tuple[list[Prompt], list[Problem]]:
    """The prompts of a file, sorted by their id, rows of the same prompt put together; and the rows left out.

    A row has ``prompt_id`` (made from the messages where it is missing), ``messages`` (or ``prompt``, a single user
    turn) and ``responses``: a list of {model, temperature, text}. Nothing depends on the order of the rows: where they
    give one id to different messages, none of them is used.

    Raises UserError when the file cannot be read at all.
    """
    problems: list[Problem] = []
    found: dict[str, dict[Messages, list[tuple[str, list[Response]]]]] = {}
    for where, row in _rows(path, problems):
        try:
            prompt_id, messages = _prompt(row)
            responses = _responses(row)
        except _BadRowError as error:
            problems.append(Problem(where, "unusable_row", str(error)))
            continue
        found.setdefault(prompt_id, {}).setdefault(messages, []).append((where, responses))
    prompts = []
    for prompt_id, dialogues in sorted(found.items()):
        if len(dialogues) > 1:
            message = f"prompt {prompt_id} has different messages in several rows: give each of them an id of its own"
            problems += [Problem(where, "unusable_row", message) for rows in dialogues.values() for where, _ in rows]
            continue
        [(messages, rows)] = dialogues.items()
        kept = {response for _, responses in rows for response in responses}
        prompts.append(Prompt(prompt_id, messages, tuple(sorted(kept, key=order))))
    return prompts, problems


def order(response: Response) -> tuple[str, bool, float, str]:
    """A total order, which says nothing about quality."""
    return response.model, response.temperature is not None, response.temperature or 0.0, response.text


def read_gold(path: Path) -> tuple[list[GoldPair], list[Problem]]:
    """Gold pairs, sorted, and rows left out; a row has ``messages`` (or ``prompt``), ``chosen`` and ``rejected``.

    The same pair is there once, under the first of its ids. Rows that contradict each other are all left out.
    """
    problems: list[Problem] = []
    found: dict[tuple[Messages, frozenset[str]], list[tuple[str, GoldPair]]] = {}
    for where, row in _rows(path, problems):
        try:
            prompt_id, messages = _prompt(row)
            chosen, rejected = _text(row, "chosen"), _text(row, "rejected")
            if not chosen.strip() or not rejected.strip() or chosen == rejected:
                raise _BadRowError("chosen and rejected must be two different texts that are not empty")
        except _BadRowError as error:
            problems.append(Problem(where, "unusable_row", str(error)))
            continue
        gold = GoldPair(prompt_id, messages, chosen, rejected)
        found.setdefault((messages, frozenset((chosen, rejected))), []).append((where, gold))
    pairs = []
    for rows in found.values():
        if len({gold.chosen for _, gold in rows}) > 1:
            message = "other rows have the same two responses the other way round: leave in the right ones only"
            problems += [Problem(where, "unusable_row", message) for where, _ in rows]
        else:
            pairs.append(min((gold for _, gold in rows), key=lambda gold: gold.prompt_id))
    return sorted(pairs, key=lambda gold: (gold.prompt_id, gold.chosen, gold.rejected)), problems


def digest(path: Path) -> str:
    """The SHA-256 of a file; raises UserError when it cannot be read."""
    with _readable(path), open_named(path) as stream:
        return sha256_of(stream)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What goes wrong inside is the user's mistake; ValueError is that of a name which no file can have."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{str(path)!r} cannot be read ({reason}): name an existing file in campaign.toml") from error


def _rows(path: Path, problems: list[Problem]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    with _readable(path), open_named(path) as stream:
        data = stream.read()
    if data[:4] == b"PAR1":
        try:
            file = pq.ParquetFile(pa.BufferReader(data))
            rows = file.read(
                columns=[name for name in (*COLUMNS, *BEYOND_TEXT) if name in file.schema_arrow.names]
            ).to_pylist()
        except _UNREADABLE as error:
            raise UserError(f"{path} is a Parquet file that cannot be read ({error}): write it again") from error
        yield from ((f"{path.name}, row {number}", row) for number, row in enumerate(rows, 1))
        return
    for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        if not line.strip():
            continue
        where = f"{path.name}, line {number}"
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            problems.append(Problem(where, "not_json", str(error)))
            continue
        if isinstance(row, dict):
            yield where, row
        else:
            problems.append(Problem(where, "unusable_row", "a row is a JSON object"))


def _prompt(row: Mapping[str, Any]) -> tuple[str, Messages]:
    messages = row.get("messages")
    if messages is None and isinstance(row.get("prompt"), str):
        messages = [{"role": "user", "content": row["prompt"]}]
    if not isinstance(messages, list) or not messages:
        raise _BadRowError("a row needs messages, a list of {role, content}, or prompt, a text")
    _only_text(row, BEYOND_TEXT, "the row")
    turns = []
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in ROLES:
            raise _BadRowError(f"the role of a message is one of {', '.join(ROLES)}")
        _only_text(message, _REASONING, "a message")
        turns.append((message["role"], _text(message, "content")))
    if turns[-1][0] != "user":
        raise _BadRowError("the last message must be the user's: the responses answer it")
    if not turns[-1][1].strip():
        raise _BadRowError("the last message is empty")
    prompt_id = row.get("prompt_id")
    if prompt_id is None:
        prompt_id = hashlib.blake2b(orjson.dumps(turns), digest_size=16).hexdigest()
    if not isinstance(prompt_id, (str, int)) or isinstance(prompt_id, bool) or prompt_id == "":
        raise _BadRowError("prompt_id is a text or a whole number")
    return str(prompt_id), tuple(turns)


def _only_text(holder: Mapping[str, Any], names: Collection[str], what: str) -> None:
    found = beyond_text(holder, names)
    if found is not None:
        raise _BadRowError(
            f"{what} has {found!r}: only texts can be shown to annotators; leave the field out if it is not needed"
        )


def _responses(row: Mapping[str, Any]) -> list[Response]:
    responses = row.get("responses")
    if not isinstance(responses, list) or not responses:
        raise _BadRowError("a row needs responses, a list of {model, temperature, text}")
    kept = []
    for response in responses:
        if not isinstance(response, dict):
            raise _BadRowError("a response is an object with model, temperature and text")
        _only_text(response, _REASONING, "a response")
        model, temperature = response.get("model"), response.get("temperature")
        if not isinstance(model, str) or not model:
            raise _BadRowError("a response needs the name of its model")
        if temperature is not None:
            if isinstance(temperature, bool) or not isinstance(temperature, (int, float)):
                raise _BadRowError("the temperature of a response is a number, or missing")
            temperature = float(temperature) + 0.0  # which makes -0.0 the same as 0.0
            if not math.isfinite(temperature) or temperature < 0:
                raise _BadRowError("the temperature of a response is 0 or more")
        kept.append(Response(model, temperature, _text(response, "text")))
    return kept


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise _BadRowError(f"{name} must be a text")
    return value
