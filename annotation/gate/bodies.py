"""What a request to write may say: the gate reads it, and writes a body of its own from the fields it knows.

So fields that would speak for somebody else never arrive: ``completed_by``, ``updated_by``, ``ground_truth``, parents.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from annotation.gate.routes import Body

MOST_BYTES = 1 << 20
"""Of a body. An answer with a long comment has a few kB."""

_UNIQUE = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_MOMENT = re.compile(r"[0-9T:.Z+-]{10,40}")


class BodyError(Exception):
    """A body that the gate does not pass on; the text says why."""


def _is_seconds(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9)


FIELDS: Mapping[Body, Mapping[str, Callable[[Any], bool]]] = {
    Body.ANNOTATION: {
        "result": lambda value: isinstance(value, list),
        "was_cancelled": lambda value: isinstance(value, bool),
        "lead_time": _is_seconds,
        "started_at": lambda value: value is None or (isinstance(value, str) and bool(_MOMENT.fullmatch(value))),
        "unique_id": lambda value: isinstance(value, str) and bool(_UNIQUE.fullmatch(value)),
    },
    Body.DRAFT: {
        "result": lambda value: isinstance(value, list),
        "lead_time": _is_seconds,
        "was_postponed": lambda value: isinstance(value, bool),
    },
}
"""The fields that are passed on, each with what its value must be."""

NAMED = ("project", "task", "annotation")
"""Fields that may stand in a body if they say the same as the address."""


def read_body(kind: Body, content: bytes) -> tuple[dict[str, Any], dict[str, int]]:
    """(the fields to pass on, the numbers that the body names besides). ``draft`` is among the latter if a draft is to
    be replaced.

    Raises BodyError if the body is not what Label Studio's page sends.
    """
    values = _read(content)
    fields = FIELDS[kind]
    passed = {name: values[name] for name in fields if name in values}
    for name, value in passed.items():
        if not fields[name](value):
            raise BodyError(f"{name} has a value that the page does not send")
    numbers = {name: values[name] for name in NAMED if values.get(name) is not None}
    if values.get("draft_id"):
        numbers["draft"] = values["draft_id"]
    return passed, {name: _number(name, value) for name, value in numbers.items()}


def _read(content: bytes) -> dict[str, Any]:
    try:
        values = json.loads(content, parse_constant=_refuse)  # takes half a character, which a browser may send
    except (ValueError, RecursionError) as error:
        raise BodyError("the body is not JSON") from error
    if not isinstance(values, dict):
        raise BodyError("the body is not an object")
    return values


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _number(name: str, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch("[1-9][0-9]{0,9}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**10:
        return value
    raise BodyError(f"{name} is not a number")
