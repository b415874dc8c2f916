"""Tells the licence of a page from links to licences in it.

A link to a licence is not a statement about the page: it may license a picture, or be what the text is about. The
annotations of Common Crawl by licence (huggingface.co/datasets/BramVanroy/CommonCrawl-CreativeCommons) keep the place
of each link for this reason and trust links in the text least. Statements are:

- ``link``: ``rel="license"``, by which the main content is covered (HTML Standard, section 4.6.7, "license")
- ``footer``: a link to Creative Commons in a footer, or in an element that is named after licences or copyright
- ``json_ld``, ``microdata``: schema.org's property ``license`` of the page or its main work, not of a picture in it
- ``meta``: a meta element for licences, such as Dublin Core's

Links in quotations, figures and captions state nothing of the page, and neither does a link beside words such as
"photo", unless words such as "text" or "site" stand there too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from resiliparse.parse.html import ElementNode, HTMLTree

from curation.rights.elements import MOST, elements
from curation.rights.licences import OTHER, licence_at, stated_licence

MOST_DEEP = 200
"""Elements around a link that are looked at."""
NEAR = 3
"""Elements around a link whose names say that it is about a picture. Further out, names describe the whole page."""
BESIDE = 300
"""Characters of the paragraph around a link that are read; a longer paragraph is not about the link alone."""
MOST_WORKS = 1_000
"""Works that a page may describe in JSON-LD."""
MOST_ADDRESS = 2_000
"""Characters of an address that is kept."""

_LINKS = (
    'a[href*="creativecommons.org" i], a[rel~="license" i], area[rel~="license" i], link[rel~="license" i], '
    '[itemprop~="license" i]'
)
_JSON_LD = 'script[type*="ld+json" i]'
_METAS = (
    *("license", "licence", "rights", "copyright", "citation_license", "og:license", "cc:license", "dc.license"),
    *("dc.rights", "dc.rights.license", "dcterms.license", "dcterms.rights", "dc:rights", "dcterms:license"),
)
_META = ", ".join(f'meta[{attribute}*="{part}" i]' for attribute in ("name", "property") for part in ("licen", "right"))
_FOOTER = re.compile(
    r"footer|copyright|copyleft|licen[cs]|colophon|creative-?commons|(?<![a-z])(?:foot|legal|cc)(?![a-z])",
    re.IGNORECASE,
)
_APART = ("figure", "figcaption", "blockquote", "q", "cite", "code", "pre", "textarea")
_PICTURE = re.compile(r"caption|credit|thumb|gallery|photo|image|picture|avatar", re.IGNORECASE)
_COMMENTS = re.compile(r"(?<![^\s])comments?(?:-?(?:list|body|content|text|area))?(?![^\s])", re.IGNORECASE)
_PARAGRAPH = ("p", "div", "li", "td", "dd", "section", "footer", "center")
_PART = re.compile(
    r"\b(?:photo(?:s|graphs?|graphy)?|images?|pictures?|icons?|illustrations?|fonts?|themes?|templates?|logos?|videos?"
    r"|music|design(?:ed)?)\b",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"\b(?:texts?|contents?|(?:web)?sites?|pages?|articles?|works?|wiki|blog|posts?)\b", re.IGNORECASE)
_SOME = re.compile(r"\bsome (?:contents?|materials?|texts?|works?|pages?|articles?)\b", re.IGNORECASE)
_MEDIA = re.compile(r"Image|Video|Audio|Media|Photo|3DModel|Music|Map|Logo|Dataset|Software", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """A licence that a page states, the place of the statement and the address of the licence, if it has one."""

    licence: str
    place: str
    address: str | None

    def to_json(self) -> dict[str, str]:
        found = {"licence": self.licence, "place": self.place}
        if self.address is not None and len(self.address) <= MOST_ADDRESS:
            found["address"] = self.address
        return found


def licences_of_tree(tree: HTMLTree) -> list[Statement]:
    """The statements of a page about its licence, by place and in the order of the page. A page with more than MOST
    links to licences lists other works: its links state nothing."""
    found = [each for meta in elements(tree, _META) or () for each in _of_meta(meta)]
    for script in elements(tree, _JSON_LD) or ():
        found += _of_json_ld(script.text or "")
    return found + [each for link in elements(tree, _LINKS) or () for each in _of_link(link)]


def _of_meta(meta: ElementNode) -> Iterator[Statement]:
    name = (meta.getattr("name") or meta.getattr("property") or "").strip().lower()
    content = meta.getattr("content") or ""
    licence = stated_licence(content) if name in _METAS else None
    if licence is None or (licence == OTHER and "licen" not in name):
        return  # an address in a field for rights is often that of their holder
    yield Statement(licence, "meta", _address(content))


def _address(text: str) -> str | None:
    text = text.strip()
    return text if "//" in text[:10] and " " not in text else None


def _of_link(node: ElementNode) -> Iterator[Statement]:
    """The statement of an element with an address, or with schema.org's property ``license``."""
    address = (node.getattr("href") or node.getattr("content") or "").strip()
    if not address:
        return
    licence = licence_at(address)
    if "license" in (node.getattr("rel") or "").lower().split():
        if node.tag == "link" or not _is_of_a_part(node):
            yield Statement(licence or OTHER, "link", address)
    elif "license" in (node.getattr("itemprop") or "").lower().split():
        if not _is_of_a_part(node):
            yield Statement(licence or stated_licence(address) or OTHER, "microdata", _address(address))
    elif licence is not None and _is_in_footer(node) and not _is_of_a_part(node):
        yield Statement(licence, "footer", address)


def _around(node: ElementNode) -> Iterator[ElementNode]:
    """The elements around a node inside the body, from the inside."""
    around = node.parent_element
    for _ in range(MOST_DEEP):
        if around is None or around.tag in ("body", "html"):
            return
        yield around
        around = around.parent_element


def _names(node: ElementNode) -> str:
    return f"{node.getattr('id') or ''} {node.getattr('class') or ''}"[:500]


def _is_in_footer(node: ElementNode) -> bool:
    return any(
        each.tag == "footer" or each.getattr("role") == "contentinfo" or _FOOTER.search(_names(each))
        for each in _around(node)
    )


def _is_of_a_part(node: ElementNode) -> bool:
    """Whether a statement is about a part of the page, such as a picture or a comment, by what is around it."""
    paragraph = None
    for depth, each in enumerate(_around(node)):
        names = _names(each)
        if each.tag in _APART or _COMMENTS.search(names) or (depth < NEAR and _PICTURE.search(names)):
            return True
        if _MEDIA.search((each.getattr("itemtype") or "")[:500]):
            return True
        if paragraph is None and each.tag in _PARAGRAPH:
            paragraph = each
    beside = _short_text(paragraph) if paragraph is not None else ""
    return _SOME.search(beside) is not None or (_PART.search(beside) is not None and not _WHOLE.search(beside))


def _short_text(node: ElementNode) -> str:
    """The text of a node with up to BESIDE characters and as many nodes; empty for a longer one."""
    text = ""
    for count, each in enumerate(node):
        text += f" {each.text or ''}" if each.tag == "#text" else ""
        if len(text) > BESIDE or count > BESIDE:
            return ""
    return text


def _of_json_ld(script: str) -> Iterator[Statement]:
    """The licences of the works that a script in JSON-LD describes: at its top, in its graph, and as main entity."""
    try:
        works: list[Any] = [orjson.loads(script)]
    except orjson.JSONDecodeError:
        return
    for work in works:  # grows
        if len(works) > MOST_WORKS:
            return
        if isinstance(work, list):
            works += work
        elif isinstance(work, dict):
            works += [work[name] for name in ("@graph", "mainEntity", "mainEntityOfPage") if name in work]
            if not _MEDIA.search(str(work.get("@type", ""))[:500]):
                yield from _of_value(work.get("license"))


def _of_value(value: object) -> Iterator[Statement]:
    """The licences of a property ``license``: an address, a node with one, or a list."""
    for each in value[:MOST] if isinstance(value, list) else [value]:
        text = (each.get("@id") or each.get("url")) if isinstance(each, dict) else each
        licence = stated_licence(text) if isinstance(text, str) else None
        if isinstance(text, str) and licence is not None:
            yield Statement(licence, "json_ld", _address(text))
