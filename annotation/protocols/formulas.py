r"""Finds formulas in a text and typesets them as MathML, which browsers show without a script.

A formula is ``\( ... \)``, ``$ ... $``, ``\[ ... \]`` or ``$$ ... $$``; the last two stand on a line of their own. A
dollar sign is also a price or a variable of a shell: ``$ ... $`` is a formula only by pandoc's rule (no space inside
the signs, no letter or digit around them), and only if it reads like one.
"""

import re
from collections import Counter
from functools import lru_cache
from html import escape, unescape
from unicodedata import normalize
from xml.etree.ElementTree import Element

from latex2mathml import exceptions
from latex2mathml.converter import convert_to_element

LONGEST = 2000
"""Most characters of a formula."""

_CLOSING = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_DOLLARS = re.compile(
    r"\$(?![\s$])((?:[^$\\`\n]|\\[^\n`]|\n(?![ \t]*\n)){1,500})(?<!\s)\$(?:(?=(?:th|st|nd|rd|s)\b)|(?![\w({$]))"
)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,}")

_DEEPEST = 24
"""The deepest nesting of braces, environments and pairs of \\left and \\right."""
_NESTING = re.compile(r"\\(?:begin|end|left|right)(?![A-Za-z])|\\.|[{}]", re.DOTALL)
_IN, _OUT = {"{", r"\begin", r"\left"}, {"}", r"\end", r"\right"}

_UNSAFE = re.compile(r"(?<!\\)%|&#?\w+;")
"""A comment of LaTeX, and what HTML would read as a character by its number or name."""

_ENVIRONMENT = re.compile(
    r"(?:(?<=\\begin\{)|(?<=\\end\{))(?:align|alignat|equation|gather|aligned|alignedat|split|gathered)(?=\})"
)
_KNOWN_AS = {"aligned": "align*", "alignedat": "alignat*", "split": "align*", "gathered": "gather*"}
"""Names that the converter does not know, by those that it does. Without the star it numbers the lines."""

_ARRAY = re.compile(r"\\begin\{(?:array|subarray|tabular|alignat\*?)\}\s*\{[^{}]*\}|\\(?:begin|end)\{[A-Za-z]+\*?\}")
_COMMAND = re.compile(r"\\(?:[A-Za-z]+|.)", re.DOTALL)
_COMPARED = frozenset("+=<>*/!,;:?")

_ERRORS: tuple[type[Exception], ...] = (
    *(each for each in vars(exceptions).values() if isinstance(each, type) and issubclass(each, Exception)),
    *(LookupError, ValueError, AttributeError, TypeError, StopIteration, RuntimeError),
)
"""What the converter raises for a formula that it cannot read: its own errors, and others out of its parts."""

_ELEMENT = re.compile(
    "mrow|mi|mn|mo|mtext|ms|mspace|mfrac|msqrt|mroot|msub|msup|msubsup|munder|mover|munderover|mmultiscripts|"
    "mprescripts|mtable|mtr|mtd|mstyle|mpadded|mphantom"
)
_ATTRIBUTE = re.compile(
    "accent|accentunder|displaystyle|scriptlevel|fence|form|stretchy|symmetric|largeop|movablelimits|separator|lspace|"
    "rspace|linethickness|minsize|maxsize|width|height|depth|voffset"
)
_VALUE = re.compile(r"[-+.a-z0-9]{1,20}")
_INVISIBLE = re.compile("[\u200b\u2061-\u2064]")


def find_formula(text: str, start: int, end: int) -> int:
    r"""The end of the formula that begins at ``start``, or -1.

    >>> find_formula("$x$ and $5", 0, 10), find_formula("$5 and $10", 0, 10)
    (3, -1)
    """
    opening = text[start : start + 2]
    if text[start - 1 : start] == "\\" and opening[0] == "$":
        return -1
    if opening in _CLOSING:
        return _find_closing(text, start, min(end, start + LONGEST), opening)
    before = text[start - 1 : start]
    if opening[:1] != "$" or before.isalnum() or before == "$":
        return -1
    found = _DOLLARS.match(text, start, end)
    return found.end() if found and not _is_prose(found[1]) else -1


def _find_closing(text: str, start: int, end: int, opening: str) -> int:
    at = text.find(_CLOSING[opening], start + 2, end)
    content = text[start + 2 : at]
    if at < 0 or not content.strip() or "`" in content or _is_prose(content):
        return -1
    own_lines = opening != "\\(" and content.startswith("\n")
    return at + 2 if own_lines or not _BLANK_LINE.search(content) else -1


def _is_prose(content: str) -> bool:
    """Whether the content reads like a sentence between two prices or brackets."""
    if re.search(r"[\\^_=]", content):
        return False
    words = len(_WORD.findall(content))
    return words > 1 or (words == 1 and (" " in content.strip() or content[:1].isdigit()))


@lru_cache(maxsize=4096)
def typeset(formula: str) -> str | None:
    r"""A formula with its signs at both ends as MathML; None if it cannot be read, or would lose a sign.

    >>> typeset("$x^2$")
    '<math title="$x^2$"><msup><mi>x</mi><mn>2</mn></msup></math>'
    """
    size = 1 if formula[0] == "$" != formula[1] else 2
    source = formula[size:-size].strip()
    printable = source.replace("\n", "").replace("\t", "").isprintable()
    if not printable or len(formula) > LONGEST or _UNSAFE.search(source) or not _is_balanced(source):
        return None
    try:
        root = convert_to_element(_ENVIRONMENT.sub(_rename, source))
    except _ERRORS:
        return None
    shown = unescape("".join(root.itertext()))
    if "\\" in shown or shown.count("&") > source.replace("\\\\", "").count("\\&") or not _keeps_signs(source, shown):
        return None
    body = _serialize(root)
    block = ' display="block"' if formula[:2] in ("$$", "\\[") else ""
    return body and f'<math{block} title="{escape(formula)}">{body}</math>'


def _rename(match: re.Match[str]) -> str:
    name = match.group()
    return _KNOWN_AS.get(name, f"{name}*")


def _is_balanced(source: str) -> bool:
    """Whether all that opens is closed, at no depth beyond the converter's reach."""
    depth = 0
    for word in _NESTING.findall(source):
        depth += (word in _IN) - (word in _OUT)
        if not 0 <= depth <= _DEEPEST:
            return False
    return depth == 0


def _keeps_signs(source: str, shown: str) -> bool:
    """Whether letters, digits and plain signs of the source are all shown, and no others but names of commands."""
    commands = "".join(_COMMAND.findall(source))
    wanted = Counter(filter(_is_compared, _COMMAND.sub(" ", _ARRAY.sub(" ", source))))
    found = Counter(filter(_is_compared, normalize("NFKC", shown)))
    spare = Counter(commands)
    return wanted <= found and all(
        character.isdigit() is False and (spare[character] or not character.isascii() or character in _COMPARED)
        for character in found - wanted
    )


def _is_compared(character: str) -> bool:
    return character.isalnum() or character in _COMPARED


def _serialize(root: Element) -> str | None:
    """An element without its outermost tags ``math`` and ``mrow``; None if an element is not on the list."""
    parts: list[str] = []
    for child in root[0] if len(root) == 1 and root[0].tag == "mrow" else root:
        if not _write(child, parts):
            return None
    return "".join(parts)


def _write(element: Element, parts: list[str]) -> bool:
    """Appends an element to the parts; returns whether it and all within are on the lists."""
    tag = element.tag
    boxed = tag == "menclose" and element.get("notation") == "box"  # no browser but Firefox draws it
    if not (boxed or _ELEMENT.fullmatch(tag)) or element.get("mathcolor") or element.get("href"):
        return False
    if tag in ("msqrt", "mroot"):
        return _write_root(element, parts)
    tag, mark = ("mrow", ' class="gm-boxed"') if boxed else (tag, "")
    for look in (element.get("columnalign"), element.get("mathvariant")):
        if look in ("left", "right", "bold"):
            mark = f' class="gm-{look}"'
    kept = "".join(
        f' {name}="{value}"'
        for name, value in sorted(element.attrib.items())
        if _ATTRIBUTE.fullmatch(name) and _VALUE.fullmatch(value)
    )
    parts.append(f"<{tag}{mark}{kept}>{escape(_INVISIBLE.sub('', unescape(element.text or '')))}")
    written = all(_write(child, parts) for child in element)
    parts.append(f"</{tag}>{escape(element.tail or '')}")
    return written


def _write_root(element: Element, parts: list[str]) -> bool:
    """Writes a root as a sign and a line above: without a font for mathematics, browsers draw no sign of their own."""
    radicand, *index = element if element.tag == "mroot" else [element]
    written = True
    parts.append("<mrow>")
    if index:
        parts.append("<msup><mspace></mspace>")
        written = _write(index[0], parts)
        parts.append("</msup>")
    parts.append('<mo stretchy="false">√</mo><mrow class="gm-radicand">')
    written = written and all(_write(child, parts) for child in ([radicand] if index else radicand))
    parts.append("</mrow></mrow>")
    return written
