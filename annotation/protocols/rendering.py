"""Renders texts of models and users as harmless HTML for annotators.

All text is escaped. Markdown changes only the looks: paragraphs, emphasis, code, lists, quotes, tables, headings and
formulas. Links, images, HTML and reference definitions remain plain text, so that the page fetches nothing, has
nothing to click, and hides nothing that was written. A text is shown as written, without layout, if it is too long or
nested too deeply, if its HTML would be too large, or if a sign other than a mark of Markdown would not be shown.

Each block finds its own text direction (``dir="auto"``, which also isolates the block). Characters that change the
direction or are invisible become a mark with their name.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token

from annotation.protocols.faithfulness import keeps_signs
from annotation.protocols.formulas import typeset
from annotation.protocols.highlighting import highlight
from annotation.protocols.markdown import make_model_parser, make_user_parser
from annotation.protocols.marks import mark_invisible

LONGEST_LAYOUT = 1 << 18
"""Most characters of a text with layout; a longer text is shown without."""

_CACHED_TEXTS, _LONGEST_CACHED = 4096, 4096
"""The cache for texts of models, which recur in several tasks: most texts, and most characters of a cached text."""

_DEEPEST = 16
_GROWTH = 20
"""The deepest nesting of blocks, and the most characters of HTML per character of text."""
_TYPESET, _COLOURED = 20_000, 20_000
"""Most characters of a text that are typeset as formulas and coloured as code; the others are shown as code."""

_MAYBE_MARKUP = re.compile(r"[\\`*_~|$]|://|^ {0,3}(?:[-=#>]|\d+[.)])|^(?: {4}| {0,3}\t)", re.MULTILINE)
_BREAK = "<br>\n"

_TAGS = {
    "softbreak": _BREAK,
    "hardbreak": _BREAK,
    "hr": "<hr>\n",
    "em_open": "<em>",
    "em_close": "</em>",
    "strong_open": "<strong>",
    "strong_close": "</strong>",
    "s_open": "<s>",
    "s_close": "</s>",
    "heading_close": "</div>\n",
    "blockquote_open": '<blockquote dir="auto">\n',
    "blockquote_close": "</blockquote>\n",
    "bullet_list_open": '<ul dir="auto">\n',
    "bullet_list_close": "</ul>\n",
    "ordered_list_open": '<ol dir="auto">\n',
    "ordered_list_close": "</ol>\n",
    "list_item_close": "</li>\n",
    "table_open": '<div class="gm-wide"><table dir="auto">\n',
    "table_close": "</table></div>\n",
    "thead_open": "<thead>\n",
    "thead_close": "</thead>\n",
    "tbody_open": "<tbody>\n",
    "tbody_close": "</tbody>\n",
    "tr_open": "<tr>",
    "tr_close": "</tr>\n",
    "th_open": '<th dir="auto">',
    "th_close": "</th>",
    "td_open": '<td dir="auto">',
    "td_close": "</td>",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a rendering: its HTML, and the characters of the text that it shows."""

    html: str
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Rendering:
    """The parts of a text with layout, and whether all signs of the text are in it."""

    pieces: Sequence[Piece]
    is_whole: bool

    @property
    def html(self) -> str:
        """The HTML of all parts."""
        return "".join(piece.html for piece in self.pieces)


def render_model_text(text: str) -> str:
    r"""Renders the Markdown of a model's text as HTML.

    >>> render_model_text("Use **sets**:\n<script>")
    '<p dir="auto">Use <strong>sets</strong>:<br>\n&lt;script&gt;</p>\n'
    """
    text, rendering = _lay_out_model_text(text)
    return mark_invisible(rendering.html if rendering.is_whole else _render_plain(text))


def render_responses(left: str, right: str) -> tuple[str, str]:
    r"""Renders two responses alike: both without layout if the layout of one would lose a sign.

    >>> render_responses("*x*", ">" * 40)[0]
    '<div class="gm-plain"><p dir="auto">*x*</p>\n</div>\n'
    """
    texts, renderings = zip(*map(_lay_out_model_text, (left, right)), strict=True)
    if all(rendering.is_whole for rendering in renderings):
        a, b = (mark_invisible(rendering.html) for rendering in renderings)
    else:
        a, b = (mark_invisible(_render_plain(text)) for text in texts)
    return a, b


def render_guidelines(text: str) -> str:
    """Renders guidelines as a complete document; unlike in a response, a line break in a paragraph is only a space."""
    flowing = render_model_text(text).replace(_BREAK, "\n")
    return f'<div class="gm-guide"><div class="gm-text">{flowing}</div></div>'


def render_user_text(text: str) -> str:
    r"""Renders a user's text as HTML: keeps line breaks and spaces, and only lays out code.

    >>> render_user_text("# one\n  two")
    '<div class="gm-plain"><p dir="auto"># one\n  two</p>\n</div>\n'
    """
    text = _normalize_newlines(text)
    if "`" not in text and "~~~" not in text:
        return mark_invisible(_render_plain(text))
    rendering = _lay_out(_USER_PARSER, text)
    return mark_invisible(rendering.html if rendering.is_whole else _render_plain(text))


def _lay_out_model_text(text: str) -> tuple[str, Rendering]:
    """The text with plain line ends, and its rendering."""
    return (_lay_out_recurring if len(text) <= _LONGEST_CACHED else _lay_out_recurring.__wrapped__)(text)


@lru_cache(maxsize=_CACHED_TEXTS)
def _lay_out_recurring(text: str) -> tuple[str, Rendering]:
    text = _normalize_newlines(text)
    if _MAYBE_MARKUP.search(text):
        return text, _lay_out(_MODEL_PARSER, text)
    return text, Rendering(tuple(_render_paragraphs(text)), is_whole=True)


def _normalize_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _render_paragraphs(text: str) -> Iterator[Piece]:
    """Renders a text without markup, faster than the parser (a test compares the two)."""
    is_open = False
    for line in text.split("\n"):
        line = line.strip(" \t")
        if line:
            yield Piece(_BREAK if is_open else '<p dir="auto">')
            yield Piece(escape(line), line)
        elif is_open:
            yield Piece("</p>\n")
        is_open = bool(line)
    if is_open:
        yield Piece("</p>\n")


def _render_plain(text: str) -> str:
    """Renders paragraphs in which the page keeps line breaks and spaces (``white-space: pre-wrap``)."""
    parts = escape(text).strip("\n").split("\n\n")
    blocks = "".join(f'<p dir="auto">{part}</p>\n' for part in parts if part)
    return f'<div class="gm-plain">{blocks}</div>\n'


def _lay_out(parser: MarkdownIt, text: str) -> Rendering:
    if len(text) <= LONGEST_LAYOUT:
        tokens = parser.parse(text)
        if all(token.level < _DEEPEST for token in tokens):
            pieces = tuple(_Renderer().render(tokens))
            shown = "".join(piece.shown for piece in pieces)
            size = sum(len(piece.html) for piece in pieces)
            return Rendering(pieces, size <= _GROWTH * len(text) + 4096 and keeps_signs(text, shown))
    return Rendering((), is_whole=False)


class _Renderer:
    """Renders the tokens of one text; counts what it has typeset and coloured."""

    def __init__(self) -> None:
        self._typeset = self._coloured = 0

    def render(self, tokens: Sequence[Token]) -> Iterator[Piece]:
        for token in tokens:
            kind = token.type
            if kind == "text":
                yield Piece(escape(token.content), token.content)
            elif kind in _TAGS:
                yield Piece(_TAGS[kind])
            elif kind == "inline":
                yield from self.render(token.children) if token.children else _render_lines(token.content)
            elif kind in ("paragraph_open", "paragraph_close"):
                yield Piece(_render_paragraph_edge(token))
            elif kind == "list_item_open":
                yield Piece('<li dir="auto">')
                if token.info:
                    number = f"{token.info}{token.markup}"
                    yield Piece(f'<span class="gm-number">{number}</span>', number)
            elif kind == "heading_open":
                yield Piece(f'<div dir="auto" class="gm-heading gm-{token.tag}">')
            elif kind == "formula":
                yield self._render_formula(token.content)
            elif kind == "address":
                yield Piece(f'<span class="gm-address" dir="ltr">{escape(token.content)}</span>', token.content)
            elif kind == "code_inline":
                yield Piece(f'<code dir="ltr">{escape(token.content)}</code>', token.content)
            else:
                yield from self._render_code(token)

    def _render_formula(self, formula: str) -> Piece:
        self._typeset += len(formula)
        html = typeset(formula) if self._typeset <= _TYPESET else None
        return Piece(html or f'<code dir="ltr" class="gm-formula">{escape(formula)}</code>', formula)

    def _render_code(self, token: Token) -> Iterator[Piece]:
        if token.type not in ("fence", "code_block"):
            raise ValueError(f"no rule renders a token of type {token.type}")
        info = token.info.strip()
        yield Piece('<div class="gm-code">')
        if info:
            yield Piece(f'<div class="gm-language">{escape(info)}</div>', info)
        yield Piece('<pre dir="ltr"><code>')
        self._coloured += len(token.content)
        language = info.split()[0] if info and self._coloured <= _COLOURED else ""
        for name, characters in highlight(token.content, language) or [("", token.content)]:
            html = escape(characters)
            yield Piece(f'<span class="{name}">{html}</span>' if name else html, characters)
        yield Piece("</code></pre></div>\n")


def _render_lines(text: str) -> Iterator[Piece]:
    for number, line in enumerate(text.split("\n")):
        if number:
            yield Piece(_BREAK)
        line = line.strip(" \t")
        yield Piece(escape(line), line)


def _render_paragraph_edge(token: Token) -> str:
    if token.hidden:
        return "" if token.nesting == 1 else "\n"
    return '<p dir="auto">' if token.nesting == 1 else "</p>\n"


_MODEL_PARSER, _USER_PARSER = make_model_parser(), make_user_parser()
