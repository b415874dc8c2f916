"""The extractor suits the page, and the document says which one was chosen and why."""

from pathlib import Path
from statistics import mean

import orjson
import pytest

from curation.sources.declared import Declared, declared
from curation.sources.extraction import agreement, choose, prose
from curation.sources.html import main_text
from curation.sources.reading import ReadingSettings
from tests.curation.sources.made import read_bytes, response
from tests.curation.sources.true_texts import ARTICLES, articles, mean_f1, typed_pages
from tests.doubling import assert_linear

PARAGRAPHS = [
    f"The {number} miller lets the water of the brook onto the wheel at dawn, before the first carts come up the lane "
    f"with rye and barley, and he listens to the stones for the sound of a grain that is not yet dry. So in {year}."
    for number, year in zip(["first", "second", "third", "fourth", "fifth"], range(1801, 1806), strict=True)
]
POSTS = [f"I dressed stone {n} and it grinds finer." for n in range(8)]
ARTICLE_LD = '<script type="application/ld+json">{"@context": "https://schema.org", "@type": "NewsArticle"}</script>'
THREAD_LD = '<script type="application/ld+json">{"@type":"DiscussionForumPosting"}</script>'
OPENGRAPH = '<meta property="og:type" content="article">'


def made(body: str, head: str = "") -> str:
    menu = "".join(f"<li><a href=/{n}>Menu entry {n}</a></li>" for n in range(20))
    return (
        f"<html><head><title>Mills</title>{head}</head><body><nav><ul>{menu}</ul></nav>"
        f"<div id=main>{body}</div><footer><p>Imprint of the mill and its rules</p></footer></body></html>"
    )


STORY = "".join(f"<p>{paragraph}</p>" for paragraph in PARAGRAPHS)
THREAD = "".join(f'<div class="post"><div class="comment"><p>{post}</p></div></div>' for post in POSTS)
CARDS = "".join(
    f"<div class=card><a href=/m{n}><h3>Mill number {n}</h3></a><span>{n} stones</span></div>" for n in range(30)
)


@pytest.mark.parametrize(
    ("page", "extractor", "reason", "wanted"),
    [
        (made(STORY, ARTICLE_LD), "trafilatura", "article", PARAGRAPHS),
        (made(STORY), "trafilatura", "prose", PARAGRAPHS),
        (made(THREAD, THREAD_LD), "resiliparse", "forum", POSTS),
        (made(CARDS), "without_navigation", None, [f"Mill number {n}" for n in range(30)]),
        (made(f"<p>{PARAGRAPHS[0]}</p>{CARDS}", ARTICLE_LD), None, None, PARAGRAPHS[:1]),
    ],
)
def test_a_page_keeps_its_content_and_loses_its_frame(
    page: str, extractor: str | None, reason: str | None, wanted: list[str]
) -> None:
    found = choose(page)
    for each in wanted:
        assert each in found.text
    assert "Menu entry" not in found.text
    assert "Imprint" not in found.text
    assert extractor in (found.extractor, None)
    assert reason in (found.extracted_as, None)
    assert found == choose(page)


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("", None),
        (ARTICLE_LD, "article"),
        (OPENGRAPH, "article"),
        ("<meta content='article' property='og:type'>", "article"),
        ('<meta property="og:type" content="website">', None),
        (THREAD_LD, "forum"),
        (ARTICLE_LD + THREAD_LD, "forum"),
        (ARTICLE_LD * 3, None),
        (OPENGRAPH + '<script>{"@type": "WebPage"}</script>', None),
        (OPENGRAPH + '<script>{"@type": ["WebPage", "FAQPage"]}</script>', None),
        ('<div itemscope itemtype="http://schema.org/BlogPosting">', "article"),
        ('<div itemscope itemtype="https://schema.org/QAPage">', "forum"),
        ('<b itemtype="http://schema.org/Comment">' * 4, None),
        ('<b itemtype="http://schema.org/Comment">' * 5, "forum"),
        (ARTICLE_LD + '<b itemtype="http://schema.org/Comment">' * 5, "article"),
        ('<meta name="generator" content="vBulletin 3.8.11">', "forum"),
        ('<body id="phpbb" class="nojs">', "forum"),
        ('<html id="XF" lang="en">', "forum"),
        ("<p>phpbb, vBulletin and XF are programs</p>", None),
    ],
)
def test_a_page_is_what_it_declares(head: str, kind: Declared | None) -> None:
    assert declared(f"<html><head>{head}</head><body></body></html>") == kind


@pytest.mark.parametrize("piece", ['"@type"', '"@type": [', "itemtype=", "<meta ", "<body ", "<html id=XF", "content="])
def test_looking_for_declarations_takes_as_long_as_the_page_is(piece: str) -> None:
    assert_linear(declared, lambda size: piece * size, 20_000)


def test_agreement_and_prose_are_shares() -> None:
    assert agreement("", "") == agreement("a", "") == agreement("a", "b") == 0
    assert agreement("a b", "b a") == 1
    assert agreement("a a b", "a") == agreement("a", "a a b") == 0.5
    assert prose("") == prose("a\nb\n") == 0
    assert prose("x" * 100 + "\n \n" + "y" * 50) == pytest.approx(2 / 3)


def test_a_document_says_how_its_text_was_found(tmp_path: Path) -> None:
    record = response("The miller sings.")
    [row] = read_bytes(record, tmp_path).documents
    assert orjson.loads(row["metadata"]).items() >= {"extractor": "trafilatura", "extracted_as": "prose"}.items()
    for extract in ("trafilatura", "resiliparse"):
        [row] = read_bytes(record, tmp_path, ReadingSettings(extract=extract)).documents
        assert not {"extractor", "extracted_as"} & orjson.loads(row["metadata"]).keys()


def test_articles_are_read_as_well_as_by_trafilatura(shared: Path) -> None:
    pages = articles(shared)
    assert mean_f1(pages, [main_text(page.html, "auto").text for page in pages])[ARTICLES] >= 0.95


@pytest.mark.soak
def test_pages_of_any_kind_are_read(shared: Path) -> None:
    """By the mean of the kinds at least 0.78 (measured: 0.807), and no kind worse than by trafilatura alone."""
    pages = typed_pages(shared)
    auto, alone = (
        mean_f1(pages, [main_text(page.html, extractor).text for page in pages])
        for extractor in ("auto", "trafilatura")
    )
    assert len(auto) == 7
    assert mean(auto.values()) >= 0.78
    assert all(score >= alone[kind] for kind, score in auto.items())
