"""Corpora of one size in which everything gathers in one place, to be raced against an even one.

python -m tests.benchmarks.skew [--documents 500000] [--work DIR]
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.benchmarks.corpora import GRISTMILL
from tests.benchmarks.process import Measured, measure

WORDS = np.array(
    [f"{a}{b}{c}" for a in ("gra", "mi", "flo", "sto", "ba", "whe") for b in ("ll", "n", "r") for c in "aeiouy"]
    + [
        f"{a}{b}"
        for a in ("ka", "lo", "ne", "pi", "su", "te", "vo", "zi")
        for b in ("ber", "dan", "mol", "ring", "ton")
    ]
)
LENGTH = 40
"""Words of a document."""
FILES = 8
CHAIN = 10_000
"""Documents of a chain of near-duplicates, each like the one before it and the one after it only."""
STEP = 3
"""A link of the chain begins so many words after the one before it: 33 of 39 five-word shingles are shared."""

Rows = Iterator[dict[str, str]]


def even(documents: int, seed: int = 0, hosts: int = 1000) -> Rows:
    chance = np.random.default_rng(seed)
    for start in range(0, documents, 10_000):
        picks = chance.integers(0, len(WORDS), (min(10_000, documents - start), LENGTH))
        for number, words in enumerate(WORDS[picks].tolist(), start):
            yield {"text": " ".join(words), "url": f"https://h{number % hosts}.example/{seed}/{number}"}


def boilerplate(documents: int) -> Rows:
    """One document over and over."""
    text = " ".join(WORDS[np.arange(LENGTH) % len(WORDS)].tolist())
    return ({"text": text, "url": f"https://h.example/{number}"} for number in range(documents))


def nearly_boilerplate(documents: int) -> Rows:
    """One document over and over, each with another last word."""
    text = " ".join(WORDS[np.arange(LENGTH) % len(WORDS)].tolist())
    return ({"text": f"{text} n{number}", "url": f"https://h.example/{number}"} for number in range(documents))


def one_host(documents: int) -> Rows:
    """Half of all urls belong to one host."""
    for number, row in enumerate(even(documents)):
        yield row if number % 2 else {**row, "url": f"https://one.example/{number}"}


def chains(documents: int) -> Rows:
    """As many chains as there is room for, the links of all in turn."""
    count = max(documents // CHAIN, 1)
    length = min(CHAIN, documents // count)
    chance = np.random.default_rng(1)
    words = [WORDS[chance.integers(0, len(WORDS), length * STEP + LENGTH)].tolist() for _ in range(count)]
    for link in range(length):
        for number in range(count):
            text = " ".join(words[number][link * STEP : link * STEP + LENGTH])
            yield {"text": text, "url": f"https://c{number}.example/{link}"}


ALL_ALIKE = "one document with another last word"
CORPORA: dict[str, Callable[[int], Rows]] = {
    "one document repeated": boilerplate,
    ALL_ALIKE: nearly_boilerplate,
    "one host with half of the urls": one_host,
    f"chains of {CHAIN:,}": chains,
    "one file with nine tenths": even,
}


def most_times(name: str) -> float:
    """How many times as long as an even corpus a skewed one may take.

    Where all documents are alike, each is removed with several edges: the even corpus spares that work.
    """
    return 3.5 if name == ALL_ALIKE else 2.0


def write(folder: Path, rows: Rows, documents: int, largest: float = 1 / FILES) -> Path:
    """The rows in FILES files; the first one holds the share ``largest`` of them."""
    folder.mkdir(parents=True)
    first = int(documents * largest)
    others = -(-(documents - first) // (FILES - 1)) if documents > first else 0
    for file in range(FILES):
        with (folder / f"{file}.jsonl").open("w") as stream:
            for _ in range(others if file else first):
                row = next(rows, None)
                if row is None:
                    return folder
                stream.write(json.dumps(row) + "\n")
    return folder


def curate(corpus: Path, out: Path, *more: str) -> Measured:
    shutil.rmtree(out, ignore_errors=True)
    asked = ["--input", corpus, "--output", out, "--recipe", "none", "--set", "dedup.url=true", "--workers", "2"]
    return measure([GRISTMILL, "curate", *asked, *more])


def race(work: Path, documents: int, rounds: int = 3) -> Iterator[tuple[str, float, float, int]]:
    """(corpus, seconds, times those of the even corpus in the same round, peak memory in bytes): medians, and of the
    memory the most. The corpora take turns, as machines that others share change from minute to minute."""
    corpora = {"even": write(work / "even", even(documents), documents)}
    for name, make in CORPORA.items():
        largest = 0.9 if name.startswith("one file") else 1 / FILES
        corpora[name] = write(work / name.replace(" ", "-"), make(documents), documents, largest)
    found = [{name: curate(corpus, work / "out") for name, corpus in corpora.items()} for _ in range(rounds)]
    for name in corpora:
        runs = [each[name] for each in found]
        times = median(each[name].seconds / each["even"].seconds for each in found)
        yield name, median(run.seconds for run in runs), times, max(run.peak_bytes for run in runs)


def main() -> None:
    parser = argparse.ArgumentParser(description="Skewed corpora against an even one.")
    parser.add_argument("--documents", type=int, default=500_000)
    parser.add_argument("--work", type=Path)
    asked = parser.parse_args()
    table = Table("corpus", "seconds", "times", "peak memory")
    with tempfile.TemporaryDirectory() as temporary:
        for name, seconds, times, peak in race(asked.work or Path(temporary), asked.documents):
            table.add_row(name, f"{seconds:.1f}", f"{times:.2f}", f"{peak / 1e9:.2f} GB")
    Console().print(table)


if __name__ == "__main__":
    main()
