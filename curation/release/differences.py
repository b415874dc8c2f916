"""The differences between two plain values (JSON's types), in words."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

MISSING = object()
SHOWN = 60
"""At most this many characters of a value are shown."""


def differences(before: Any, now: Any, name: str = "") -> Iterator[str]:
    """A phrase for each difference between two plain values.

    >>> list(differences({"near": {"bands": 14}, "url": True}, {"near": {"bands": 20}, "keep": "first"}))
    ['keep is new', 'near.bands was 14 and is 20', 'url was true and is gone']
    >>> list(differences({"bad": ["word"] * 99 + ["a"]}, {"bad": ["word"] * 99 + ["b"]}))
    ['bad[99] was a and is b']
    >>> list(differences({"normalise": None}, {"normalise": {"use": "normalise", "nfc": True}}))
    ['normalise was not set and is set']
    """
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in sorted({*before, *now}):
            yield from differences(before.get(key, MISSING), now.get(key, MISSING), f"{name}.{key}" if name else key)
    elif isinstance(before, list) and isinstance(now, list) and len(str([before, now])) > SHOWN:
        for index, (old, new) in enumerate(zip_longest(before, now, fillvalue=MISSING)):
            yield from differences(old, new, f"{name}[{index}]")
    elif before is MISSING:
        yield f"{name} is new"
    elif now is MISSING:
        yield f"{name} was {_shorten(_text(before), 0)} and is gone"
    elif before != now:
        old, new = _text(before), _text(now)
        same = next((place for place, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), 0)
        yield f"{name} was {_shorten(old, same)} and is {_shorten(new, same)}"


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "not set"}[value]
    return "set" if isinstance(value, Mapping) else str(value)


def _shorten(text: str, place: int) -> str:
    """At most SHOWN characters of a text, those around an index into it."""
    if len(text) <= SHOWN:
        return text
    start = max(0, min(place - SHOWN // 2, len(text) - SHOWN))
    return ("..." if start else "") + text[start : start + SHOWN] + ("..." if start + SHOWN < len(text) else "")
