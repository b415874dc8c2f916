"""Reads an object as a document: text, url, doc_id, source and date; all other fields become canonical metadata."""

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from curation.sources.chunks import COLUMNS, RecordError
from schemas.wording import parse_failure

_BIG_NUMBER = re.compile(rb"[0-9]{19}")
_LARGE = 1 << 20
_ORJSON_COPIES = 16
"""Memory that orjson allocates at once, in lengths of the line, with some reserve."""
_MAY_BE_INEXACT = (float, dict, list)
_JSON_TYPES = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}


class Fields:
    """The names of the fields that hold each column of a document."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.names: dict[str, tuple[str, ...]] = {column: (fields.get(column, column),) for column in COLUMNS}
        if "doc_id" not in fields:
            self.names["doc_id"] = ("doc_id", "id")
        self.text = self.names["text"][0]

    def document(self, record: dict[str, Any]) -> dict[str, str | None]:
        """Text, url, doc_id, source, date and metadata of a record, which this call modifies; raises RecordError."""
        holder, key = _holder(record, self.text)
        values: dict[str, str | None] = {"text": self._text(record, holder, key)}
        taken = [(holder, key)]
        for column in ("url", "doc_id", "source", "date"):
            values[column] = self._value(record, column, taken)
        for holder, key in taken:
            if holder is not None:
                holder.pop(key, None)
        values["metadata"] = canonical_json(record) if record else "{}"
        return values

    def _text(self, record: dict[str, Any], holder: dict[str, Any] | None, key: str) -> str:
        if holder is None:
            found = ", ".join(map(repr, sorted(record)[:20])) or "none"
            raise RecordError("no_text", f"there is no field '{self.text}'; the record's fields: {found}")
        text = holder[key]
        if text is None:
            raise RecordError("null_text", f"the field '{self.text}' is null")
        if not isinstance(text, str):
            raise RecordError("text_not_a_string", f"the field '{self.text}' is {_json_type(text)}, not a string")
        return text

    def _value(self, record: dict[str, Any], column: str, taken: list[tuple[dict[str, Any] | None, str]]) -> str | None:
        """The column's value; None (and the field stays in metadata) if it is not a string or number."""
        for name in self.names[column]:
            holder, key = _holder(record, name)
            if holder is None:
                continue
            value = holder[key]
            if value is None or value == "":
                taken.append((holder, key))
            elif isinstance(value, str):
                taken.append((holder, key))
                return value
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                taken.append((holder, key))
                return canonical_json(value)
        return None


def _holder(record: dict[str, Any], name: str) -> tuple[dict[str, Any] | None, str]:
    """The object that holds a field and the key in it: the name itself, else a dotted path. None if missing."""
    if name in record:
        return record, name
    head, dot, rest = name.partition(".")
    inner = record.get(head) if dot else None
    return _holder(inner, rest) if isinstance(inner, dict) else (None, name)


def _json_type(value: object) -> str:
    return "null" if value is None else _JSON_TYPES[type(value)]


def parse_object(line: bytes) -> dict[str, Any]:
    """Parses the object on a line, with exact integers beyond 64 bits; raises RecordError."""
    try:
        return _object(line)
    except MemoryError as error:
        message = f"reading an object of {len(line)} bytes takes more memory than --memory allows"
        raise RecordError("too_large", message) from error


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = _parse(line)
    except orjson.JSONDecodeError as error:
        raise _bad_json(line, error) from error
    if not isinstance(value, dict):
        raise RecordError("not_an_object", f"the line is {_json_type(value)}, not an object")
    if any(type(member) in _MAY_BE_INEXACT for member in value.values()) and _BIG_NUMBER.search(line):
        try:
            return json.loads(line)  # type: ignore[no-any-return]
        except (ValueError, RecursionError) as error:
            raise RecordError("bad_json", parse_failure(error)) from error
    return value


def _parse(line: bytes) -> Any:
    """Parses the value on a line with orjson. Raises MemoryError if that needs more memory than this process may use:
    orjson itself would raise SystemError, report bad JSON or end the process."""
    if len(line) > _LARGE:
        np.empty(_ORJSON_COPIES * len(line), np.uint8)
    try:
        return orjson.loads(line)
    except SystemError as error:
        raise MemoryError from error


def _bad_json(line: bytes, error: orjson.JSONDecodeError) -> RecordError:
    try:
        line.decode()
    except UnicodeDecodeError as undecodable:
        return RecordError("bad_utf8", f"byte {undecodable.start} of the line: {undecodable.reason}")
    word = "lone_surrogate" if "surrogate" in error.msg else "bad_json"
    return RecordError(word, f"{error.msg} at character {error.pos}")


def canonical_json(value: object) -> str:
    """JSON with sorted keys, without spaces or escapes for non-ASCII. Raises RecordError for nesting too deep."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:
        pass
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except RecursionError as error:
        raise RecordError("bad_json", "nested too deeply") from error
