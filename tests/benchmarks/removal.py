"""The bars of removals: personal information in texts, hosts and urls of large block lists. CPU time of one core."""

import gzip
import json
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa

from curation.filters.url import Url
from curation.rewrites.personal import KINDS
from curation.rewrites.redact import Redact

Row = tuple[str, str, str]
MANY, FEW, ROWS, ROUNDS = 5_000_000, 100, 500, 5
URLS = [f"https://www.host{number}.example{number % 97}.org/path/{number}" for number in range(20_000)]


def bars(corpus: Path, work: Path) -> Iterator[Row]:
    texts = []
    for shard in sorted(corpus.glob("*.jsonl.gz")):
        with gzip.open(shard, "rt", encoding="utf-8") as lines:
            texts += [json.loads(line)["text"] for line in lines]
    columns = [pa.array(texts[start : start + ROWS], pa.large_string()) for start in range(0, len(texts), ROWS)]
    step = Redact(kinds=KINDS, regions=("US",))
    step.rewrite(pa.array(["Call 602-272-9781."], pa.large_string()))  # imports the library
    started = time.process_time()
    for column in columns:
        step.rewrite(column)
    speed = sum(column.nbytes for column in columns) / 1e6 / (time.process_time() - started)
    yield "all kinds of personal information, a core", f"{speed:.0f} MB/s", "50 MB/s"
    yield from block_lists(work)


def block_lists(work: Path) -> Iterator[Row]:
    work.mkdir(exist_ok=True)
    yield from block_list(work, "hosts", "www.site{}-{}.example", "domains")
    yield from block_list(work, "urls", "www.site{}-{}.example/page/index", "urls")


def block_list(work: Path, name: str, entry: str, setting: str) -> Iterator[Row]:
    steps = []
    for count in (FEW, MANY):
        path = work / f"{name}-{count}.txt"
        path.write_text("".join(f"{entry.format(number, number * 7919 % 99_991)}\n" for number in range(count)))
        settings: dict[str, Any] = {setting: (f"@{path}",), "bare_urls": setting == "urls"}
        steps.append(Url(**settings))
    few, many = steps
    few.read_lists()
    held, started = _resident(), time.process_time()
    many.prepare()
    many.list_digests()
    yield f"{MANY:,} {name} loaded", f"{time.process_time() - started:.1f} s", "10 s"
    yield f"{MANY:,} {name} in memory", f"{(_resident() - held) / 1e6:.0f} MB", "500 MB"
    batch = pa.RecordBatch.from_arrays([pa.array(URLS)], ["url"])
    times = [_seconds(many, batch) / _seconds(few, batch) for _ in range(ROUNDS)]
    yield f"{MANY:,} {name} against {FEW}, a document", f"{median(times):.2f} times", "1.2 times"


def _seconds(step: Url, batch: pa.RecordBatch) -> float:
    started = time.process_time()
    step.measure(batch)
    return time.process_time() - started


def _resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
