"""Pages with their true texts (of ../shared, where it is present), and how much of the truth an extractor finds."""

import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import orjson

from curation.sources.decoding import decode

ARTICLES = "article of 60"


@dataclass(frozen=True)
class Page:
    kind: str
    html: str
    text: str


def typed_pages(shared: Path) -> list[Page]:
    """210 pages, 30 of each of seven kinds."""
    rows = _rows(shared / "data" / "pages" / "typed_pages.jsonl.gz")
    return [Page(row["type"], _decoded(row["html"]), row["main_content"]) for row in rows]


def articles(shared: Path) -> list[Page]:
    """60 articles of news sites."""
    rows = _rows(shared / "data" / "pages" / "articles_60.jsonl.gz")
    return [Page(ARTICLES, _decoded(row["html"]), row["article_body"]) for row in rows]


def _rows(path: Path) -> list[Mapping[str, str]]:
    with gzip.open(path) as file:
        return [orjson.loads(line) for line in file]


def _decoded(page: str) -> str:
    return decode(page.encode(), None)[0]


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """Word 4-grams and how often they occur; all words of a text that has fewer."""
    words = re.findall(r"\w+", text)
    return Counter(filter(None, (tuple(words[n : n + 4]) for n in range(max(1, len(words) - 3)))))


def f1(true: str, found: str) -> float:
    """Of the word 4-grams of one page; 1 if both texts are empty."""
    expected, given = shingles(true), shingles(found)
    size = expected.total() + given.total()
    return 2 * (expected & given).total() / size if size else 1.0


def mean_f1(pages: Iterable[Page], texts: Iterable[str]) -> dict[str, float]:
    """The mean F1 of the pages of each kind."""
    scores = defaultdict(list)
    for page, text in zip(pages, texts, strict=True):
        scores[page.kind].append(f1(page.text, text))
    return {kind: mean(of_kind) for kind, of_kind in scores.items()}
