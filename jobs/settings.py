"""From plain tables (TOML) to the frozen dataclasses that a job is made of, with errors that list the choices."""

import dataclasses
import difflib
import types
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from curation.errors import UserError

T = TypeVar("T")


def build(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    """An instance of a dataclass from a table.

    Raises UserError that names the place (``where``), the field and what it may be.
    """
    hints = get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind) if field.init]  # type: ignore[arg-type]
    values = {}
    for name, value in table.items():
        if name not in names:
            raise UserError(unknown(f"{where} has no field", name, [name for name in names if name != "use"]))
        values[name] = convert(value, hints[name], f"{where}.{name}")
    missing = [
        field.name
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
        if field.init
        and field.name not in values
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise UserError(f"{where} needs {', '.join(missing)}")
    return kind(**values)


def unknown(problem: str, name: str, choices: Sequence[str]) -> str:
    """One sentence about a name that does not exist, with the nearest choice first."""
    close = difflib.get_close_matches(name, choices, 1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"{problem} {name!r}{hint}: choose from {', '.join(choices)}"


def convert(value: Any, hint: Any, where: str) -> Any:
    """``value`` as the type ``hint``; raises UserError when it is not one."""
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
        return next((value for choice in present if _is(value, choice)), None) or _wrong(
            value, where, "a text or number"
        )
    if origin is tuple:
        if isinstance(value, str) or not isinstance(value, Sequence):
            value = [value]
        return tuple(convert(each, choices[0], where) for each in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise UserError(f"{where} is {value!r}: give a table")
        return {str(key): convert(each, choices[1], f"{where}.{key}") for key, each in value.items()}
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise UserError(f"{where} is {value!r}: give a table with its fields")
        return build(hint, value, where)  # type: ignore[arg-type]
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if _is(value, hint):
        return value
    return _wrong(value, where, {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}[hint])


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _wrong(value: Any, where: str, wanted: str) -> Any:
    raise UserError(f"{where} is {value!r}: give {wanted}")
