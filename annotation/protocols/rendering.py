"""Renders texts of models and users as harmless HTML for annotators.

All text is escaped. Markdown changes only the looks: paragraphs, emphasis, code, lists, quotes, tables and headings.
Links, images, HTML and reference definitions remain plain text, so that the page fetches nothing, has nothing to click,
and hides nothing that was written. A text is shown without layout if it is too long or nested too deeply, if its HTML
would be too large, or if a table would drop some of its cells.

Each block finds its own text direction (``dir="auto"``, which also isolates the block). Characters that change the
direction or are invisible become a mark with their name.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape
from itertools import groupby

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from annotation.protocols.marks import mark_invisible

LONGEST_LAYOUT = 1 << 18
"""Most characters of a text with layout; a longer text is shown without."""

_CACHED_TEXTS, _LONGEST_CACHED = 8192, 4096
"""The cache for texts of models, which recur in several tasks: most texts, and most characters of a cached text."""

_DEEPEST = 16
_GROWTH = 20
"""The deepest nesting of blocks, and the most characters of HTML per character of text."""

_MAYBE_MARKUP = re.compile(r"[\\`*_~|&]|^ {0,3}(?:[-+=#>]|\d+[.)])|^(?: {4}| {0,3}\t)", re.MULTILINE)
_MAYBE_INLINE = re.compile(r"[\\`*_~&]")
_WORD = re.compile(r"\w+")
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


def render_model_text(text: str) -> str:
    r"""Renders the Markdown of a model's text as HTML.

    >>> render_model_text("Use **sets**:\n<script>")
    '<p dir="auto">Use <strong>sets</strong>:<br>\n&lt;script&gt;</p>\n'
    """
    return _render_model_text(text) if len(text) <= _LONGEST_CACHED else _render_model_text.__wrapped__(text)


@lru_cache(maxsize=_CACHED_TEXTS)
def _render_model_text(text: str) -> str:
    text = _normalize_newlines(text)
    return mark_invisible(_lay_out(_MODEL_PARSER, text) if _MAYBE_MARKUP.search(text) else _render_paragraphs(text))


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
    return mark_invisible(_lay_out(_USER_PARSER, text) if "`" in text or "~~~" in text else _render_plain(text))


def _normalize_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _render_paragraphs(text: str) -> str:
    """Renders a text without markup, faster than the parser (a test compares the two)."""
    lines = [line.strip(" \t") for line in escape(text).split("\n")]
    blocks = (_BREAK.join(block) for filled, block in groupby(lines, bool) if filled)
    return "".join(f'<p dir="auto">{block}</p>\n' for block in blocks)


def _render_plain(text: str) -> str:
    """Renders paragraphs in which the page keeps line breaks and spaces (``white-space: pre-wrap``)."""
    parts = escape(text).strip("\n").split("\n\n")
    blocks = "".join(f'<p dir="auto">{part}</p>\n' for part in parts if part)
    return f'<div class="gm-plain">{blocks}</div>\n'


def _lay_out(parser: MarkdownIt, text: str) -> str:
    if len(text) > LONGEST_LAYOUT:
        return _render_plain(text)
    tokens = parser.parse(text)
    if any(token.level >= _DEEPEST for token in tokens):
        return _render_plain(text)
    if any(token.type == "table_open" for token in tokens) and _loses_words(text, tokens):
        return _render_plain(text)
    laid_out = "".join(_render_tokens(tokens))
    return laid_out if len(laid_out) <= _GROWTH * len(text) + 4096 else _render_plain(text)


def _loses_words(text: str, tokens: Sequence[Token]) -> bool:
    """Whether a word of the text is in no token: the parser drops cells of a row beyond the columns of its table."""
    shown = "\n".join(f"{token.content}\n{token.info}" for token in tokens)
    return not set(_WORD.findall(text)) <= set(_WORD.findall(shown))


def _render_tokens(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        kind = token.type
        if kind == "text":
            yield escape(token.content)
        elif kind in _TAGS:
            yield _TAGS[kind]
        elif kind == "inline":
            yield from _render_tokens(token.children) if token.children else (_render_lines(token.content),)
        elif kind in ("paragraph_open", "paragraph_close"):
            yield _render_paragraph_edge(token)
        elif kind == "list_item_open":
            yield f'<li dir="auto" value="{int(token.info)}">' if token.info else '<li dir="auto">'
        elif kind == "heading_open":
            yield f'<div dir="auto" class="gm-heading gm-{token.tag}">'
        elif kind in ("code_inline", "math"):
            yield f'<code dir="ltr">{escape(token.content)}</code>'
        else:
            yield _render_code(token)


def _render_lines(text: str) -> str:
    return _BREAK.join(line.strip(" \t") for line in escape(text).split("\n"))


def _render_paragraph_edge(token: Token) -> str:
    if token.hidden:
        return "" if token.nesting == 1 else "\n"
    return '<p dir="auto">' if token.nesting == 1 else "</p>\n"


def _render_code(token: Token) -> str:
    if token.type not in ("fence", "code_block"):
        raise ValueError(f"no rule renders a token of type {token.type}")
    language = f'<div class="gm-language">{escape(token.info.strip())}</div>' if token.info.strip() else ""
    return f'<div class="gm-code">{language}<pre dir="ltr"><code>{escape(token.content)}</code></pre></div>\n'


def _keep_math(state: StateInline, silent: bool) -> bool:
    r"""Keeps ``\( ... \)`` and ``\[ ... \]`` as written, since the parser would drop the backslashes."""
    opening = state.src[state.pos : state.pos + 2]
    if opening not in ("\\(", "\\["):
        return False
    key = -1 if opening == "\\(" else -2  # the parser's own keys are positions in the text, 0 or more
    if state.cache.get(key) is not None:
        return False
    end = state.src.find("\\)" if opening == "\\(" else "\\]", state.pos + 2, state.posMax)
    if end < 0:
        state.cache[key] = end
        return False
    if not silent:
        state.push("math", "code", 0).content = state.src[state.pos : end + 2]
    state.pos = end + 2
    return True


def _parse_inlines(state: StateCore) -> None:
    """Replaces the parser's step "inline" with one that skips texts without inline markup, which most are."""
    for token in state.tokens:
        if token.type == "inline" and _MAYBE_INLINE.search(token.content):
            token.children = []
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _make_model_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    parser.core.ruler.at("inline", _parse_inlines)
    parser.disable(["link", "image", "autolink", "html_inline", "html_block", "reference"])
    parser.inline.ruler.before("escape", "math", _keep_math)
    return parser


def _make_user_parser() -> MarkdownIt:
    return MarkdownIt("zero", {"html": False}).enable(["fence", "backticks"])


_MODEL_PARSER, _USER_PARSER = _make_model_parser(), _make_user_parser()
