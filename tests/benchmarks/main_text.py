"""How much of pages' true texts each extractor finds, and its CPU time against trafilatura's.

    python -m tests.benchmarks.main_text

The extractors take turns on each page. The pages lie in ../shared.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from statistics import mean
from typing import get_args

from rich.console import Console
from rich.table import Table

from curation.sources.chunks import Extractor
from curation.sources.html import main_text
from tests.benchmarks.corpora import SHARED
from tests.curation.sources.true_texts import ARTICLES, articles, mean_f1, typed_pages

EXTRACTORS: tuple[Extractor, ...] = get_args(Extractor)
Scores = dict[Extractor, dict[str, float]]


def measured() -> tuple[Scores, dict[Extractor, float]]:
    """The mean F1 of each extractor by kind of page, and its CPU seconds for all pages."""
    pages = [*typed_pages(SHARED), *articles(SHARED)]
    texts, seconds = defaultdict[Extractor, list[str]](list), dict.fromkeys(EXTRACTORS, 0.0)
    for extractor in EXTRACTORS:
        main_text(pages[0].html, extractor)
    for page in pages:
        for extractor in EXTRACTORS:
            started = time.process_time()
            texts[extractor].append(main_text(page.html, extractor).text)
            seconds[extractor] += time.process_time() - started
    return {extractor: mean_f1(pages, texts[extractor]) for extractor in EXTRACTORS}, seconds


def typed(scores: dict[str, float]) -> float:
    """The mean over the seven kinds of typed pages."""
    return mean(score for kind, score in scores.items() if kind != ARTICLES)


def bars() -> Iterator[tuple[str, str, str]]:
    scores, seconds = measured()
    yield "main text, F1 on pages of seven kinds", f"{typed(scores['auto']):.3f}", "0.75"
    yield "main text, F1 on articles", f"{scores['auto'][ARTICLES]:.3f}", "0.95"
    times = seconds["auto"] / seconds["trafilatura"]
    yield "main text, CPU against trafilatura's", f"{times:.2f} times", "1.3 times"


def main() -> None:
    scores, seconds = measured()
    kinds = list(scores["auto"])
    table = Table("extractor", *kinds, "mean of seven", "CPU", title="F1 of word 4-grams", title_justify="left")
    for extractor in EXTRACTORS:
        by_kind = [f"{scores[extractor][kind]:.3f}" for kind in kinds]
        times = f"{seconds[extractor] / seconds['trafilatura']:.2f}"
        table.add_row(extractor, *by_kind, f"{typed(scores[extractor]):.3f}", times)
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
