r"""Parses Markdown as models write it, with fewer marks than CommonMark has, so that no sign of the text is lost.

Differences from CommonMark with tables: formulas are left alone; links, images, HTML and entities stay as written;
``*`` and ``~~`` are marks only at the edge of a word, ``_`` only single, since ``2*3*4`` and ``__init__`` mean
themselves; ``+`` is no bullet and ``===`` no heading; a backslash is a mark only before ``* _ ` # ~ | $``. Tables keep
cells beyond their columns, and a ``|`` in code or in a formula divides no cell.
"""

import re
from bisect import bisect_left

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, list_block
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Scanned

from annotation.protocols.formulas import find_formula

_MAYBE_INLINE = re.compile(r"[\\`*_~$]|://")
_ESCAPED = frozenset("*_`#~|$")
_OPENINGS = re.compile(r"\$|\\[(\[]")
_DELIMITERS = re.compile(r"[|:-][-:|\s]*")
_DELIMITER = re.compile(r"\s*:?-+:?\s*")
_TICKS = re.compile(r"`+")
_SPAN = re.compile(r"`+|\$|\\\(")
_PADDED = 4
"""Most empty cells that complete the rows of a table, per cell of the table."""
_FIRST_WIDE = 0x2E80
"""From here on, scripts write words without spaces between them."""
_ADDRESS = re.compile(r"//[^\s<>\"'`|\x00-\x1f]{1,2000}")
_SCHEME = re.compile(r"(?:^|[^A-Za-z0-9.+-])(https?|ftp)$", re.IGNORECASE)


def make_model_parser() -> MarkdownIt:
    """A parser for the texts of models."""
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    parser.disable(["normalize", "link", "image", "autolink", "html_inline", "html_block", "entity"])
    parser.disable(["reference", "lheading"])
    parser.core.ruler.at("inline", _parse_inlines)
    parser.block.ruler.at("table", _parse_table, {"alt": ["paragraph"]})
    parser.block.ruler.at("list", _parse_list, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.block.ruler.at("paragraph", _parse_paragraph)
    parser.inline.ruler.at("escape", _escape)
    parser.inline.ruler.before("escape", "formula", _keep_formula)
    parser.inline.ruler.before("escape", "address", _keep_address)
    return parser


def make_user_parser() -> MarkdownIt:
    """A parser for the texts of users: only code is laid out."""
    return MarkdownIt("zero", {"html": False}).enable(["fence", "backticks"]).disable("normalize")


class _Inlines(StateInline):
    """The state of the parser, with marks only at the edge of a word."""

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N803 - the parser's name
        scanned = super().scanDelims(start, canSplitWord)
        end = start + scanned.length
        if self.src[start] == "_" and scanned.length > 1:
            return Scanned(False, False, scanned.length)
        before, after = self.src[start - 1 : start], self.src[end : end + 1]
        can_open = scanned.can_open and not _is_word(before) and before not in (")", "]", "}")
        can_close = scanned.can_close and not _is_word(after) and after not in ("(", "[", "{")
        return Scanned(can_open, can_close, scanned.length)


def _is_word(character: str) -> bool:
    return character.isalnum() and ord(character) < _FIRST_WIDE


def _parse_inlines(state: StateCore) -> None:
    """Parses the inline markup of the tokens that may have some."""
    inline = state.md.inline
    for token in state.tokens:
        if token.type == "inline" and _MAYBE_INLINE.search(token.content):
            token.children = []
            inlines = _Inlines(token.content, state.md, state.env, token.children)
            inline.tokenize(inlines)
            for rule in inline.ruler2.getRules(""):
                rule(inlines)


def _escape(state: StateInline, silent: bool) -> bool:
    r"""Hides a backslash before a mark; ``\\`` stays as written."""
    pair = state.src[state.pos : min(state.pos + 2, state.posMax)]
    if pair[:1] != "\\" or not (pair[1:] in _ESCAPED or pair == "\\\\") or len(pair) < 2:
        return False
    if not silent:
        token = state.push("text_special", "", 0)
        token.content = pair if pair == "\\\\" else pair[1]
        token.markup, token.info = pair, "escape"
    state.pos += 2
    return True


def _keep_formula(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    end = find_formula(state.src, state.pos, state.posMax)
    if end < 0:
        return False
    if not silent:
        state.push("formula", "", 0).content = state.src[state.pos : end]
    state.pos = end
    return True


def _keep_address(state: StateInline, silent: bool) -> bool:
    """Keeps the signs of an address: ``*`` and ``_`` are no marks there."""
    if state.src[state.pos] != ":" or silent:
        return False
    scheme = _SCHEME.search(state.src, max(state.pos - 8, 0), state.pos)
    found = _ADDRESS.match(state.src, state.pos + 1, state.posMax) if scheme else None
    if not scheme or not found:
        return False
    address = found[0].rstrip("*_~.,;:!?")
    while address.endswith(")") and address.count(")") > address.count("("):
        address = address[:-1].rstrip("*_~.,;:!?")
    pending = state.pending
    if not pending.endswith(scheme[1]):
        return False
    state.pending = pending[: -len(scheme[1])]
    state.push("address", "", 0).content = f"{scheme[1]}:{address}"
    state.pos += 1 + len(address)
    return True


def _parse_list(state: StateBlock, begin: int, end: int, silent: bool) -> bool:
    at = state.bMarks[begin] + state.tShift[begin]
    return state.src[at : at + 1] != "+" and list_block(state, begin, end, silent)


def _parse_paragraph(state: StateBlock, begin: int, end: int, silent: bool) -> bool:
    """Parses a paragraph, which no line inside a formula ends: no blank line, no ``-`` of a list, nothing else."""
    parent, state.parentType = state.parentType, "paragraph"
    line = _last_line(state, begin) + 1
    while line < state.lineMax and not state.isEmpty(line) and not _interrupts(state, line):
        line = _last_line(state, line) + 1
    _push(state, "paragraph", "p", state.getLines(begin, line, state.blkIndent, False), begin, line)
    state.line, state.parentType = line, parent
    return True


def _interrupts(state: StateBlock, line: int) -> bool:
    """Whether a line of a paragraph begins another block."""
    if state.sCount[line] - state.blkIndent > 3 or state.sCount[line] < 0:
        return False
    return any(rule(state, line, state.lineMax, True) for rule in state.md.block.ruler.getRules("paragraph"))


def _last_line(state: StateBlock, line: int) -> int:
    """The line on which the formulas that begin on ``line`` end, at least ``line``."""
    at, last = state.bMarks[line] + state.tShift[line], state.eMarks[state.lineMax - 1]
    while found := _OPENINGS.search(state.src, at, state.eMarks[line]):
        end = find_formula(state.src, found.start(), last)
        at = end if end > 0 else found.start() + 1
        line = max(line, bisect_left(state.eMarks, at))
    return line


def _push(state: StateBlock, kind: str, tag: str, content: str, begin: int, end: int) -> None:
    state.push(f"{kind}_open", tag, 1).map = [begin, end]
    token = state.push("inline", "", 0)
    token.content, token.children, token.map = content.strip(" \t\n\r\f\v"), [], [begin, end]
    state.push(f"{kind}_close", tag, -1)


def _parse_table(state: StateBlock, begin: int, end: int, silent: bool) -> bool:
    """Parses a table of GFM, with all cells of rows that are wider than its header."""
    if begin + 2 > end or state.sCount[begin + 1] < state.blkIndent:
        return False
    if state.is_code_block(begin) or state.is_code_block(begin + 1):
        return False
    delimiters = _line(state, begin + 1)
    columns = _count_columns(delimiters)
    header = _line(state, begin)
    if not columns or "|" not in header or len(split_cells(header, columns)) != columns:
        return False
    if silent:
        return True
    parent, state.parentType = state.parentType, "table"
    rows, line = [split_cells(header, columns)], begin + 2
    while line < end and state.sCount[line] >= state.blkIndent and not _ends_table(state, line, end):
        rows.append(split_cells(_line(state, line), columns))
        line += 1
    _push_rows(state, rows, begin)
    state.line, state.parentType = line, parent
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]].strip(" \t")


def _count_columns(line: str) -> int:
    """The number of columns that the second line of a table gives; 0 if it is no such line."""
    if not _DELIMITERS.fullmatch(line) or line[:2] in ("- ", "-"):
        return 0
    cells = line.removeprefix("|").removesuffix("|").split("|")
    return len(cells) if all(map(_DELIMITER.fullmatch, cells)) else 0


def _ends_table(state: StateBlock, line: int, end: int) -> bool:
    if not _line(state, line) or state.is_code_block(line):
        return True
    return any(rule(state, line, end, True) for rule in state.md.block.ruler.getRules("blockquote"))


def split_cells(line: str, columns: int) -> list[str]:
    r"""The cells of a row. A ``|`` in code or in a formula divides no cell, unless the row has too few without it.

    >>> split_cells("| `a || b` | $|x|$ |", 2)
    [' `a || b` ', ' $|x|$ ']
    """
    inner = line.removeprefix("|")
    bars = [at for at in range(len(inner)) if inner[at] == "|" and inner[max(at - 1, 0)] != "\\"]
    spans = _find_spans(inner) if "`" in inner or "$" in inner or "\\(" in inner else []
    starts = [start for start, _ in spans]
    free = [at for at in bars if not _is_inside(at, starts, spans)]
    cells = _cut(inner, free)
    return cells if len(cells) >= columns or len(free) == len(bars) else _cut(inner, bars)


def _cut(inner: str, bars: list[int]) -> list[str]:
    cells = [inner[begin + 1 : end] for begin, end in zip([-1, *bars], [*bars, len(inner)], strict=True)]
    return cells[:-1] if len(cells) > 1 and not cells[-1].strip() else cells


def _is_inside(at: int, starts: list[int], spans: list[tuple[int, int]]) -> bool:
    before = bisect_left(starts, at) - 1
    return before >= 0 and at < spans[before][1]


def _find_spans(line: str) -> list[tuple[int, int]]:
    """(start, end) of the code and the formulas of a line, in order."""
    ticks: dict[int, list[int]] = {}
    for run in _TICKS.finditer(line):
        ticks.setdefault(len(run[0]), []).append(run.start())
    spans, at = [], 0
    while found := _SPAN.search(line, at):
        start, size, end = found.start(), len(found[0]), -1
        if found[0][0] == "`":
            same = ticks.get(size, [])
            after = bisect_left(same, found.end())
            end = same[after] + size if after < len(same) else -1
        else:
            end = find_formula(line, start, len(line))
        if end > 0:
            spans.append((start, end))
        at = end if end > 0 else start + size
    return spans


def _push_rows(state: StateBlock, rows: list[list[str]], begin: int) -> None:
    width, cells = max(map(len, rows)), sum(map(len, rows))
    padded = width * len(rows) <= _PADDED * cells
    state.push("table_open", "table", 1)
    for number, row in enumerate(rows):
        part, tag = ("tbody", "td") if number else ("thead", "th")
        if number < 2:
            state.push(f"{part}_open", part, 1)
        state.push("tr_open", "tr", 1)
        for cell in row + [""] * ((width - len(row)) * padded):
            line = begin + number + (number > 0)
            _push(state, tag, tag, cell, line, line + 1)
        state.push("tr_close", "tr", -1)
        if number == 0 or number == len(rows) - 1:
            state.push(f"{part}_close", part, -1)
    state.push("table_close", "table", -1)
