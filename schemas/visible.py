"""Text for a terminal: characters that nobody sees, or that steer the terminal, are shown as escapes."""

import json
import re

HIDDEN = (
    "\x00-\x1f\x7f-\x9f"  # control characters, among them escape and the one-byte CSI
    "\u00ad\u061c\u180e\ufeff"  # soft hyphen, Arabic letter mark, Mongolian vowel separator, byte order mark
    "\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line and paragraph separators, order of writing
    "\ufff9-\ufffb\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # annotations and layout
    "\U000e0000-\U000e007f"  # tags
    "\ud800-\udfff"  # halves of a surrogate pair, as in file names that are not UTF-8
)
"""The inside of a regular expression's character class."""
_JOINERS = "\u200c\u200d"
_JOINED = rf"[^\x00-\x7f\s{HIDDEN}{_JOINERS}]"
"""What a joiner may stand between: Persian and Indian scripts and emoji need one there, ASCII never does."""
_OUT_OF_PLACE = rf"(?<!{_JOINED})[{_JOINERS}]|[{_JOINERS}](?!{_JOINED})"

_ANY = rf"[{HIDDEN}]|{_OUT_OF_PLACE}"
_ANY_IN_A_LINE = rf"(?!\n)[{HIDDEN}]|{_OUT_OF_PLACE}"
_NAMED = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def visible(text: str) -> str:
    r"""The text with all control, bidi, zero-width and other hidden characters as Python's escapes, on one line.

    What people write stays as it is: letters and marks of every script, spaces, emoji and the joiners inside them. A
    text that already shows a backslash keeps it, so that the result is for people and cannot be undone by a program.

    >>> visible("a\x1b[31m\nb")
    'a\\x1b[31m\\nb'
    """
    return re.sub(_ANY, _escape, text)


def visible_lines(text: str) -> str:
    r"""Like ``visible`` for a text of several lines: line feeds stay.

    >>> visible_lines("a\r\nb\n")
    'a\\r\nb\n'
    """
    return re.sub(_ANY_IN_A_LINE, _escape, text)


def visible_json(text: str) -> str:
    r"""A JSON document with its hidden characters as JSON's escapes: it still holds the same values.

    >>> visible_json('{"id": "\u202egpj"}')
    '{"id": "\\u202egpj"}'
    """
    return re.sub(_ANY_IN_A_LINE, lambda found: json.dumps(found[0])[1:-1], text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if found[0] in _NAMED:
        return _NAMED[found[0]]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
