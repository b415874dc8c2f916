"""How fast benchmarks are searched for in a corpus, by each definition: ``python -m tests.benchmarks.contamination``.

Texts are words of real pages, drawn one by one, and so are the samples, of which a few are planted. The time of a small
corpus is taken off, so that the speed is that of further text, without the index over the samples.
"""

import argparse
import gzip
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from curation.packing.corpus import ParquetCorpus
from curation.packing.training import train_tokenizer
from tests.benchmarks.corpora import GRISTMILL, SHARED
from tests.benchmarks.process import Measured, measure

Row = tuple[str, str, str]
MEGABYTES, SMALL = 300, 30
SAMPLES = 20_000
WORDS = 60
"""Of a sample."""
VOCABULARY = 32_000
SPEED, MEMORY = 20, 2
"""The targets: MB/s with two workers, and GB."""
LENGTH, ROWS = 400, 2000
"""The words of a document, on average, and the documents of a row group, of which the first holds a sample."""
COMMON = re.compile("[!-/:-~\n]{1,12}")
"""A word without digits and letters of other scripts: one such as a url may have as many tokens as a span."""
DEFINITIONS = ("llama2", "gpt3", "palm", "decon")


class Pages:
    """The words of real pages."""

    def __init__(self) -> None:
        with gzip.open(SHARED / "data" / "web" / "c4_600.jsonl.gz", "rt", encoding="utf-8") as lines:
            words = [word for line in lines for word in json.loads(line)["text"].replace("\n", " \n").split(" ")]
        self.words = pa.array([word for word in words if COMMON.fullmatch(word)])

    def texts(self, random: np.random.Generator, lengths: npt.NDArray[np.int64]) -> pa.LargeStringArray:
        """Texts of so many words."""
        drawn = self.words.take(pa.array(random.integers(len(self.words), size=int(lengths.sum()))))
        listed = pa.ListArray.from_arrays(pa.array(np.append(0, np.cumsum(lengths)), pa.int32()), drawn)
        return pc.binary_join(listed, " ").cast(pa.large_string())


def write_parquet(file: Path, megabytes: int, planted: list[str], seed: int) -> int:
    """Writes a corpus with samples planted in a few documents; returns the bytes of text."""
    pages, random, size = Pages(), np.random.default_rng(seed), 0
    with pq.ParquetWriter(file, pa.schema([("text", pa.large_string())]), compression="zstd") as writer:
        for number in range(10**9):
            texts = pages.texts(random, random.geometric(1 / LENGTH, size=ROWS))
            texts = pa.array(
                [f"{texts[0]}\n{planted[number % len(planted)]}", *texts[1:].to_pylist()], pa.large_string()
            )
            writer.write_table(pa.table({"text": texts}))
            size += pc.sum(pc.binary_length(texts)).as_py()
            if size >= megabytes * 1_000_000:
                return size
    return size


def prepare(work: Path, megabytes: int) -> tuple[int, int]:
    """Writes the benchmark, a small and a whole corpus and a tokenizer; returns the bytes of text of both corpora."""
    work.mkdir(parents=True, exist_ok=True)
    quiz = Pages().texts(np.random.default_rng(2), np.full(SAMPLES, WORDS)).to_pylist()
    rows = (
        json.dumps({"text": text, "question": text[: len(text) // 2], "answer": text[len(text) // 2 :]})
        for text in quiz
    )
    (work / "quiz.jsonl").write_text("".join(f"{row}\n" for row in rows))
    less, more = (
        write_parquet(work / f"{name}.parquet", size, quiz, seed)
        for seed, (name, size) in enumerate((("small", SMALL), ("whole", megabytes)))
    )
    train_tokenizer([ParquetCorpus(path=str(work / "small.parquet"))], VOCABULARY, work / "tokenizer.json", sample=2000)
    return less, more


def search(work: Path, corpus: str, definition: str) -> Measured:
    words: list[str | Path] = ["--benchmark", work / "quiz.jsonl", "--definition", definition, "--workers", "2"]
    if definition == "llama2":
        words += ["--tokenizer", work / "tokenizer.json"]
    out = work / f"{corpus}-{definition}"
    return measure([GRISTMILL, "contamination", work / f"{corpus}.parquet", *words, "--output", out])


def bars(work: Path, megabytes: int = MEGABYTES, definitions: tuple[str, ...] = DEFINITIONS) -> Iterator[Row]:
    less, more = prepare(work, megabytes)
    title = f"{SAMPLES:,} samples, {more / 1e6:.0f} MB, two cores"
    for definition in definitions:
        small, whole = (search(work, corpus, definition) for corpus in ("small", "whole"))
        name = f"contamination, {definition}, {title}"
        yield name, f"{more / 1e6 / whole.seconds:.1f} MB/s", f"{SPEED} MB/s"
        further = (more - less) / 1e6
        spent = whole.cpu_seconds - small.cpu_seconds
        yield f"{name}: further text, by CPU time", f"{2 * further / spent:.1f} MB/s", f"{SPEED} MB/s"
        yield f"{name}: memory", f"{whole.peak_proportional_bytes / 1e9:.2f} GB", f"{MEMORY} GB"


def main() -> None:
    parser = argparse.ArgumentParser(description="The search for benchmarks in a corpus.")
    parser.add_argument("--megabytes", type=int, default=MEGABYTES)
    parser.add_argument("--definition", action="append", choices=DEFINITIONS)
    asked = parser.parse_args()
    table = Table("", "measured", "asked")
    with tempfile.TemporaryDirectory() as temporary:
        for row in bars(Path(temporary), asked.megabytes, tuple(asked.definition or DEFINITIONS)):
            table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
