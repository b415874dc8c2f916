"""How long 100,000 comparisons with three votes each take, on one core: ``python -m tests.benchmarks.comparisons``."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from annotation.dataset import build
from annotation.dataset.prompts import prompt_texts
from annotation.judgments.resolve import resolve
from annotation.quality import assess
from curation.dedup.near import families
from tests.annotation.written import drawn

COUNT = 100_000
RESPONSE_WORDS = 200

Row = tuple[str, str, str]


def bars() -> Iterator[Row]:
    """Medians of three runs, in seconds of wall clock; a campaign drawn from a seed, its journal not read."""
    made = drawn(COUNT, response_words=RESPONSE_WORDS)
    texts = prompt_texts(drawn(2 * COUNT, response_words=1).pairs["prompt"].combine_chunks())
    yield "resolve 100,000 pairs", _taken(lambda _: resolve(made)), ""
    yield "assess their votes", _taken(lambda _: assess(made)), ""
    yield f"families of {len(texts.unique()):,} prompts", _taken(lambda _: families(texts.unique())), "2.5 s"
    yield "a dataset of 100,000 comparisons", _taken(lambda folder: build([made], folder, families)), "10 s"


def _taken(work: Callable[[Path], object]) -> str:
    seconds = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            work(Path(folder) / "out")
            seconds.append(time.monotonic() - started)
    return f"{sorted(seconds)[1]:.2f} s"


def main() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    table = Table("work", "measured", "asked", title="Comparisons", title_justify="left")
    for row in bars():
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
