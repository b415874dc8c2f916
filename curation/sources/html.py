"""HTML into the text of the page's main content."""

import html
import logging
import re
from typing import Literal

import trafilatura
from lxml import etree
from resiliparse.extract.html2text import extract_plain_text

MAX_HTML_BYTES = 16 << 20
"""A longer page is not parsed. The largest pages that people wrote have some 10 MB."""

MAX_TAGS = 500_000
MAX_DEPTH = 5_000
MAX_ATTRIBUTES = 5_000
"""Limits beyond which parsers take minutes; pages stay orders of magnitude below."""

_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{65536,}")
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{0,2000})</title", re.IGNORECASE)
_NESTING = re.compile(r"<(/?)(?:div|span|table|ul|ol|b|i|font|section|blockquote|dl|a)\b", re.IGNORECASE)

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # what it says of single pages is in their rows

Extractor = Literal["trafilatura", "resiliparse"]


class ExtractionError(ValueError):
    """A page from which no text can be taken; ``error`` is one word."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error


def title(page: str) -> str | None:
    """The page's title with its white space collapsed; at most 300 characters."""
    found = _TITLE.search(page, 0, 1 << 18)
    words = " ".join(html.unescape(found[1]).split()) if found else ""
    return words[:300].encode("utf-8", "replace").decode() or None


def main_text(page: str, extractor: Extractor) -> str:
    """The text of the page's main content, paragraphs on lines of their own; empty where none is found.

    Raises ExtractionError for a page that no parser should be given, or that the parser gives up.
    """
    _refuse_bombs(page)
    try:
        if extractor == "resiliparse":
            return extract_plain_text(
                page, main_content=True, preserve_formatting=True, list_bullets=False, alt_texts=False
            )
        return trafilatura.extract(page, fast=True, include_comments=False, include_tables=True) or ""
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, etree.LxmlError) as error:
        raise ExtractionError("extraction_failed", f"{extractor}: {type(error).__name__}: {error}") from error


def _refuse_bombs(page: str) -> None:
    """Raises ExtractionError for pages made to exhaust parsers: too long, too deep, too many tags or attributes."""
    if len(page) > MAX_HTML_BYTES:
        raise ExtractionError("too_large", f"a page of {len(page)} characters, more than {MAX_HTML_BYTES}")
    tags = page.count("<")
    if tags > MAX_TAGS:
        raise ExtractionError("too_complex", f"a page with {tags} tags, more than {MAX_TAGS}")
    for found in _LONG_TAG.finditer(page):
        if found[0].count("=") > MAX_ATTRIBUTES:
            raise ExtractionError("too_complex", f"a tag with more than {MAX_ATTRIBUTES} attributes")
    if tags > MAX_DEPTH and _depth(page) > MAX_DEPTH:
        raise ExtractionError("too_complex", f"tags nested more than {MAX_DEPTH} deep")


def _depth(page: str) -> int:
    """How deep the tags that are always closed are nested, at most."""
    depth = deepest = 0
    for found in _NESTING.finditer(page):
        depth = max(0, depth - 1) if found[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest
