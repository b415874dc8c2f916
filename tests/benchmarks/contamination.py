"""How fast benchmarks are searched for in a corpus: ``python -m tests.benchmarks.contamination``.

The samples are pieces of texts of the corpus's kind, and a few are planted. The time of a small corpus is taken off, so
that the speed is that of further text, without the index over the samples.
"""

import argparse
import gzip
import json
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from curation.packing.corpus import ParquetCorpus
from curation.packing.training import train_tokenizer
from tests.benchmarks.corpora import GRISTMILL, make_corpus
from tests.benchmarks.process import Measured, measure

MEGABYTES, SMALL = 300, 20
SAMPLES = 20_000
WORDS = 60
"""Of a sample."""
VOCABULARY = 32_000
SPEED, MEMORY = 20, 2
"""The targets: MB/s with two workers, and GB."""
ROWS = 2000
"""Documents of a row group; the first of them holds a sample."""


def texts_of(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)["text"]


def samples(folder: Path) -> list[str]:
    """Pieces of the texts of another corpus."""
    pieces = (
        " ".join(words[start : start + WORDS])
        for words in map(str.split, texts_of(folder))
        for start in range(0, len(words), WORDS)
    )
    return list(islice(pieces, SAMPLES))


def write_parquet(source: Path, file: Path, planted: list[str]) -> int:
    """Writes the documents, with samples planted in a few of them; returns the bytes of text."""
    size, texts = 0, texts_of(source)
    with pq.ParquetWriter(file, pa.schema([("text", pa.large_string())]), compression="zstd") as writer:
        for sample in planted:
            group = list(islice(texts, ROWS))
            if not group:
                break
            group[0] += f"\n{sample}"
            size += sum(len(text.encode()) for text in group)
            writer.write_table(pa.table({"text": pa.array(group, pa.large_string())}))
    return size


def search(work: Path, corpus: Path) -> Measured:
    words: list[str | Path] = [
        "--benchmark",
        work / "quiz.jsonl",
        "--tokenizer",
        work / "tokenizer.json",
        "--workers",
        "2",
    ]
    return measure([GRISTMILL, "contamination", corpus, *words, "--output", work / f"{corpus.stem}-out"])


def main() -> None:
    parser = argparse.ArgumentParser(description="The search for benchmarks in a corpus.")
    parser.add_argument("--megabytes", type=int, default=MEGABYTES)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        quiz = samples(make_corpus(work, SMALL, seed=2)[0])
        (work / "quiz.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in quiz))
        sizes = [
            write_parquet(make_corpus(work, megabytes)[0], work / f"{name}.parquet", quiz)
            for name, megabytes in (("small", SMALL), ("whole", asked.megabytes))
        ]
        small = ParquetCorpus(path=str(work / "small.parquet"))
        train_tokenizer([small], VOCABULARY, work / "tokenizer.json", sample=2000)
        less, more = (search(work, work / f"{name}.parquet") for name in ("small", "whole"))
    title = f"{sizes[1] / 1e6:.0f} MB, {len(quiz):,} samples, 2 workers"
    table = Table("", "measured", "asked", title=title, title_justify="left")
    table.add_row("all of it, the index included", f"{sizes[1] / 1e6 / more.seconds:.1f} MB/s", "")
    further = (sizes[1] - sizes[0]) / 1e6
    table.add_row("further text", f"{further / (more.seconds - less.seconds):.1f} MB/s", f"{SPEED}")
    table.add_row("further text, by CPU time", f"{further / (more.cpu_seconds - less.cpu_seconds):.1f} MB/s", "")
    table.add_row("peak memory", f"{more.peak_proportional_bytes / 1e9:.2f} GB", f"{MEMORY} GB")
    Console().print(table)


if __name__ == "__main__":
    main()
