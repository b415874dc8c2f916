"""Words of models and users as HTML that an annotator reads: laid out, and unable to act.

Everything is escaped. What is left of Markdown changes nothing but the looks: paragraphs, emphasis, code, lists,
quotes, tables and headings. Links, images, HTML and reference definitions stay the text that they are, so that nothing
is fetched, nothing can be followed, and nothing that was written is out of sight. A text that would not gain by it (too
long, nested too deep, blown up by its layout, with cells that its table drops) is shown as it is.

Each block finds its own direction (``dir="auto"``, which also isolates it), and characters that steer direction or
cannot be seen become a mark with their name.
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
"""Characters of a text that is laid out; a longer one is shown as it is."""

_KEPT, _LONGEST_KEPT = 8192, 4096
"""How many texts of models are laid out once for all their tasks, and up to which number of characters."""

_DEEPEST = 16
_GROWTH = 20
"""How deep blocks may nest, and how many times its text the HTML may measure."""

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


def render_written(text: str) -> str:
    r"""What a model wrote: its Markdown laid out.

    >>> render_written("Use **sets**:\n<script>")
    '<p dir="auto">Use <strong>sets</strong>:<br>\n&lt;script&gt;</p>\n'
    """
    return _render_written(text) if len(text) <= _LONGEST_KEPT else _render_written.__wrapped__(text)


@lru_cache(maxsize=_KEPT)
def _render_written(text: str) -> str:
    text = _with_newlines(text)
    return mark_invisible(_laid_out(_MODEL, text) if _MAYBE_MARKUP.search(text) else _paragraphs(text))


def guide(text: str) -> str:
    """Guidelines, whose lines may be broken anywhere: a document of its own."""
    flowing = render_written(text).replace(_BREAK, "\n")
    return f'<div class="gm-guide"><div class="gm-text">{flowing}</div></div>'


def render_typed(text: str) -> str:
    r"""What a user typed: lines and blanks as they are, code apart.

    >>> render_typed("# one\n  two")
    '<div class="gm-plain"><p dir="auto"># one\n  two</p>\n</div>\n'
    """
    text = _with_newlines(text)
    return mark_invisible(_laid_out(_USER, text) if "`" in text or "~~~" in text else _as_it_is(text))


def _with_newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _paragraphs(text: str) -> str:
    """What a text without markup is laid out as (a test holds it to the parser)."""
    lines = [line.strip(" \t") for line in escape(text).split("\n")]
    blocks = (_BREAK.join(block) for filled, block in groupby(lines, bool) if filled)
    return "".join(f'<p dir="auto">{block}</p>\n' for block in blocks)


def _as_it_is(text: str) -> str:
    """Paragraphs in which the page keeps line breaks and blanks (``white-space: pre-wrap``)."""
    parts = escape(text).strip("\n").split("\n\n")
    blocks = "".join(f'<p dir="auto">{part}</p>\n' for part in parts if part)
    return f'<div class="gm-plain">{blocks}</div>\n'


def _laid_out(parser: MarkdownIt, text: str) -> str:
    if len(text) > LONGEST_LAYOUT:
        return _as_it_is(text)
    tokens = parser.parse(text)
    if any(token.level >= _DEEPEST for token in tokens):
        return _as_it_is(text)
    if any(token.type == "table_open" for token in tokens) and _loses_words(text, tokens):
        return _as_it_is(text)
    laid_out = "".join(_html(tokens))
    return laid_out if len(laid_out) <= _GROWTH * len(text) + 4096 else _as_it_is(text)


def _loses_words(text: str, tokens: Sequence[Token]) -> bool:
    """Whether a word is in no token: a row drops what it has beyond the columns of its table."""
    shown = "\n".join(f"{token.content}\n{token.info}" for token in tokens)
    return not set(_WORD.findall(text)) <= set(_WORD.findall(shown))


def _html(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        kind = token.type
        if kind == "text":
            yield escape(token.content)
        elif kind in _TAGS:
            yield _TAGS[kind]
        elif kind == "inline":
            yield from _html(token.children) if token.children else (_lines(token.content),)
        elif kind in ("paragraph_open", "paragraph_close"):
            yield _paragraph_edge(token)
        elif kind == "list_item_open":
            yield f'<li dir="auto" value="{int(token.info)}">' if token.info else '<li dir="auto">'
        elif kind == "heading_open":
            yield f'<div dir="auto" class="gm-heading gm-{token.tag}">'
        elif kind in ("code_inline", "math"):
            yield f'<code dir="ltr">{escape(token.content)}</code>'
        else:
            yield _code_block(token)


def _lines(text: str) -> str:
    return _BREAK.join(line.strip(" \t") for line in escape(text).split("\n"))


def _paragraph_edge(token: Token) -> str:
    if token.hidden:
        return "" if token.nesting == 1 else "\n"
    return '<p dir="auto">' if token.nesting == 1 else "</p>\n"


def _code_block(token: Token) -> str:
    if token.type not in ("fence", "code_block"):
        raise ValueError(f"no HTML is known for {token.type}")
    language = f'<div class="gm-language">{escape(token.info.strip())}</div>' if token.info.strip() else ""
    return f'<div class="gm-code">{language}<pre dir="ltr"><code>{escape(token.content)}</code></pre></div>\n'


def _math(state: StateInline, silent: bool) -> bool:
    r"""``\( ... \)`` and ``\[ ... \]`` as they were written: the parser would eat the backslashes."""
    opening = state.src[state.pos : state.pos + 2]
    if opening not in ("\\(", "\\["):
        return False
    key = -1 if opening == "\\(" else -2  # the parser's own keys are places in the text
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
    """The parser's step of that name, for texts that have something to parse: most have not."""
    for token in state.tokens:
        if token.type == "inline" and _MAYBE_INLINE.search(token.content):
            token.children = []
            state.md.inline.parse(token.content, state.md, state.env, token.children)


def _for_models() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    parser.core.ruler.at("inline", _parse_inlines)
    parser.disable(["link", "image", "autolink", "html_inline", "html_block", "reference"])
    parser.inline.ruler.before("escape", "math", _math)
    return parser


def _for_users() -> MarkdownIt:
    return MarkdownIt("zero", {"html": False}).enable(["fence", "backticks"])


_MODEL, _USER = _for_models(), _for_users()
