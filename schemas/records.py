"""Converts records (dataclasses) to JSON and back: manifests, reports of units, bodies of a journal's rows.

The type of a field says which JSON values are valid: ``str`` a text, ``int`` a whole number of 0 or more, ``float`` a
finite number, ``bool`` true or false, ``Any`` anything, ``tuple[X, ...]`` a list, ``tuple[X, Y]`` a list of exactly two
values, ``Mapping[str, X]`` a table with any keys, ``Literal`` one of its texts, another record a table with its fields,
``X | None`` null or X. A field with a default may be missing, and is not written if it has the default. Unknown keys
are skipped, as a later version may have added them; a record with a field `other_keys` keeps the unknown keys in this
field and writes them again.
"""

import dataclasses
import math
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from schemas.errors import CHANGED, DamagedError
from schemas.visible import visible

T = TypeVar("T")

_MOST = 2**63 - 1
_OTHERS = "other keys"
_KINDS = {str: "a text", int: "a whole number from 0 up", float: "a number", bool: "true or false"}


def to_json(value: Any) -> Any:
    """A record, or a mapping or sequence of records, as plain tables, lists and values.

    >>> to_json(Example(name="rye", parts=(1, 2)))
    {'name': 'rye', 'parts': [1, 2]}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        table: dict[str, Any] = {}
        for field in dataclasses.fields(value):
            held = getattr(value, field.name)
            if _OTHERS in field.metadata:
                table |= held
            elif held != _default(field):
                table[field.name] = to_json(held)
        return table
    if isinstance(value, Mapping):
        return {key: to_json(held) for key, held in value.items()}
    if isinstance(value, tuple | list):
        return [to_json(held) for held in value]
    return value


def from_json(kind: type[T], value: Any, place: str, path: str = "") -> T:
    """Converts plain tables, lists and values to a record, or to another of the types above. ``place`` names the file
    and ``path`` the place in the file, for messages.

    Raises DamagedError for the first part of ``value`` that is missing or not of its type.

    >>> from_json(Example, {"name": "rye", "parts": [1, 2], "later": True}, "mill.json")
    Example(name='rye', parts=(1, 2), share=None)
    """
    if not dataclasses.is_dataclass(kind):
        return _typed(kind, value, place, path)  # type: ignore[no-any-return]
    _check(value, dict, "a table", place, path)
    held: dict[str, Any] = {}
    fields = _fields(kind)
    for name, hint, required in fields:
        below = f"{path}.{name}" if path else name
        if hint is _OTHERS:
            held[name] = {key: each for key, each in value.items() if all(key != known for known, _, _ in fields)}
        elif name in value:
            held[name] = _typed(hint, value[name], place, below)
        elif required:
            raise DamagedError(f"{place} lacks {visible(below)}: {CHANGED}")
    return kind(**held)


def other_keys() -> Any:
    """A field that keeps the unknown keys of a record's table, which are written again."""
    return dataclasses.field(default_factory=dict, metadata={_OTHERS: True})


@dataclasses.dataclass(frozen=True)
class Example:
    """A record for the examples above."""

    name: str
    parts: tuple[int, ...]
    share: float | None = None


def _default(field: "dataclasses.Field[Any]") -> Any:
    """The default of a field; for a field without a default, a marker that no value equals."""
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else field.default


@cache
def _fields(kind: Any) -> list[tuple[str, Any, bool]]:
    """(name, type, whether it is required) of each field; the type of a field `other_keys` is _OTHERS."""
    hints = get_type_hints(kind)
    return [
        (
            field.name,
            _OTHERS if _OTHERS in field.metadata else hints[field.name],
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(kind)
    ]


def _typed(hint: Any, value: Any, place: str, path: str) -> Any:
    if hint is Any or hint is object:
        return value
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        [kind] = [each for each in inner if each is not type(None)]
        return _typed(kind, value, place, path)
    if origin is Literal:
        if value not in inner:
            raise DamagedError(f"{place}: {visible(path)} is not {' or '.join(inner)}: {CHANGED}")
        return value
    if origin is tuple:
        _check(value, list, "a list", place, path)
        kinds = inner if inner[-1] is not Ellipsis else inner[:1] * len(value)
        if len(kinds) != len(value):
            raise DamagedError(f"{place}: {visible(path) or 'the file'} is not a list of {len(kinds)}: {CHANGED}")
        each = enumerate(zip(kinds, value, strict=True))
        return tuple(_typed(kind, item, place, f"{path}[{number}]") for number, (kind, item) in each)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        _check(value, dict, "a table", place, path)
        for key in value:
            _check_text(key, place, path)
        return {key: _typed(inner[1], each, place, f"{path}.{key}" if path else key) for key, each in value.items()}
    if dataclasses.is_dataclass(hint):
        return from_json(hint, value, place, path)  # type: ignore[arg-type]
    _check_scalar(value, hint, place, path)
    return value


def _check(value: Any, kind: type, what: str, place: str, path: str) -> None:
    if not isinstance(value, kind):
        raise DamagedError(f"{place}: {visible(path) or 'the file'} is not {what}: {CHANGED}")


def _check_scalar(value: Any, kind: type, place: str, path: str) -> None:
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        right = number and (abs(value) <= _MOST if isinstance(value, int) else math.isfinite(value))
    elif kind is int:
        right = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST
    else:
        right = isinstance(value, kind)
    if not right:
        raise DamagedError(f"{place}: {visible(path) or 'the file'} is not {_KINDS[kind]}: {CHANGED}")
    if kind is str:
        _check_text(value, place, path)


def _check_text(value: str, place: str, path: str) -> None:
    """Raises DamagedError for half of a surrogate pair, which JSON can spell and UTF-8 cannot."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise DamagedError(f"{place}: {visible(path)} is not valid Unicode: {CHANGED}") from error
