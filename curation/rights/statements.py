"""Finds the statements of a page about its own licence, among all links to licences in it.

Most links to licences state nothing about the page: they license a picture, or the text is about the licence. For this
reason BramVanroy/CommonCrawl-CreativeCommons (huggingface.co/datasets) keeps the place of each link, and trusts links
in the text least. Statements are:

- ``link``: ``rel="license"``, by which the main content is covered (HTML Standard, section 4.6.7, "license")
- ``footer``: a link to Creative Commons in a footer, or in an element that is named after licences or copyright
- ``json_ld``, ``microdata``: schema.org's property ``license`` of the page or its main work, not of a picture in it
- ``meta``: a meta element for licences, such as Dublin Core's

Links in quotations, figures and captions are not statements, and neither is a link beside words such as "photo", unless
words such as "text" or "site" stand there too.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from resiliparse.parse.html import ElementNode, HTMLTree

from curation.rights.elements import MAX_ELEMENTS, elements
from curation.rights.licences import OTHER, licence_at, stated_licence

MAX_ANCESTORS = 200
"""Ancestors of a link that are looked at."""
NEAR = 3
"""The ancestors of a link, from its parent outwards, whose names may say that the link is about a picture. Names
further out describe the whole page."""
MAX_PARAGRAPH = 300
"""Characters of a paragraph that is read for words beside its link; a longer paragraph is not about the link alone."""
MAX_WORKS = 1_000
"""Works of a script in JSON-LD; a script with more works is not read to its end."""
MAX_ADDRESS = 2_000
"""Characters of the longest address that is kept."""

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
        if self.address is not None and len(self.address) <= MAX_ADDRESS:
            found["address"] = self.address
        return found


def licences_of_tree(tree: HTMLTree) -> list[Statement]:
    """The statements of a page about its licence: those of meta elements, of JSON-LD and of links, each in the order of
    the page. Links count only if there are at most MAX_ELEMENTS: a page with more links to licences lists other
    works."""
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
        if node.tag == "link" or not _is_about_a_part(node):
            yield Statement(licence or OTHER, "link", address)
    elif "license" in (node.getattr("itemprop") or "").lower().split():
        if not _is_about_a_part(node):
            yield Statement(licence or stated_licence(address) or OTHER, "microdata", _address(address))
    elif licence is not None and _is_in_footer(node) and not _is_about_a_part(node):
        yield Statement(licence, "footer", address)


def _ancestors(node: ElementNode) -> Iterator[ElementNode]:
    """The ancestors of a node inside the body, from its parent outwards, at most MAX_ANCESTORS."""
    ancestor = node.parent_element
    for _ in range(MAX_ANCESTORS):
        if ancestor is None or ancestor.tag in ("body", "html"):
            return
        yield ancestor
        ancestor = ancestor.parent_element


def _id_and_class(node: ElementNode) -> str:
    return f"{node.getattr('id') or ''} {node.getattr('class') or ''}"[:500]


def _is_in_footer(node: ElementNode) -> bool:
    return any(
        each.tag == "footer" or each.getattr("role") == "contentinfo" or _FOOTER.search(_id_and_class(each))
        for each in _ancestors(node)
    )


def _is_about_a_part(node: ElementNode) -> bool:
    """Whether a statement is about a part of the page, such as a picture or a comment, by its ancestors and the words
    beside it."""
    paragraph = None
    for depth, each in enumerate(_ancestors(node)):
        names = _id_and_class(each)
        if each.tag in _APART or _COMMENTS.search(names) or (depth < NEAR and _PICTURE.search(names)):
            return True
        if _MEDIA.search((each.getattr("itemtype") or "")[:500]):
            return True
        if paragraph is None and each.tag in _PARAGRAPH:
            paragraph = each
    beside = _short_text(paragraph) if paragraph is not None else ""
    return _SOME.search(beside) is not None or (_PART.search(beside) is not None and not _WHOLE.search(beside))


def _short_text(node: ElementNode) -> str:
    """The text of a node; empty if it has more than MAX_PARAGRAPH characters or nodes."""
    text = ""
    for count, each in enumerate(node):
        text += f" {each.text or ''}" if each.tag == "#text" else ""
        if len(text) > MAX_PARAGRAPH or count > MAX_PARAGRAPH:
            return ""
    return text


def _of_json_ld(script: str) -> Iterator[Statement]:
    """The licences of the works that a script in JSON-LD describes: at its top level, in its graph, and as main entity
    of such a work. Reading stops once there are more than MAX_WORKS works."""
    try:
        works: list[Any] = [orjson.loads(script)]
    except orjson.JSONDecodeError:
        return
    for work in works:  # the works that a work contains are appended on the way
        if len(works) > MAX_WORKS:
            return
        if isinstance(work, list):
            works += work
        elif isinstance(work, dict):
            works += [work[name] for name in ("@graph", "mainEntity", "mainEntityOfPage") if name in work]
            if not _MEDIA.search(str(work.get("@type", ""))[:500]):
                yield from _of_property(work.get("license"))


def _of_property(value: object) -> Iterator[Statement]:
    """The licences of a property ``license``: an address, a node with an address, or a list of them."""
    for each in value[:MAX_ELEMENTS] if isinstance(value, list) else [value]:
        text = (each.get("@id") or each.get("url")) if isinstance(each, dict) else each
        licence = stated_licence(text) if isinstance(text, str) else None
        if isinstance(text, str) and licence is not None:
            yield Statement(licence, "json_ld", _address(text))
