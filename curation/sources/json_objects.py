"""Lines of JSON objects into columns: text, url, doc_id, source, date; what is left over becomes canonical metadata."""

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from curation.sources.chunks import COLUMNS, Rows
from curation.sources.formats import BOM

_BIG_NUMBER = re.compile(rb"[0-9]{19}")
_BLANK = b" \t\r"

NO_TEXT = "no_text"


class BadRecord(ValueError):
    """A record that is no document: ``error`` in one word, and what is wrong."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


class Fields:
    """Where each column of a document stands in an object."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        names = {column: (fields[column],) if column in fields else (column,) for column in COLUMNS}
        if "doc_id" not in fields:
            names["doc_id"] = ("doc_id", "id")
        self.names = names

    def take(self, record: dict[str, Any], column: str) -> str | None:
        """The column's value, taken out of the record; None (and nothing taken) where it is no string or number."""
        for name in self.names[column]:
            holder, key = _holder(record, name)
            if holder is None:
                continue
            value = holder[key]
            if value is None or value == "":
                del holder[key]
            elif isinstance(value, str):
                del holder[key]
                return value
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                del holder[key]
                return canonical_json(value)
        return None

    def take_text(self, record: dict[str, Any]) -> str:
        """The text, taken out of the record; raises BadRecord where there is none."""
        name = self.names["text"][0]
        holder, key = _holder(record, name)
        if holder is None:
            found = ", ".join(map(repr, sorted(record)[:20])) or "none"
            raise BadRecord(NO_TEXT, f"there is no field '{name}'; the record's fields: {found}")
        text = holder[key]
        if text is None:
            raise BadRecord("null_text", f"the field '{name}' is null")
        if not isinstance(text, str):
            raise BadRecord("text_not_a_string", f"the field '{name}' is {_json_type(text)}, not a string")
        del holder[key]
        return text


def _holder(record: dict[str, Any], name: str) -> tuple[dict[str, Any] | None, str]:
    """The object in which the field stands, and its key there: the name itself, else a dotted path."""
    if name in record:
        return record, name
    head, dot, rest = name.partition(".")
    inner = record.get(head) if dot else None
    return _holder(inner, rest) if isinstance(inner, dict) else (None, name)


def _json_type(value: object) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", list: "an array", dict: "an object"}
    return kinds.get(type(value), type(value).__name__)


def parse_object(line: bytes) -> dict[str, Any]:
    """The object on a line, numbers beyond 64 bits exact; raises BadRecord."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _bad_json(line, error) from error
    if not isinstance(value, dict):
        raise BadRecord("not_an_object", f"the line is {'null' if value is None else _json_type_of(value)}, not an object")
    if _BIG_NUMBER.search(line):
        try:
            return json.loads(line)  # type: ignore[no-any-return]
        except (ValueError, RecursionError) as error:
            raise BadRecord("bad_json", str(error)) from error
    return value


def _json_type_of(value: object) -> str:
    return "a string" if isinstance(value, str) else _json_type(value)


def _bad_json(line: bytes, error: orjson.JSONDecodeError) -> BadRecord:
    try:
        line.decode()
    except UnicodeDecodeError as undecodable:
        return BadRecord("bad_utf8", f"byte {undecodable.start} of the line: {undecodable.reason}")
    word = "lone_surrogate" if "surrogate" in error.msg else "bad_json"
    return BadRecord(word, f"{error.msg} at character {error.pos}")


def canonical_json(value: object) -> str:
    """Sorted keys, no spaces, as UTF-8. Raises BadRecord for nesting that is too deep."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except orjson.JSONEncodeError:
        pass
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except RecursionError as error:
        raise BadRecord("bad_json", "nested too deeply") from error


class ObjectParser:
    """Adds the documents of blocks of lines to ``rows``."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.fields = Fields(rows.reading.fields)
        self.limit = rows.reading.max_record_bytes

    def parse(self, block: bytes, offset: int) -> None:
        """Takes whole lines; ``offset`` is where the block begins in the decompressed file."""
        if offset == 0:
            block, offset = (block[len(BOM) :], len(BOM)) if block.startswith(BOM) else (block, 0)
        for line in block.split(b"\n"):
            if line.strip(_BLANK):
                self.line(line, offset)
            offset += len(line) + 1

    def line(self, line: bytes, offset: int) -> None:
        """Adds the document on one line, or a quarantined record."""
        try:
            if len(line) > self.limit:
                message = f"a line of {len(line)} bytes, more than max_record_bytes = {self.limit}"
                raise BadRecord("too_large", message)
            record = parse_object(line)
            text = self.fields.take_text(record)
            values = {column: self.fields.take(record, column) for column in ("url", "doc_id", "source", "date")}
            metadata = canonical_json(record) if record else "{}"
        except BadRecord as bad:
            self.rows.broken(bad.error, str(bad), offset=offset, size=len(line), record=line)
            return
        self.rows.document(text=text, offset=offset, metadata=metadata, **values)
