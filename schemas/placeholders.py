"""Templates: texts with placeholders in braces, filled in a single pass."""

import re
from collections.abc import Mapping

LOWER_CASE = re.compile(r"\{([a-z_]+)\}")
"""Placeholders of templates whose names Gristmill gives."""
FIELD = re.compile(r"\{(\w+)\}")
"""Placeholders that name fields of a user's rows."""


def fill_in(text: str, values: Mapping[str, str], placeholder: re.Pattern[str] = LOWER_CASE) -> str:
    """The text with each placeholder replaced by its value; the values are not searched for placeholders. Raises
    KeyError for a placeholder without a value.

    >>> fill_in("{first} or {second}?", {"first": "{second}", "second": "B"})
    '{second} or B?'
    """
    return placeholder.sub(lambda found: values[found[1]], text)


def placeholders(text: str, placeholder: re.Pattern[str] = LOWER_CASE) -> set[str]:
    """The names of the placeholders of a text."""
    return set(placeholder.findall(text))
