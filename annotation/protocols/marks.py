"""Shows invisible characters by their names.

A character that changes the text direction, hides, or separates invisibly becomes a mark such as ``RLO`` or
``U+E0041``: no text can reorder its surroundings (https://trojansource.codes) or carry words that only a machine reads.
Joiners and variation selectors stay where scripts and emoji need them: after a character that is not ASCII.
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
_KEPT = "\u061c\u200e\u200f"
"""Characters that only set the direction of their neighbours: they get a mark and also stay in the text."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_JOINING = re.compile("[\u200c\u200d\ufe00-\ufe0f]")
_JOINED = re.compile("[^\x00-\x7f]|[0-9#*]")
_GROWTH = 12
"""The most characters of HTML per character of text; beyond it, U+FFFD replaces invisible characters, without names."""


def mark_invisible(escaped: str) -> str:
    """Replaces each invisible character of an HTML string with a visible mark.

    ``escaped`` may hold such characters in its text only, not in its tags.

    >>> mark_invisible("a\\u202eb")
    'a<span class="gm-mark" title="RIGHT-TO-LEFT OVERRIDE">RLO</span>b'
    """
    if escaped.isascii() and escaped.replace("\n", "").replace("\t", "").isprintable():
        return escaped
    marked = _INVISIBLE.sub(_mark, escaped)
    return marked if len(marked) <= _GROWTH * len(escaped) + 4096 else _INVISIBLE.sub(_replace, escaped)


def _mark(match: re.Match[str]) -> str:
    character = match.group()
    if _is_needed(match):
        return character
    point = f"U+{ord(character):04X}"
    kept = character if character in _KEPT else ""
    title = unicodedata.name(character, point)
    return f'<span class="gm-mark" title="{title}">{_NAMES.get(character, point)}</span>{kept}'


def _replace(match: re.Match[str]) -> str:
    return match.group() if _is_needed(match) else "\ufffd"


def _is_needed(match: re.Match[str]) -> bool:
    """Whether the match is a joiner or selector that its script or emoji needs."""
    before = match.string[max(match.start() - 1, 0) : match.start()]
    return _JOINING.match(match.group()) is not None and _JOINED.match(before) is not None
