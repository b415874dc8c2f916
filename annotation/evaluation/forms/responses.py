"""Rows of responses in the forms of alpaca_eval, Arena-Hard and lm-eval, as rows of Gristmill's own form.

The form of a row follows from its fields. A row of none of these forms is returned as it is.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.errors import UserError

FIELDS = (
    *("instruction", "output", "generator", "dataset"),
    *("uid", "doc_id", "arguments", "resps", "filtered_resps", "filter"),
)
"""The fields that are read, beside those of Gristmill's own form."""

_SAMPLES = re.compile(r"samples_(?P<task>.+?)(?:_\d{4}-\d{2}-\d{2}T[\d.-]+)?\.jsonl")
"""The name of a file of samples of lm-eval."""

AGAIN = "again"
"""A field of rows whose response may be repeated: lm-eval logs a sample for each of its filters."""

Row = Mapping[str, Any]


def own_form(row: Row, path: Path, place: str) -> Row:
    """The row with ``prompt_id``, ``prompt`` or ``messages``, ``model`` and ``response``. Raises UserError for a row of
    lm-eval that holds no text of a model."""
    if row.get("prompt_id") is not None:
        return row
    if row.get("instruction") is not None and "output" in row:
        return _alpaca_eval(row)
    if row.get("uid") is not None:
        return _arena_hard(row, place)
    if row.get("doc_id") is not None and ("resps" in row or "filtered_resps" in row):
        return _lm_eval(row, path, place)
    return row


def instruction_id(instruction: str) -> str:
    """The id of an instruction of alpaca_eval, which has none: 32 hexadecimal digits of a hash."""
    return hashlib.blake2b(instruction.encode(), digest_size=16).hexdigest()


def _alpaca_eval(row: Row) -> Row:
    """A row of ``model_outputs.json``: instruction, output, generator, dataset."""
    return {
        "prompt_id": instruction_id(str(row["instruction"])),
        "prompt": row["instruction"],
        "category": row.get("dataset"),
        "model": row.get("generator"),
        "response": row["output"],
    }


def _arena_hard(row: Row, place: str) -> Row:
    """A row of ``question.jsonl`` (uid, category, prompt), or of ``model_answer`` (uid, model, messages). A system
    message, which an answer may have and the question has not, is left out."""
    made = {"prompt_id": row["uid"], "category": row.get("category")}
    messages = row.get("messages")
    if row.get("model") is None or not isinstance(messages, list) or not messages:
        return {**made, "prompt": row.get("prompt")}
    content = messages[-1].get("content") if isinstance(messages[-1], dict) else None
    if isinstance(content, dict):
        content = content.get("answer")
    turns = [turn for turn in messages[:-1] if not (isinstance(turn, dict) and turn.get("role") == "system")]
    if not turns:
        raise UserError(f"{place}: the messages hold no prompt before the answer")
    return {**made, "messages": turns, "model": row["model"], "response": content}


def _lm_eval(row: Row, path: Path, place: str) -> Row:
    """A logged sample: doc_id, arguments, resps. The folder names the model, the file the task."""
    found = _SAMPLES.match(path.name)
    task = found["task"] if found else path.name.partition(".")[0]
    model = path.absolute().parent.name
    text = _first(row.get("resps")) if row.get("resps") else _first(row.get("filtered_resps"))
    if not isinstance(text, str):
        raise UserError(f"{place}: the sample has no text of a model: give samples of a task that generates text")
    made = {"prompt_id": f"{task}/{row['doc_id']}", "model": model, "response": text, **_context(row, place)}
    return made | {AGAIN: True}


def _context(row: Row, place: str) -> dict[str, Any]:
    """The prompt of a sample: a text, or a dialogue that lm-eval wrote as JSON."""
    context = row.get("arguments")
    while isinstance(context, dict | list) and context:
        context = next(iter(context.values())) if isinstance(context, dict) else context[0]
    if not isinstance(context, str) or not context:
        raise UserError(f"{place}: the sample has no arguments, which hold its prompt")
    try:
        turns = json.loads(context)
    except ValueError:
        turns = None
    if isinstance(turns, list) and turns and all(isinstance(turn, dict) and "role" in turn for turn in turns):
        return {"messages": turns}
    return {"prompt": context}


def _first(value: Any) -> Any:
    """The first value of nested lists."""
    while isinstance(value, list) and value:
        value = value[0]
    return value
