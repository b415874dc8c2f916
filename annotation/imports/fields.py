"""Reads values of a row by their paths; a missing value or a wrong type makes the row unreadable."""

import math
from collections.abc import Callable
from typing import Any

from annotation.rows.delimited import Cell

Get = Callable[[object], object]

_FLAGS: dict[str, bool | None] = {"true": True, "false": False, "1": True, "0": False, "": None}


class RowError(ValueError):
    """A row that cannot be used; the text says why."""


def getter(path: str) -> Get:
    """A function that returns the value at a path of a row, or raises RowError if it is missing.

    A path is names joined by dots; numbers are indexes into a list.

    >>> getter("summaries.0.text")({"summaries": [{"text": "A mill."}]})
    'A mill.'
    """
    keys = path.split(".")

    def get_top(row: Any) -> Any:
        if isinstance(row, dict) and path in row:
            return row[path]
        raise RowError(f"a row needs {path}")

    def get(row: Any) -> Any:
        value = row
        for key in keys:
            if isinstance(value, dict) and key in value:
                value = value[key]
            elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
                value = value[int(key)]
            else:
                raise RowError(f"a row needs {path}")
        return value

    return get if len(keys) > 1 else get_top


def optional_getter(path: str | None) -> Get:
    """The getter of the path; without a path, a getter that returns None."""
    return getter(path) if path is not None else lambda row: None


def text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise RowError(f"{path} is not a text")
    return value


def name(value: Any, path: str) -> str | None:
    """A text, or null."""
    return None if value is None else text(value, path)


def number(value: Any, path: str) -> float:
    """A finite number. Raises RowError for anything else; a cell of a CSV file is read as a number.

    >>> number(2, "score"), number(Cell("1.5"), "score")
    (2.0, 1.5)
    """
    if isinstance(value, Cell):
        value = _number_in(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise RowError(f"{path} is not a number")
    return float(value)


def flag(value: Any, path: str) -> bool | None:
    """True, false, 1 or 0 as a bool; null stays None (unknown). A CSV cell may spell the words in any case.

    >>> flag(1, "safe"), flag(Cell("False"), "safe"), flag(Cell(""), "safe")
    (True, False, None)
    """
    if isinstance(value, Cell):
        value = _FLAGS.get(value.strip().lower(), value)
    if value is None:
        return None
    if value not in (True, False):
        raise RowError(f"{path} is neither true nor false")
    return bool(value)


def names(value: Any, path: str) -> tuple[str, ...]:
    """The sorted names of a list, or of an object with true for each name. Null gives no names.

    >>> names({"Violence": True, "Drugs": False}, "risks")
    ('Violence',)
    """
    if isinstance(value, dict) and all(each in (True, False, None) for each in value.values()):
        value = [name for name, holds in value.items() if holds]
    if value is not None and not (isinstance(value, list) and all(isinstance(each, str) for each in value)):
        raise RowError(f"{path} is neither a list of names nor an object of true and false")
    return tuple(sorted(set(value or ())))


def word(value: Any, path: str) -> str:
    """A value as mappings spell it: '1' for 1 and 1.0, 'true' for True.

    >>> word(-2.0, "strength"), word(True, "chosen"), word("A", "winner")
    ('-2', 'true', 'A')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    raise RowError(f"{path} is neither a text, a number nor true or false")


def _number_in(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None
