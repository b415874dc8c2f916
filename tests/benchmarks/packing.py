"""How fast a corpus is packed, against its tokenizer alone: ``python -m tests.benchmarks.packing``.

Both take the same texts with the same threads, in turns, in processes of their own. The tokenizer alone has the texts
in memory and throws its tokens away; packing reads them from Parquet, and ends with the finished folder.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table
from tokenizers import Tokenizer

from curation.packing.corpus import ParquetCorpus
from curation.packing.packing import pack
from curation.packing.training import train_tokenizer
from curation.tokenizers.tokenizer import open_tokenizer
from tests.benchmarks.process import measure

MEGABYTES = 60
LENGTH = 4096
VOCABULARY = 32_000
BAR = 0.8
TEXTS = 1000
"""Of a batch of the tokenizer alone."""


def make_corpus(folder: Path, megabytes: int) -> int:
    """Sources of the installed Python packages, about 8 MB of text a file; returns the bytes of text."""
    folder.mkdir()
    places = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    paths = sorted({path for place in places for path in Path(place).rglob("*.py")})
    held: list[str] = []
    written = size = files = 0
    for path in paths:
        text = path.read_bytes().decode("utf-8", "replace")
        held.append(text)
        size += len(text.encode())
        if size >= 8_000_000:
            pq.write_table(pa.table({"text": held}), folder / f"{files:03}.parquet", compression="zstd")
            held, written, size, files = [], written + size, 0, files + 1
        if written >= megabytes * 1_000_000:
            return written
    raise SystemExit(f"bench: the installed packages hold {written / 1e6:.0f} MB of text: give --megabytes less")


def alone(corpus: Path, tokenizer: Path) -> float:
    """Seconds that the tokenizer takes for all texts."""
    engine = Tokenizer.from_file(str(tokenizer))
    texts = pq.read_table(corpus)["text"].to_pylist()
    engine.encode_batch_fast(texts[:8])  # starts its threads
    started = time.monotonic()
    for first in range(0, len(texts), TEXTS):
        engine.encode_batch_fast(texts[first : first + TEXTS], add_special_tokens=False)
    return time.monotonic() - started


def packed(corpus: Path, tokenizer: Path, threads: int) -> tuple[float, int]:
    """Seconds that packing takes, and the tokens of it."""
    with tempfile.TemporaryDirectory(dir=corpus.parent) as folder:
        started = time.monotonic()
        done = pack(
            [ParquetCorpus(path=str(corpus))], open_tokenizer(tokenizer), LENGTH, Path(folder) / "out", threads=threads
        )
        return time.monotonic() - started, done.ledger["tokens"]["read"]


def once(what: str, folder: Path, threads: int) -> list[float]:
    """One of the two, in a process of its own."""
    words = [sys.executable, "-m", __spec__.name, "--once", what, "--work", str(folder), "--threads", str(threads)]
    environment = os.environ | {"RAYON_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": "true"}
    run = subprocess.run(words, check=True, capture_output=True, text=True, env=environment)
    found: list[float] = json.loads(run.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Packing against its tokenizer alone.")
    parser.add_argument("--megabytes", type=int, default=MEGABYTES)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--once", choices=["alone", "packed"], help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        corpus, tokenizer = asked.work / "corpus", asked.work / "tokenizer.json"
        run = [alone(corpus, tokenizer)] if asked.once == "alone" else packed(corpus, tokenizer, asked.threads)
        print(json.dumps(run))
        return
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        size = make_corpus(work / "corpus", asked.megabytes)
        train_tokenizer([ParquetCorpus(path=str(work / "corpus"))], VOCABULARY, work / "tokenizer.json", sample=2000)
        pairs = [(once("alone", work, asked.threads), once("packed", work, asked.threads)) for _ in range(asked.runs)]
        command = [Path(sys.executable).parent / "gristmill", "pack", work / "corpus", "--tokenizer"]
        command += [work / "tokenizer.json", "--output", work / "out", "--threads", str(asked.threads)]
        peak = measure(command).peak_bytes
    tokens = int(pairs[0][1][1])
    single, whole = (statistics.median(pair[which][0] for pair in pairs) for which in (0, 1))
    ratio = statistics.median(pair[0][0] / pair[1][0] for pair in pairs)
    title = f"{size / 1e6:.0f} MB, {tokens:,} tokens, {asked.threads} threads, medians of {asked.runs}"
    table = Table("", "measured", "asked", title=title, title_justify="left")
    table.add_row("the tokenizer alone", f"{single:.1f} s, {tokens / single / 1e6:.2f} million tokens/s", "")
    table.add_row("packing, whole", f"{whole:.1f} s, {tokens / whole / 1e6:.2f} million tokens/s", "")
    table.add_row("speed of packing by that of its tokenizer", f"{ratio:.2f}", f"{BAR}")
    table.add_row("peak memory of the command", f"{peak / 1e9:.2f} GB", "")
    Console().print(table)


if __name__ == "__main__":
    main()
