"""Renders texts of models and users as harmless HTML for annotators.

All text is escaped. Markdown changes only the looks: paragraphs, emphasis, code, lists, quotes, tables, headings and
formulas. Links, images, HTML and reference definitions remain plain text, so that the page fetches nothing, has
nothing to click, and hides nothing that was written. A text is shown as written, without layout, if it is too long or
nested too deeply, if its HTML would be too large, or if a sign other than a mark of Markdown would not be shown.

Each block finds its own text direction (``dir="auto"``, which also isolates the block). Characters that change the
direction or are invisible become a mark with their name.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from html import escape
from itertools import takewhile

from markdown_it import MarkdownIt
from markdown_it.token import Token

from annotation.protocols.differences import find_differences
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


_WITHIN_LINES = {"em_open", "em_close", "strong_open", "strong_close", "s_open", "s_close"}
_MARK_OPEN, _MARK_CLOSE = '<mark class="gm-diff">', "</mark>"


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
        return _join(self.pieces)

    @property
    def shown(self) -> str:
        """The characters of all parts, with a line end where a block or a line begins."""
        return "".join(piece.shown for piece in self.pieces)

    def mark(self, spans: Sequence[tuple[int, int]]) -> str:
        """The HTML with marks around the characters of ``shown`` from start to end of each span."""
        return "".join(_mark(self.pieces, deque(spans))) if spans else self.html


def _mark(pieces: Sequence[Piece], spans: deque[tuple[int, int]]) -> Iterator[str]:
    at = 0
    for piece in pieces:
        end = at + len(piece.shown)
        if not spans or spans[0][0] >= end or not piece.shown.strip():
            yield piece.html
        elif piece.html == escape(piece.shown):
            near = takewhile(partial(_begins_before, end), spans)
            yield from _mark_text(piece.shown, [(begin - at, stop - at) for begin, stop in near])
        else:
            yield f"{_MARK_OPEN}{piece.html}{_MARK_CLOSE}"
        at = end
        while spans and spans[0][1] <= at:
            spans.popleft()


def _begins_before(end: int, span: tuple[int, int]) -> bool:
    return span[0] < end


def _mark_text(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[str]:
    """``text`` with marks around the spans, which may begin before it or end after it."""
    at = 0
    for begin, stop in spans:
        begin = max(begin, 0)
        yield escape(text[at:begin])
        yield f"{_MARK_OPEN}{escape(text[begin:stop])}{_MARK_CLOSE}"
        at = stop
    yield escape(text[at:])


def render_model_text(text: str) -> str:
    r"""Renders the Markdown of a model's text as HTML.

    >>> render_model_text("Use **sets**:\n<script>")
    '<p dir="auto">Use <strong>sets</strong>:<br>\n&lt;script&gt;</p>\n'
    """
    text, rendering = _lay_out_model_text(text)
    return mark_invisible(rendering.html if rendering.is_whole else _join(_render_plain(text)))


def render_responses(left: str, right: str) -> tuple[str, str]:
    r"""Renders two responses alike.

    Both are without layout if the layout of one would lose a sign; the differences of nearly equal ones are marked.

    >>> render_responses("*x*", ">" * 40)[0]
    '<div class="gm-plain"><p dir="auto">*x*</p>\n</div>\n'
    """
    texts, renderings = zip(*map(_lay_out_model_text, (left, right)), strict=True)
    if not all(rendering.is_whole for rendering in renderings):
        renderings = tuple(Rendering(tuple(_render_plain(text)), is_whole=True) for text in texts)
    differences = find_differences(*(rendering.shown for rendering in renderings))
    a, b = (mark_invisible(rendering.mark(spans)) for rendering, spans in zip(renderings, differences, strict=True))
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
        return mark_invisible(_join(_render_plain(text)))
    rendering = _lay_out(_USER_PARSER, text)
    return mark_invisible(rendering.html if rendering.is_whole else _join(_render_plain(text)))


def _join(pieces: Iterable[Piece]) -> str:
    return "".join(piece.html for piece in pieces)


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
            yield Piece(_BREAK if is_open else '<p dir="auto">', "\n")
            yield Piece(escape(line), line)
        elif is_open:
            yield Piece("</p>\n", "\n")
        is_open = bool(line)
    if is_open:
        yield Piece("</p>\n", "\n")


def _render_plain(text: str) -> Iterator[Piece]:
    """Renders paragraphs in which the page keeps line breaks and spaces (``white-space: pre-wrap``)."""
    yield Piece('<div class="gm-plain">')
    for part in text.strip("\n").split("\n\n"):
        if part:
            yield Piece('<p dir="auto">', "\n")
            yield Piece(escape(part), part)
            yield Piece("</p>\n", "\n")
    yield Piece("</div>\n")


def _lay_out(parser: MarkdownIt, text: str) -> Rendering:
    if len(text) <= LONGEST_LAYOUT:
        tokens = parser.parse(text)
        if all(token.level < _DEEPEST for token in tokens):
            pieces = tuple(_Renderer().render(tokens))
            size = sum(len(piece.html) for piece in pieces)
            shown = Rendering(pieces, is_whole=False).shown
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
                yield Piece(_TAGS[kind], "" if kind in _WITHIN_LINES else "\n")
            elif kind == "inline":
                yield from self.render(token.children) if token.children else _render_lines(token.content)
            elif kind in ("paragraph_open", "paragraph_close"):
                yield Piece(_render_paragraph_edge(token), "\n")
            elif kind == "list_item_open":
                yield Piece('<li dir="auto">', "\n")
                if token.info:
                    number = f"{token.info}{token.markup}"
                    yield from _enclose('<span class="gm-number">', number, "</span>")
                    yield Piece("", " ")
            elif kind == "heading_open":
                yield Piece(f'<div dir="auto" class="gm-heading gm-{token.tag}">', "\n")
            elif kind == "formula":
                yield self._render_formula(token.content)
            elif kind == "address":
                yield from _enclose('<span class="gm-address" dir="ltr">', token.content, "</span>")
            elif kind == "code_inline":
                yield from _enclose('<code dir="ltr">', token.content, "</code>")
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
        yield Piece('<div class="gm-code">', "\n")
        if info:
            yield from _enclose('<div class="gm-language">', info, "</div>")
        yield Piece('<pre dir="ltr"><code>', "\n")
        self._coloured += len(token.content)
        language = info.split()[0] if info and self._coloured <= _COLOURED else ""
        for name, characters in highlight(token.content, language) or [("", token.content)]:
            yield from _enclose(f'<span class="{name}">' if name else "", characters, "</span>" if name else "")
        yield Piece("</code></pre></div>\n", "\n")


def _enclose(opening: str, text: str, closing: str) -> tuple[Piece, Piece, Piece]:
    return Piece(opening), Piece(escape(text), text), Piece(closing)


def _render_lines(text: str) -> Iterator[Piece]:
    for number, line in enumerate(text.split("\n")):
        if number:
            yield Piece(_BREAK, "\n")
        line = line.strip(" \t")
        yield Piece(escape(line), line)


def _render_paragraph_edge(token: Token) -> str:
    if token.hidden:
        return "" if token.nesting == 1 else "\n"
    return '<p dir="auto">' if token.nesting == 1 else "</p>\n"


_MODEL_PARSER, _USER_PARSER = make_model_parser(), make_user_parser()
