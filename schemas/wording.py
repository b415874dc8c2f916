"""Parts of sentences for the messages of all packages."""

from collections.abc import Sequence


def and_more(shown: Sequence[str], total: int, separator: str = ", ") -> str:
    """The first names of a list, and the number of names that are not shown.

    >>> and_more(["a", "b"], 2), and_more(["a", "b"], 1_002), and_more(["a is new", "b has changed"], 3, "; ")
    ('a, b', 'a, b and 1,000 more', 'a is new; b has changed; and 1 more')
    """
    names, left = separator.join(shown), total - len(shown)
    if left <= 0:
        return names
    return f"{names}{' ' if separator == ', ' else separator}and {left:,} more"
