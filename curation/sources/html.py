"""The main text and the title of HTML pages, and limits on pages that no parser should read."""

import html
import math
import re
from collections import Counter

from lxml import etree
from resiliparse.parse.html import HTMLTree

from curation.rights.pages import Fields, stated_rights
from curation.sources.chunks import Extractor, RecordError
from curation.sources.extraction import Extraction, choose
from curation.sources.extractors import by_resiliparse, by_trafilatura

MAX_HTML_BYTES = 16 << 20
"""Longer pages are not parsed. The largest pages written by people have about 10 MB."""

MAX_TAGS = 300_000
MAX_DEPTH = 5_000
MAX_NAMES = 5_000
MAX_CELLS = 10_000
MAX_ATTRIBUTES = 20_000
MAX_LOOKED_AT = 1_000_000_000
"""Limits beyond which parsers take minutes; real pages stay orders of magnitude below.

The limits are for: tags of a page, nested elements, names of elements, cells of a table row, attributes of a tag (for
several tags: the root of the sum of their squares), and open elements that a parser visits for end tags without a start
tag.
"""

_MANY_ATTRIBUTES = 1_000
_ATTRIBUTE = re.compile(
    r"[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'>][^\s>]*+)?+)?+",
)
_TAG_ATTRIBUTES = re.compile(rf"<[a-zA-Z][^\s/>]*+((?:[\s/]++|{_ATTRIBUTE.pattern})*+)")
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]{0,40})")
_NOT_NESTED = {
    "area", "base", "basefont", "br", "col", "embed", "frame", "hr", "image", "img", "input", "keygen", "link",
    "meta", "param", "source", "track", "wbr", "html", "head", "body", "p", "li", "dt", "dd", "option",
    "optgroup", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "rt", "rp",
}  # fmt: skip
"""Elements without content, or that end where the next element of their kind begins."""

_LEAVES = {"circle", "ellipse", "line", "path", "polygon", "polyline", "rect", "stop", "use"}
"""Elements of drawings, which end with their start tag (but not outside a drawing)."""

_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,2000})</title", re.IGNORECASE)


def title(page: str) -> str | None:
    """The page's title with its white space collapsed; at most 300 characters."""
    found = _TITLE.search(page, 0, 1 << 18)
    words = " ".join(html.unescape(found[1]).split()) if found else ""
    return words[:300].encode("utf-8", "replace").decode() or None


def main_text(page: str, extractor: Extractor) -> Extraction:
    """The text of the page's main content, one paragraph per line, and how it was chosen.

    Raises RecordError for a page that no parser should read, or on which the parser fails.
    """
    _refuse_bombs(page)
    try:
        match extractor:
            case "auto":
                return choose(page)
            case "trafilatura":
                return Extraction(by_trafilatura(page))
            case "resiliparse":
                tree = HTMLTree.parse(page)
                return Extraction(by_resiliparse(tree), tree=tree)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, etree.LxmlError) as error:
        raise RecordError("extraction_failed", f"{extractor}: {type(error).__name__}: {error}") from error


def rights(page: str | HTMLTree | None, header: Fields | None = None, cut: bool = False) -> dict[str, object]:
    """The field ``rights`` of the metadata of a page that `main_text` read, or of its tree. Raises RecordError for a
    page with far too many meta elements."""
    try:
        return {"rights": stated_rights(page, header, cut)}
    except ValueError as error:
        raise RecordError("too_complex", str(error)) from error


def _refuse_bombs(page: str) -> None:
    """Raises RecordError for pages made to exhaust parsers: too long, too deep, too many tags or attributes."""
    if len(page) > MAX_HTML_BYTES:
        raise RecordError("too_large", f"a page of {len(page)} characters, more than {MAX_HTML_BYTES}")
    tags = page.count("<")
    if tags > MAX_TAGS:
        raise RecordError("too_complex", f"a page with {tags} tags, more than {MAX_TAGS}")
    if len(page) > 2 * MAX_ATTRIBUTES and _attributes(page) > MAX_ATTRIBUTES:
        raise RecordError("too_complex", f"a tag, or several, with more than {MAX_ATTRIBUTES} attributes")
    ends = page.count("</")
    if tags - ends > MAX_DEPTH or (tags - ends) * ends > MAX_LOOKED_AT:
        _refuse_deep_pages(page)


def _attributes(page: str) -> float:
    """The number of attributes of the largest tag; for several large tags, the root of the sum of their squares."""
    written = _TAG_ATTRIBUTES.findall(page)
    if max(map(len, written), default=0) <= 2 * _MANY_ATTRIBUTES:
        return 0
    counts = (sum(1 for _ in _ATTRIBUTE.finditer(tag)) for tag in written if len(tag) > 2 * _MANY_ATTRIBUTES)
    squares = sum(count * count for count in counts if count > _MANY_ATTRIBUTES)
    return math.sqrt(squares)


def _refuse_deep_pages(page: str) -> None:
    """Raises RecordError for deeply nested elements, a very wide row, or many end tags without a start tag."""
    depth = deepest = leaves = cells = strays = 0
    opened: Counter[str] = Counter()
    for tag in _TAG.finditer(page):
        name = tag[2].lower()
        if name in _NOT_NESTED:
            cells = 0 if name == "tr" else cells + (name in ("td", "th") and not tag[1])
            if cells > MAX_CELLS:
                raise RecordError("too_complex", f"a table's row with more than {MAX_CELLS} cells")
        elif not tag[1]:
            opened[name] += 1
            leaves += name in _LEAVES
            depth += name not in _LEAVES
            deepest = max(deepest, depth)
            if len(opened) > MAX_NAMES:
                raise RecordError("too_complex", f"elements of more than {MAX_NAMES} names")
            if depth > MAX_DEPTH:
                raise RecordError("too_complex", f"tags nested more than {MAX_DEPTH} deep")
        elif opened[name]:
            opened[name] -= 1
            depth -= name not in _LEAVES
        else:
            strays += 1
            if strays * (deepest + leaves) > MAX_LOOKED_AT:
                raise RecordError("too_complex", f"{strays} end tags without a start, inside {deepest + leaves} others")
