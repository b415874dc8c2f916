"""The bars of what-if and of the data card, on finished corpora."""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.corpora import GRISTMILL
from tests.benchmarks.process import measure, seconds

Row = tuple[str, str, str]
DOCUMENTS = 1_000_000
WORDS = ("the", "mill", "and", "river", "of", "bread", "have", "to", "be", "with", "that", "stone", "wheel")


def bars(finished: Path, work: Path) -> Iterator[Row]:
    """``finished`` is a corpus of documents that `card` measures."""
    text = json.loads((finished / "manifest.json").read_bytes())["ledger"]["kept_text_bytes"]
    rate = text / 1e6 / seconds([GRISTMILL, "card", finished])
    yield f"data card without a classifier, {text / 1e6:.0f} MB", f"{rate:.0f} MB/s", "40 MB/s"
    corpus = short_documents(work)
    asked: list[str | Path] = [GRISTMILL, "what-if", corpus, "--set", "gopher_quality.min_words=60"]
    yield f"what-if, {DOCUMENTS:,} documents", f"{seconds(asked):.1f} s", "3 s"
    yield f"what-if, memory, {DOCUMENTS:,} documents", f"{measure(asked).peak_bytes / 1e9:.2f} GB", "2 GB"


def short_documents(work: Path) -> Path:
    """A corpus of DOCUMENTS short texts of different lengths, judged by the recipe gopher."""
    out = work / "short"
    if not (out / "manifest.json").exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        source = work / "short.jsonl"
        with source.open("w") as lines:
            for number in range(DOCUMENTS):
                chosen = (WORDS[number * each % 13] for each in range(1, 20 + number % 60))
                lines.write(json.dumps({"text": f"{number} {' '.join(chosen)}."}) + "\n")
        off = ("near=false", "dedup.exact=false")
        measure([GRISTMILL, "curate", "--input", source, "--output", out, "--recipe", "gopher", *_sets(off)])
    return out


def _sets(changes: tuple[str, ...]) -> list[str]:
    return [part for change in changes for part in ("--set", change)]
