"""Makes text safe for a terminal: invisible characters, and those that control the terminal, become escapes."""

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
"""Hidden characters, as the inside of a regular expression's character class."""
_JOINERS = "\u200c\u200d"
_JOINED = rf"[^\x00-\x7f\s{HIDDEN}{_JOINERS}]"
"""A character beside which a joiner is allowed: Persian and Indian scripts and emoji need joiners, ASCII never does."""
_OUT_OF_PLACE = rf"(?<!{_JOINED})[{_JOINERS}]|[{_JOINERS}](?!{_JOINED})"

_ANY = rf"[{HIDDEN}]|{_OUT_OF_PLACE}"
_ANY_IN_A_LINE = rf"(?!\n)[{HIDDEN}]|{_OUT_OF_PLACE}"
_NAMED = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def visible(text: str) -> str:
    r"""The text with all control, bidi, zero-width and other hidden characters as Python's escapes, on one line.

    Letters and marks of every script, spaces, emoji and the joiners inside them stay unchanged. Backslashes in the text
    stay single, so a program cannot recover the text from the result.

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
    r"""A JSON document with its hidden characters as JSON escapes; its values stay the same.

    >>> visible_json('{"id": "\u202egpj"}')
    '{"id": "\\u202egpj"}'
    """
    return re.sub(_ANY_IN_A_LINE, lambda found: json.dumps(found[0])[1:-1], text)


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    if found[0] in _NAMED:
        return _NAMED[found[0]]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
