"""Arrow columns of any type as strings and as values that JSON can hold."""

import base64
import datetime
import decimal
import math
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

Broken = dict[int, tuple[str, str, bytes]]
"""By row: the kind of error in one word, a message in which ``{field}`` stands for the field's name, and the bytes."""


def nested_field(holder: pa.RecordBatch | pa.Schema, name: str) -> pa.Array | pa.Field | None:
    """The column (of a batch) or field (of a schema) by its name, else by its dotted path; None where there is none."""
    names = holder.names if isinstance(holder, pa.Schema) else holder.schema.names
    members = holder if isinstance(holder, pa.Schema) else holder.columns
    if name in names:
        return members[names.index(name)]
    head, dot, rest = name.partition(".")
    return _inside(members[names.index(head)], rest) if dot and head in names else None


def _inside(holder: pa.Array | pa.Field, name: str) -> pa.Array | pa.Field | None:
    """A struct's field by its dotted path."""
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


def as_text(column: pa.Array, *, large: bool) -> tuple[pa.Array, Broken]:
    """The column as (large) strings, and what is wrong with some rows (they hold null).

    For a text (``large``) only strings and bytes will do, and a null is an error. For other columns numbers, dates and
    booleans become strings as well, dates in ISO form.
    """
    kind = pa.large_string() if large else pa.string()
    if pt.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_bytes(column.type):
        strings, broken = _decoded(column, kind)
    elif _is_string(column.type):
        strings, broken = _checked(column.cast(kind))
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


def _checked(strings: pa.Array) -> tuple[pa.Array, Broken]:
    """Parquet readers do not check that strings are UTF-8."""
    try:
        strings.validate(full=True)
    except pa.ArrowInvalid:
        raw = pa.large_binary() if pt.is_large_string(strings.type) else pa.binary()
        return _decoded(strings.view(raw), strings.type)
    return strings, {}


def _decoded(column: pa.Array, kind: pa.DataType) -> tuple[pa.Array, Broken]:
    """Bytes as UTF-8, row by row where some are not."""
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


def _scalar_text(column: pa.Array) -> tuple[pa.Array, Broken]:
    kind = column.type
    if pt.is_integer(kind):
        return column.cast(pa.string()), {}
    if pt.is_floating(kind) or pt.is_decimal(kind) or pt.is_temporal(kind):
        values, _ = json_values(column)
        texts = [None if v is None else v if isinstance(v, str) else orjson.dumps(v).decode() for v in values]
        return pa.array(texts, pa.string()), {}
    return pa.nulls(len(column), pa.string()), {0: ("no_scalar", "", b"")}


def json_values(column: pa.Array) -> tuple[list[Any], list[int]]:
    """The column as values for JSON, and the rows (null here) whose strings are not UTF-8.

    Dates and times become ISO strings, decimals strings, bytes UTF-8 text or else base64, NaN and infinities null.
    """
    column = column.cast(_plain_type(column.type), safe=False)
    bad: list[int] = []
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:
        values, bad = _row_by_row(column)
    return (values if _is_json(column.type) else [_plain(value) for value in values]), bad


def _row_by_row(column: pa.Array) -> tuple[list[Any], list[int]]:
    values: list[Any] = []
    bad: list[int] = []
    for n in range(len(column)):
        try:
            values.append(column[n].as_py())
        except UnicodeDecodeError:
            values.append(None)
            bad.append(n)
    return values, bad


def _is_json(kind: pa.DataType) -> bool:
    return bool(_is_string(kind) or pt.is_integer(kind) or pt.is_boolean(kind) or pt.is_null(kind))


def _plain_type(kind: pa.DataType) -> pa.DataType:
    """The type without dictionaries and with times in microseconds, which Python's can hold."""
    if pt.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pt.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    if pt.is_time(kind):
        return pa.time64("us")
    if pt.is_duration(kind):
        return pa.duration("us")
    if pt.is_struct(kind):
        return pa.struct([kind.field(i).with_type(_plain_type(kind.field(i).type)) for i in range(kind.num_fields)])
    if pt.is_list(kind):
        return pa.list_(kind.value_field.with_type(_plain_type(kind.value_type)))
    if pt.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_plain_type(kind.value_type)))
    return kind


def _plain(value: Any) -> Any:
    """A Python value as JSON can hold it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return _iso(value)
    if isinstance(value, decimal.Decimal):
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
    """ISO 8601, in UTC with a Z where the zone is known."""
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC).replace(tzinfo=None).isoformat() + "Z"
    return value.isoformat()


def _bytes_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
