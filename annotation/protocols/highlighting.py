"""Colours code by the syntax of its language; every character stays."""

import re
from collections.abc import Iterator
from functools import cache

from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Generic, Keyword, Name, Number, String
from pygments.token import _TokenType as TokenKind
from pygments.util import ClassNotFound

LONGEST = 10_000
"""Most characters of a block with colours."""
_SLOW = re.compile(r"[^\n]{400}|(?:\n[ \t]*){12}")
"""Long lines and long gaps, over which some of the lexers take quadratic time."""

_LANGUAGE = re.compile(
    "bash|c|c#|c[+][+]|clojure|cpp|csharp|css|dart|diff|docker|dockerfile|elixir|erlang|fortran|go|golang|graphql|haskell|"
    "hs|html|ini|java|javascript|js|json|jsx|julia|kotlin|latex|lua|make|makefile|matlab|objective-c|objectivec|ocaml|"
    "perl|php|postgresql|powershell|proto|protobuf|ps1|py|py3|python|python3|r|rb|rs|ruby|rust|scala|sh|shell|sql|swift|"
    "tex|toml|ts|tsx|typescript|xml|yaml|yml|zsh"
)
_CLASSES: tuple[tuple[TokenKind, str], ...] = (
    (Comment, "gm-c"),
    (String, "gm-s"),
    (Number, "gm-n"),
    (Keyword, "gm-k"),
    (Name.Function, "gm-f"),
    (Name.Class, "gm-f"),
    (Name.Decorator, "gm-f"),
    (Name.Tag, "gm-k"),
    (Name.Attribute, "gm-f"),
    (Generic.Inserted, "gm-s"),
    (Generic.Deleted, "gm-k"),
)


def highlight(code: str, language: str) -> list[tuple[str, str]] | None:
    """(class, characters) of the parts of the code in order, with class "" without colour.

    None for an unknown language, and for code that may take long.

    >>> highlight("if x: pass", "python")
    [('gm-k', 'if'), ('', ' x: '), ('gm-k', 'pass')]
    """
    lexer = _find_lexer(language.lower()) if len(code) <= LONGEST and not _SLOW.search(code) else None
    if lexer is None:
        return None
    parts: list[tuple[str, str]] = []
    for kind, characters in _colour(lexer, code):
        if parts and parts[-1][0] == kind:
            characters = parts.pop()[1] + characters
        parts.append((kind, characters))
    return parts if "".join(characters for _, characters in parts) == code else None


def _colour(lexer: Lexer, code: str) -> Iterator[tuple[str, str]]:
    for token, characters in lexer.get_tokens(code):
        yield next((name for kind, name in _CLASSES if token in kind), ""), characters


@cache
def _find_lexer(language: str) -> Lexer | None:
    if not _LANGUAGE.fullmatch(language):
        return None
    try:
        return get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
