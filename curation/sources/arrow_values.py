"""Converts Arrow columns of any type to strings and to values that JSON can hold."""

import base64
import datetime
import decimal
import math
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

Broken = dict[int, tuple[str, str, bytes]]
"""By row: the kind of error in one word, a message with the placeholder ``{field}`` for the field's name, and the bytes
of the value if it is a text."""

_SHOWN_TYPE = 60
_UNREADABLE = (ValueError, OverflowError, LookupError, RecursionError, pa.ArrowNotImplementedError)
"""Errors of the conversion of a value; UnicodeDecodeError and ArrowInvalid are ValueErrors."""
_SECONDS_OF_A_DAY = 24 * 60 * 60
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def nested_field(holder: pa.RecordBatch | pa.Schema, name: str) -> pa.Array | pa.Field | None:
    """The column (of a batch) or field (of a schema) with this name, else with this dotted path; None if missing."""
    names = holder.names if isinstance(holder, pa.Schema) else holder.schema.names
    members = holder if isinstance(holder, pa.Schema) else holder.columns
    if name in names:
        return members[names.index(name)]
    head, dot, rest = name.partition(".")
    return _inside(members[names.index(head)], rest) if dot and head in names else None


def _inside(holder: pa.Array | pa.Field, name: str) -> pa.Array | pa.Field | None:
    """A field of a struct by its dotted path; None if missing."""
    kind = holder.type
    if not pt.is_struct(kind):
        return None
    head, dot, rest = name.partition(".")
    for whole, further in ((name, ""), (head, rest if dot else "")):
        i = kind.get_field_index(whole)
        if i >= 0:
            inner = kind.field(i) if isinstance(holder, pa.Field) else pc.struct_field(holder, i)
            return _inside(inner, further) if further else inner
    return None


def as_text(column: pa.Array, *, large: bool) -> tuple[pa.Array | None, Broken]:
    """The column as (large) strings, and the errors of rows that cannot be converted (null in the column).

    A text (``large``) must be strings or bytes, and a null is an error. In other columns, numbers and dates become
    strings as well, dates in ISO form; None for a column of any other type.
    """
    kind = pa.large_string() if large else pa.string()
    if pt.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pt.is_run_end_encoded(column.type):
        column = pc.run_end_decode(column)
    if _is_bytes(column.type):
        strings, broken = _decode(column, kind)
    elif _is_string(column.type):
        strings, broken = _check_utf8(column.cast(kind))
    elif pt.is_null(column.type):
        strings, broken = pa.nulls(len(column), kind), {}
    elif large:
        message = f"the field '{{field}}' is {column.type}, not a string"
        return pa.nulls(len(column), kind), dict.fromkeys(range(len(column)), ("text_not_a_string", message, b""))
    else:
        return _scalar_text(column)
    if large and strings.null_count:
        for n, missing in enumerate(strings.is_null().to_pylist()):
            if missing:
                broken.setdefault(n, ("null_text", "the field '{field}' is null", b""))
    return strings, broken


def _is_string(kind: pa.DataType) -> bool:
    return bool(pt.is_string(kind) or pt.is_large_string(kind) or pt.is_string_view(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        pt.is_binary(kind) or pt.is_large_binary(kind) or pt.is_fixed_size_binary(kind) or pt.is_binary_view(kind)
    )


def _check_utf8(strings: pa.Array) -> tuple[pa.Array, Broken]:
    """Checks that strings are UTF-8, which readers of Parquet do not."""
    try:
        strings.validate(full=True)
    except pa.ArrowInvalid:
        raw = pa.large_binary() if pt.is_large_string(strings.type) else pa.binary()
        return _decode(strings.view(raw), strings.type)
    return strings, {}


def _decode(column: pa.Array, kind: pa.DataType) -> tuple[pa.Array, Broken]:
    """Decodes bytes as UTF-8, row by row if some rows are not UTF-8."""
    raw = pa.large_binary() if kind == pa.large_string() else pa.binary()
    try:
        return column.cast(raw).cast(kind), {}
    except pa.ArrowInvalid:
        pass
    values: list[str | None] = []
    broken: Broken = {}
    for n, value in enumerate(column.to_pylist()):
        try:
            values.append(None if value is None else value.decode())
        except UnicodeDecodeError as error:
            values.append(None)
            message = f"byte {error.start} of the field '{{field}}': {error.reason}"
            broken[n] = ("bad_utf8", message, value)
    return pa.array(values, kind), broken


def _scalar_text(column: pa.Array) -> tuple[pa.Array | None, Broken]:
    kind = column.type
    if pt.is_integer(kind):
        return column.cast(pa.string()), {}
    if pt.is_floating(kind) or pt.is_decimal(kind) or pt.is_temporal(kind):
        values, broken = json_values(column)
        texts = [None if v is None else v if isinstance(v, str) else orjson.dumps(v).decode() for v in values]
        return pa.array(texts, pa.string()), broken
    return None, {}


def json_values(column: pa.Array) -> tuple[list[Any], Broken]:
    """The column as values for JSON, and the errors of rows that cannot be converted (null in the column): strings that
    are not UTF-8, dates outside the years 1 to 9999, times outside a day.

    Dates and times become ISO strings, decimals strings, bytes UTF-8 text or else base64, NaN and infinities null.
    """
    broken: Broken = {}
    try:
        values = _values(column)
    except _UNREADABLE:
        values, broken = _row_by_row(column)
    for n in _outside_a_day(column):
        values[n] = None
        broken.setdefault(n, ("bad_value", _message(column.type, "a time of day lies outside of 24 hours"), b""))
    return values, broken


def _values(column: pa.Array) -> list[Any]:
    """The column as values for JSON. Raises one of _UNREADABLE for a value that cannot be converted."""
    column = column.cast(_plain_type(column.type, "ns"))  # to the finest unit: raises on overflow
    column = column.cast(_plain_type(column.type), safe=False)
    values = column.to_pylist()
    return values if _is_json(column.type) else [_plain(value) for value in values]


def _row_by_row(column: pa.Array) -> tuple[list[Any], Broken]:
    values: list[Any] = []
    broken: Broken = {}
    for n in range(len(column)):
        try:
            values += _values(
                pa.concat_arrays([column.slice(n, 1)])
            )  # a slice of lists would hold the values of all rows
        except _UNREADABLE as error:
            values.append(None)
            broken[n] = _describe_error(column.type, error)
    return values, broken


def _describe_error(kind: pa.DataType, error: Exception) -> tuple[str, str, bytes]:
    if isinstance(error, UnicodeDecodeError):
        return "bad_utf8", f"the field '{{field}}' is not UTF-8: byte {error.start}: {error.reason}", b""
    if isinstance(error, OverflowError) or "out of bounds timestamp" in str(error):
        why = "a duration is too long" if pt.is_duration(kind) else "a date lies outside of the years 1 to 9999"
        return "bad_value", _message(kind, why), b""
    return "bad_value", _message(kind, str(error) or type(error).__name__), b""


def _message(kind: pa.DataType, why: str) -> str:
    shown = str(kind)
    shown = shown if len(shown) <= _SHOWN_TYPE else f"{shown[:_SHOWN_TYPE]}..."
    return f"the field '{{field}}' ({shown}) cannot be read: {why}"


def _outside_a_day(column: pa.Array) -> list[int]:
    """The rows with a time of day outside 24 hours, which Python would take modulo a day."""
    rows: set[int] = set()
    for leaf, row in _leaves(column, np.arange(len(column))):
        if pt.is_time(leaf.type):
            day = _SECONDS_OF_A_DAY * _PER_SECOND[leaf.type.unit]
            count = leaf.cast(pa.int32() if pt.is_time32(leaf.type) else pa.int64())
            outside = pc.or_(pc.less(count, 0), pc.greater_equal(count, day))
            rows.update(row[pc.fill_null(outside, False).to_numpy(zero_copy_only=False)].tolist())
    return sorted(rows)


def _leaves(column: pa.Array, rows: Any) -> Iterator[tuple[pa.Array, Any]]:
    """The innermost columns, each with the row number of every value; ``rows`` are the row numbers of ``column``."""
    if pt.is_struct(column.type):
        for i in range(column.type.num_fields):
            yield from _leaves(pc.struct_field(column, i), rows)
    elif pt.is_list(column.type) or pt.is_large_list(column.type) or pt.is_fixed_size_list(column.type):
        parents = pc.list_parent_indices(column).to_numpy(zero_copy_only=False)
        yield from _leaves(pc.list_flatten(column), rows[parents])
    else:
        yield column, rows


def _is_json(kind: pa.DataType) -> bool:
    return bool(_is_string(kind) or pt.is_integer(kind) or pt.is_boolean(kind) or pt.is_null(kind))


def _plain_type(kind: pa.DataType, keep: str = "") -> pa.DataType:
    """The type without dictionaries, in UTC if the time zone is known, and with times in microseconds (the resolution
    of Python's types) or in the unit ``keep``."""

    def inner(field: pa.Field) -> pa.Field:
        return field.with_type(_plain_type(field.type, keep))

    if pt.is_dictionary(kind):
        return _plain_type(kind.value_type, keep)
    unit = keep if pt.is_temporal(kind) and getattr(kind, "unit", None) == keep else "us"
    if pt.is_timestamp(kind):
        return pa.timestamp(unit, kind.tz and "UTC")
    if pt.is_time(kind):
        return pa.time64(unit)
    if pt.is_duration(kind):
        return pa.duration(unit)
    if pt.is_struct(kind):
        return pa.struct([inner(kind.field(i)) for i in range(kind.num_fields)])
    if pt.is_list(kind):
        return pa.list_(inner(kind.value_field))
    if pt.is_large_list(kind):
        return pa.large_list(inner(kind.value_field))
    if pt.is_fixed_size_list(kind):
        return pa.list_(inner(kind.value_field), kind.list_size)
    if pt.is_map(kind):
        return pa.map_(inner(kind.key_field), inner(kind.item_field), kind.keys_sorted)
    return kind


def _plain(value: Any) -> Any:
    """Converts a Python value to a value of JSON."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return _iso(value)
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return _bytes_text(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value


def _iso(value: datetime.datetime | datetime.date | datetime.time) -> str:
    """The value in ISO 8601, in UTC with a Z if the time zone is known."""
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC).replace(tzinfo=None).isoformat() + "Z"
    return value.isoformat()


def _bytes_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
