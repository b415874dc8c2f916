"""Whose a project, an annotation or a draft is, by what Label Studio says.

A project's description holds the place in a campaign, as a marker, and the email address of the annotator.
"""

import re
from typing import Any

_DESCRIPTION = re.compile(r"(?P<marker>gristmill [0-9a-f]{20})(?: (?P<owner>[^\s@]+@[^\s@]+))?")


def describe(marker: str, owner: str) -> str:
    """The description of a project: its marker and the email address of the annotator whose project it is, if known.

    >>> describe("gristmill 0123456789abcdef0123", "Ann@mill.example")
    'gristmill 0123456789abcdef0123 ann@mill.example'
    >>> describe("gristmill 0123456789abcdef0123", "")
    'gristmill 0123456789abcdef0123'
    """
    return f"{marker} {owner.lower()}".rstrip()


def read_description(text: str) -> tuple[str, str]:
    """(marker, owner) of a project's description; the owner is empty if no annotator owns the project.

    Earlier versions of Gristmill wrote the marker alone; the next push adds the owner. The marker of a description that
    Gristmill did not write is the description itself.

    >>> read_description("gristmill 0123456789abcdef0123 ann@mill.example")
    ('gristmill 0123456789abcdef0123', 'ann@mill.example')
    >>> read_description("gristmill 0123456789abcdef0123")
    ('gristmill 0123456789abcdef0123', '')
    >>> read_description("Cats and dogs, for ann@mill.example")
    ('Cats and dogs, for ann@mill.example', '')
    """
    found = _DESCRIPTION.fullmatch(text)
    return (found["marker"], found["owner"] or "") if found else (text, "")


def user_number(user: Any) -> int | None:
    """The number of a user, which Label Studio gives bare, in an object, or after an email address. None for a deleted
    account, and for anything else.

    >>> user_number(7), user_number({"id": 7}), user_number("ann@mill.example, 7"), user_number(None)
    (7, 7, 7, None)
    """
    value = user.get("id") if isinstance(user, dict) else user
    text = str(value).rpartition(",")[2].strip()
    return int(text) if text.isdecimal() else None
