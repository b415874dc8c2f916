"""The extractors of main text: trafilatura, resiliparse in three ways, and rs-trafilatura where it is installed."""

import logging

import trafilatura
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

NAVIGATION = (
    *("script", "style", "nav", "footer", "aside", "dialog", "body > header", "body > * > header"),
    *(f"[role={role}]" for role in ("banner", "complementary", "contentinfo", "dialog", "navigation", "search")),
    *(f"[class*={name}]" for name in ("breadcrumb", "cookie", "menu", "modal", "related")),
    *("[id*=cookie]", "[class*=sr-only]", "[class*=screen-reader]", "[class*=visually-hidden]"),
)
"""CSS selectors of what surrounds the content of a page of any kind: ARIA's landmarks by their elements or roles, and
menus, notices, links to other pages and texts for screen readers by the names that most sites give them."""

logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # its messages on single pages are in their rows


def by_trafilatura(page: str) -> str:
    """The text that trafilatura finds in its fast mode, with tables and without comments; it is made for articles."""
    return trafilatura.extract(page, fast=True, include_comments=False, include_tables=True) or ""


def by_resiliparse(page: str | HTMLTree) -> str:
    """The text that resiliparse finds by its rules for main content, with comments."""
    return extract_plain_text(page, main_content=True, preserve_formatting=True, list_bullets=False, alt_texts=False)


def main_content(tree: HTMLTree, *, comments: bool) -> str:
    """The text that resiliparse finds by its rules for main content, without navigation."""
    return extract_plain_text(
        tree,
        main_content=True,
        comments=comments,
        preserve_formatting=True,
        list_bullets=False,
        alt_texts=False,
        skip_elements=list(NAVIGATION),
    )


def without_navigation(tree: HTMLTree) -> str:
    """The whole text of the page without navigation: the content of pages whose content is lists, tables or links."""
    return extract_plain_text(
        tree, preserve_formatting=True, list_bullets=False, alt_texts=False, skip_elements=list(NAVIGATION)
    )
