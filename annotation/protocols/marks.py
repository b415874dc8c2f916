"""Characters that no reader sees, shown by their names.

What steers direction, hides, or separates without a trace becomes a mark such as ``RLO`` or ``U+E0041``: no text can
lay itself out over its neighbours (https://trojansource.codes) or carry words that only a machine reads. Joiners and
variation selectors stay as they are where scripts and emoji need them: behind a character that is not ASCII.
"""

import re
import unicodedata

_NAMES = {
    "\0": "NUL",
    "\x1b": "ESC",
    "\x7f": "DEL",
    "\xad": "SHY",
    "\u061c": "ALM",
    "\u200b": "ZWSP",
    "\u200c": "ZWNJ",
    "\u200d": "ZWJ",
    "\u200e": "LRM",
    "\u200f": "RLM",
    "\u202a": "LRE",
    "\u202b": "RLE",
    "\u202c": "PDF",
    "\u202d": "LRO",
    "\u202e": "RLO",
    "\u2060": "WJ",
    "\u2066": "LRI",
    "\u2067": "RLI",
    "\u2068": "FSI",
    "\u2069": "PDI",
    "\ufeff": "BOM",
}
_STILL_ACTING = "\u061c\u200e\u200f"
"""Marks that only settle the direction of their neighbours: shown, and kept."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_JOINING = re.compile("[\u200c\u200d\ufe00-\ufe0f]")
_JOINED = re.compile("[^\x00-\x7f]|[0-9#*]")
_GROWTH = 12
"""How many times its text the HTML may measure before names give way to replacement characters."""


def mark_invisible(escaped: str) -> str:
    """HTML with a visible mark in place of each invisible character; it holds such characters in its text only.

    >>> mark_invisible("a\\u202eb")
    'a<span class="gm-mark" title="RIGHT-TO-LEFT OVERRIDE">RLO</span>b'
    """
    if escaped.isascii() and escaped.replace("\n", "").replace("\t", "").isprintable():
        return escaped
    marked = _INVISIBLE.sub(_mark, escaped)
    return marked if len(marked) <= _GROWTH * len(escaped) + 4096 else _INVISIBLE.sub(_blot, escaped)


def _mark(match: re.Match[str]) -> str:
    character = match.group()
    if _is_needed(match):
        return character
    point = f"U+{ord(character):04X}"
    kept = character if character in _STILL_ACTING else ""
    title = unicodedata.name(character, point)
    return f'<span class="gm-mark" title="{title}">{_NAMES.get(character, point)}</span>{kept}'


def _blot(match: re.Match[str]) -> str:
    return match.group() if _is_needed(match) else "\ufffd"


def _is_needed(match: re.Match[str]) -> bool:
    """Whether a script or an emoji joins here."""
    before = match.string[max(match.start() - 1, 0) : match.start()]
    return _JOINING.match(match.group()) is not None and _JOINED.match(before) is not None
