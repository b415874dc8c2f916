"""What a page declares to be: an article or a thread of a forum, by schema.org, OpenGraph or its forum's software."""

import re
from collections import Counter
from typing import Literal

Declared = Literal["article", "forum"]

_JSON_LD = re.compile(r'"@type"\s{0,9}:\s{0,9}(?:\[\s{0,9})?"(?:https?://schema\.org/)?([A-Za-z]{1,40})')
_MICRODATA = re.compile(r"itemtype=[\"']?https?://schema\.org/([A-Za-z]{1,40})")
_META = re.compile(r"<meta\s[^>]{0,500}>", re.IGNORECASE)
_ARTICLE = re.compile(r"content=[\"']?article\b", re.IGNORECASE)
_GENERATOR = re.compile(r"content=[\"']?(?:vBulletin|phpBB|XenForo|MyBB|Discourse|Flarum|NodeBB)", re.IGNORECASE)
_ROOT = re.compile(r"<(?:html|body)\s[^>]{0,2000}>", re.IGNORECASE)
_FORUM = re.compile(r"(?:id|class)=[\"']?[^\"'>]{0,500}?\b(?:XF|XenForo|phpbb|ipsApp|vbulletin|mybb)\b", re.IGNORECASE)
_THREADS = ("DiscussionForumPosting", "QAPage")
_PAGES = ("WebPage", "ItemPage", "CollectionPage", "ProfilePage", "AboutPage", "ContactPage", "WebSite", "Product")
_BLOG_POST = "BlogPosting"

MAX_ARTICLES = 2
"""A page that declares more articles lists them."""

HEAD = 1 << 18
"""Metadata and the start tag of the body are looked for in so many characters."""

MIN_COMMENTS = 5
"""A page that declares so many comments, and no article that they are on, is a thread."""


def declared(page: str) -> Declared | None:
    """What the page declares to be; None if it declares neither, or something else.

    schema.org's types (JSON-LD or microdata) come first. og:type only decides where they name no kind of page, because
    publishing software writes og:type = article on pages of any kind.
    """
    types = Counter(_JSON_LD.findall(page)) + Counter(_MICRODATA.findall(page))
    articles = sum(count for name, count in types.items() if name.endswith("Article") or name == _BLOG_POST)
    if any(name in types for name in _THREADS):
        return "forum"
    if 0 < articles <= MAX_ARTICLES:
        return "article"
    metas = _META.findall(page, 0, HEAD)
    if types["Comment"] >= MIN_COMMENTS or _is_forum_software(page, metas):
        return "forum"
    if not articles and not any(name in types for name in _PAGES) and _is_opengraph_article(metas):
        return "article"
    return None


def _is_forum_software(page: str, metas: list[str]) -> bool:
    roots = _ROOT.findall(page, 0, HEAD)
    return any(_FORUM.search(root) for root in roots) or any(
        "generator" in meta and _GENERATOR.search(meta) for meta in metas
    )


def _is_opengraph_article(metas: list[str]) -> bool:
    return any("og:type" in meta and _ARTICLE.search(meta) for meta in metas)
