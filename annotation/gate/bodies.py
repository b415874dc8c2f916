"""Validates request bodies, and rebuilds them from known fields.

So fields that would speak for somebody else never arrive: ``completed_by``, ``updated_by``, ``ground_truth``, parents.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from annotation.gate.routes import Body

MOST_BYTES = 1 << 20
"""The most bytes of a body. An answer with a long comment has a few kB."""

DEEPEST = 32
"""Levels of lists and objects in a body: the page needs 5, and Label Studio's own export fails at 250."""

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
"""The fields that Label Studio gets, each with a check of its value."""

NAMED = ("project", "task", "annotation")
"""Fields that may stand in a body if they say the same as the address."""


def read_body(kind: Body, content: bytes) -> tuple[dict[str, Any], dict[str, int]]:
    """(fields to pass on, numbers that the body names). The numbers include ``draft`` if the body replaces a draft.

    Raises BodyError if the body is not what Label Studio's page sends.
    """
    values = _read(content)
    fields = FIELDS[kind]
    passed = {name: values[name] for name in fields if name in values}
    for name, value in passed.items():
        if not fields[name](value):
            raise BodyError(f"{name} has a value that the page does not send")
    numbers = {name: values[name] for name in NAMED if values.get(name) is not None}
    if values.get("draft_id") not in (None, 0):
        numbers["draft"] = values["draft_id"]
    return passed, {name: _number(name, value) for name, value in numbers.items()}


def _read(content: bytes) -> dict[str, Any]:
    try:
        values = json.loads(_repair(json.loads(content)), parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise BodyError("the body is not JSON") from error
    if not isinstance(values, dict):
        raise BodyError("the body is not an object")
    if _depth(values) > DEEPEST:
        raise BodyError("the body is nested too deeply")
    return values


def _repair(values: Any) -> str:
    """JSON with a replacement sign for half a character, which a browser may send where a text was cut. Label Studio
    would store the half, and could then export neither the answer nor its task."""
    text = json.dumps(values, ensure_ascii=False)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _number(name: str, value: Any) -> int:
    if isinstance(value, str) and re.fullmatch("[1-9][0-9]{0,9}", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**10:
        return value
    raise BodyError(f"{name} is not a number")
