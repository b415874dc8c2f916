"""What differs between two plain values, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

MISSING = object()


def changes(before: Any, now: Any, name: str = "") -> Iterator[str]:
    """What differs between two plain values, in words.

    >>> list(changes({"near": {"bands": 14}, "url": True}, {"near": {"bands": 20}, "keep": "first"}))
    ['keep is new', 'near.bands was 14 and is 20', 'url was true and is gone']
    """
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in sorted({*before, *now}):
            yield from changes(before.get(key, MISSING), now.get(key, MISSING), f"{name}.{key}" if name else key)
    elif before is MISSING:
        yield f"{name} is new"
    elif now is MISSING:
        yield f"{name} was {_shown(before)} and is gone"
    elif before != now:
        yield f"{name} was {_shown(before)} and is {_shown(now)}"


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "not set"}[value]
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
