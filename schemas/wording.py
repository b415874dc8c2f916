"""Parts of sentences for the messages of all packages."""

import re
import sys
from collections.abc import Sequence

_NAMES = re.compile(r"\(('[^']*'(?:, '[^']*')*),?\)")
"""The name of a table in an error of tomllib, as a tuple of its parts."""


def and_more(shown: Sequence[str], total: int, separator: str = ", ") -> str:
    """The first names of a list, and the number of names that are not shown.

    >>> and_more(["a", "b"], 2), and_more(["a", "b"], 1_002), and_more(["a is new", "b has changed"], 3, "; ")
    ('a, b', 'a, b and 1,000 more', 'a is new; b has changed; and 1 more')
    """
    names, left = separator.join(shown), total - len(shown)
    if left <= 0:
        return names
    return f"{names}{' ' if separator == ', ' else separator}and {left:,} more"


def parse_failure(error: ValueError | RecursionError) -> str:
    """Why a text is not JSON or TOML: the message of Python's parser, without names of Python's functions and types.

    >>> parse_failure(ValueError("Cannot declare ('mill', 'stones') twice (at line 2, column 6)"))
    'Cannot declare mill.stones twice (at line 2, column 6)'
    """
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    message = str(error)
    if "set_int_max_str_digits" in message:
        return f"a whole number has more than {sys.get_int_max_str_digits():,} digits"
    return _NAMES.sub(lambda found: found[1].replace("', '", ".").strip("'"), message)
