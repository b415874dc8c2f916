"""Main text out of pages: as good as published, and no page can hurt."""

import gzip
from contextlib import suppress
from pathlib import Path
from statistics import mean
from typing import get_args

import orjson
import pytest

from curation.sources.chunks import Extractor, RecordError
from curation.sources.html import _refuse_bombs, main_text, title
from tests.curation.sources.made import page
from tests.curation.sources.true_texts import articles, shingles
from tests.doubling import assert_linear

MIN_F1 = 0.94


def _precision_and_recall(true: str, found: str) -> tuple[float | None, float | None]:
    """Of one page; None where there is nothing to divide by."""
    expected, given = shingles(true), shingles(found)
    common = (expected & given).total()
    return common / given.total() if given else None, common / expected.total() if expected else None


def article_extraction_f1(pairs: list[tuple[str, str]]) -> float:
    """The metric of scrapinghub/article-extraction-benchmark: precision and recall averaged over pages, then F1."""
    scores = [_precision_and_recall(true, found) for true, found in pairs]
    precision = mean(score for score, _ in scores if score is not None)
    recall = mean(score for _, score in scores if score is not None)
    return 2 * precision * recall / (precision + recall)


def test_the_metric_on_hand_made_pages() -> None:
    assert article_extraction_f1([("a b c d e", "a b c d e")]) == 1
    assert article_extraction_f1([("a b c d e", "x a b c d")]) == pytest.approx(0.5)
    assert article_extraction_f1([("a b c d", "a b c d"), ("a b c d", "v w x y")]) == pytest.approx(0.5)
    assert article_extraction_f1([("a b c d e f g", "a b c d")]) == pytest.approx(2 * 0.25 / 1.25)


def test_extraction_is_as_good_as_published(shared: Path) -> None:
    pages = articles(shared)
    pairs = [(one.text, main_text(one.html, "trafilatura").text) for one in pages]
    assert len(pairs) == 60
    assert article_extraction_f1(pairs) >= MIN_F1
    pooled = sum((shingles(true) & shingles(found)).total() for true, found in pairs)
    sizes = sum(shingles(true).total() + shingles(found).total() for true, found in pairs)
    assert 2 * pooled / sizes >= MIN_F1


def test_titles() -> None:
    assert title("<html><TITLE lang=en>\n A &amp; B\n</TITLE>") == "A & B"
    assert title("<p>no title</p>") is None
    assert title("<title></title>") is None
    assert len(title(f"<title>{'x' * 1500}</title>") or "") == 300


DEEP = 100_000
BOMBS = {
    "div": "<div>" * DEEP + "text" + "</div>" * DEEP,
    "open div": "<div>" * DEEP,
    "bold": "<p>" + "<b>x " * DEEP,
    "table": "<table><tr><td>" * DEEP,
    "list": "<ul><li>" * DEEP,
    "attributes": "<p " + " ".join(f"a{n}=1" for n in range(DEEP)) + ">text</p>",
    "attributes without values": "<p " + " ".join(f"a{n}" for n in range(DEEP)) + ">text</p>",
    "attributes behind a quoted bracket": '<p a=">" ' + " ".join(f"a{n}" for n in range(DEEP)) + ">text</p>",
    "attributes that look quoted": '<p =" ' + " ".join(f"a{n}" for n in range(DEEP)) + '">text</p>',
    "attributes behind a stray quote": "<p a'b=x' " + " ".join(f"a{n}" for n in range(DEEP)) + "'>text</p>",
    "many tags of many attributes": ("<p " + " ".join(f"a{n}" for n in range(9000)) + ">text</p>") * 30,
    "a wide row": "<table><tr>" + "<td>c</td>" * DEEP,
    "elements of any name": "<x>" * DEEP,
    "a name for each element": "".join(f"<x{n}>a</x{n}>" for n in range(DEEP)),
    "end tags without a start": "<path>" * DEEP + "</y>" * DEEP,
    "tags": "<p>x" * 600_000,
    "entities": "<p>" + "&amp;" * DEEP,
    "one long word": "<p>" + "x" * 5_000_000,
    "NUL and lone surrogates": "<p>\0a\x0bb</p>" * 1000,
    "comments": "<!--" * DEEP,
    "cdata": "<![CDATA[" * DEEP,
    "scripts": "<script>" * 10_000,
    "unclosed quote": '<a href="' + "x" * 1_000_000,
    "angles": "<" * 400_000,
}


@pytest.mark.parametrize("extractor", get_args(Extractor))
@pytest.mark.parametrize("name", BOMBS)
def test_no_page_can_hurt(name: str, extractor: Extractor) -> None:
    """A text or a refusal, soon, and the next page is read as ever."""
    with suppress(RecordError):
        main_text(BOMBS[name], extractor)
    assert "The miller sings." in main_text(page("The miller sings.").decode(), extractor).text


HARMLESS = ("entities", "one long word", "NUL and lone surrogates", "comments", "cdata", "unclosed quote", "scripts")


@pytest.mark.parametrize("name", [name for name in BOMBS if name not in HARMLESS])
def test_what_would_take_long_is_refused(name: str) -> None:
    with pytest.raises(RecordError) as refused:
        main_text(BOMBS[name], "trafilatura")
    assert refused.value.error == "too_complex"


@pytest.mark.parametrize(
    "piece",
    ["<a ", '<a "', "<a b='", "<a =", '<a b=" ', "<a b= ", "<p/", "<p a", "<", "</x>", "<x/>", "<td>", "= ", "<title>"],
)
def test_looking_for_bombs_takes_as_long_as_the_page_is(piece: str) -> None:
    def look(page: str) -> None:
        title(page)
        with suppress(RecordError):
            _refuse_bombs(page)

    assert_linear(look, lambda size: "<a " + piece * size, 20_000)


def test_real_pages_stay_far_from_the_limits(shared: Path) -> None:
    for name in ("articles_60", "typed_pages"):
        with gzip.open(shared / "data" / "pages" / f"{name}.jsonl.gz") as file:
            for line in file:
                page = orjson.loads(line)["html"]
                _refuse_bombs(page * 2)


def test_a_giant_page_is_refused() -> None:
    with pytest.raises(RecordError, match="characters, more than"):
        main_text("x" * (17 << 20), "trafilatura")
