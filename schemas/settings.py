"""Converts plain tables (TOML) to frozen dataclasses of settings, with errors that list the choices."""

import dataclasses
import difflib
import math
import reprlib
import types
from collections.abc import Mapping, Sequence
from datetime import date, time
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from schemas.errors import UserError

T = TypeVar("T")

LARGEST = (1 << 63) - 1
"""The largest absolute value of a whole number in settings."""


class _Short(reprlib.Repr):
    """Shortens values as TOML writes them."""

    def repr_date(self, value: date | time, level: int) -> str:
        return value.isoformat()

    repr_datetime = repr_time = repr_date


_SHORT = _Short()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_SHORT.maxlevel = 2


def build(kind: type[T], table: Any, where: str, more: Sequence[str] = ()) -> T:
    """An instance of a dataclass from a table.

    ``more`` are fields that the user may give beside those of the dataclass, and that the caller has replaced. Raises
    UserError, which names the place (``where``), the field and the allowed values.
    """
    names = [field.name for field in dataclasses.fields(kind) if field.init]  # type: ignore[arg-type]
    values = convert_fields(kind, names, table, where, more)
    missing = [
        field.name
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
        if field.init
        and field.name not in values
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        fields = f"fields {' and '.join(missing)} are" if missing[1:] else f"field {missing[0]} is"
        raise UserError(f"{where}: the {fields} missing: add {' and '.join(f'{name} = ...' for name in missing)}")
    return kind(**values)


def convert_fields(
    kind: type, names: Sequence[str], table: Any, where: str, more: Sequence[str] = ()
) -> dict[str, Any]:
    """The values of a table for the fields ``names`` of a dataclass, converted to the fields' types. Raises UserError
    as ``build`` does."""
    if not isinstance(table, Mapping):
        raise UserError(f"{where} is {shown(table)}: give a table with its fields")
    hints = _type_hints(kind)
    values = {}
    for name, value in table.items():
        if name not in names:
            free = [name for name in names if not _is_fixed(hints[name])]
            raise UserError(unknown(f"{where} has no field", name, [*more, *free]))
        values[name] = convert(value, hints[name], f"{where}.{name}")
    return values


_type_hints = cache(get_type_hints)


def _is_fixed(hint: Any) -> bool:
    """Whether a field has one possible value, such as the name of a filter."""
    return get_origin(hint) is Literal and len(get_args(hint)) == 1


def shown(value: Any) -> str:
    """A value as in a program, or in TOML if it is a date or a time; shortened if it is long."""
    return _SHORT.repr(value)


def unknown(problem: str, name: str, choices: Sequence[str]) -> str:
    """A sentence about an unknown name, which suggests the closest choice and lists all."""
    close = difflib.get_close_matches(name[:100], choices, 1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"{problem} {shown(name)}{hint}: choose from {', '.join(choices)}"


def convert(value: Any, hint: Any, where: str) -> Any:
    """``value`` converted to the type ``hint``. Raises UserError if it does not fit the type."""
    origin, choices = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value not in choices:
            raise UserError(unknown(f"{where} cannot be", str(value), [str(choice) for choice in choices]))
        return value
    if origin in (Union, types.UnionType):
        if value in (None, "none") and type(None) in choices:
            return None
        present = [choice for choice in choices if choice is not type(None)]
        if len(present) == 1:
            return convert(value, present[0], where)
        fit = next((choice for choice in present if _is(value, choice)), None)
        return _wrong(value, where, "a text or number") if fit is None else convert(value, fit, where)
    if origin is tuple:
        if choices[0] is str and not isinstance(value, str | Sequence):
            return _wrong(value, where, "a list of texts")
        if isinstance(value, str) or not isinstance(value, Sequence):
            value = [value]
        return tuple(convert(each, choices[0], where) for each in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise UserError(f"{where} is {shown(value)}: give a table")
        return {str(key): convert(each, choices[1], f"{where}.{key}") for key, each in value.items()}
    if dataclasses.is_dataclass(hint):
        return build(hint, value, where)  # type: ignore[arg-type]
    if hint in (int, float) and _is(value, int):
        if abs(value) > LARGEST:
            raise UserError(f"{where} is {shown(value)}: give a number that fits 64 bits")
        return hint(value)
    if hint is float and isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{where} is {value}: give a finite number")
    if hint is str and isinstance(value, str) and not _is_text(value):
        raise UserError(f"{where} is {shown(value)}: give a text that is valid UTF-8, without null characters")
    if _is(value, hint):
        return value
    return _wrong(value, where, {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}[hint])


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _is_text(value: str) -> bool:
    """Whether UTF-8 can encode the text, which has no null character: command-line arguments may be other bytes."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _wrong(value: Any, where: str, wanted: str) -> Any:
    raise UserError(f"{where} is {shown(value)}: give {wanted}")
