"""How fast packed sequences are read, on one core: ``python -m tests.benchmarks.reading``.

A row is 4,096 tokens of two bytes. Each rate is the median of several runs that take turns. ``--json`` prints numbers.
"""

import argparse
import json
import multiprocessing
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from schemas import open_packed
from tests.schemas.packed_folders import write_packed

LENGTH = 4096
SHARD_ROWS = 8192
BATCH = 64
TORCH_BATCH = 8
TURNS = 5
SLOW_ROWS = 4096
"""Read of datasets' streams, whose rate does not depend on how much is read."""

Rates = dict[str, float]


def written(work: Path, rows: int) -> Path:
    """Packed sequences, and the same rows as Parquet beside them."""
    tokens = np.random.default_rng(0).integers(0, 32_000, (rows, LENGTH), np.uint16)
    folder = write_packed(work / "packed", tokens, "uint16", SHARD_ROWS)
    (work / "parquet").mkdir()
    for first in range(0, rows, SHARD_ROWS):
        part = tokens[first : first + SHARD_ROWS]
        ends = pa.array(np.arange(0, part.size + 1, LENGTH), pa.int32())
        column = pa.ListArray.from_arrays(ends, pa.array(part.reshape(-1)))
        pq.write_table(pa.table({"input_ids": column}), work / "parquet" / f"{first:08}.parquet", row_group_size=1024)
    return folder


def rates(work: Path, rows: int) -> Rates:
    """Million tokens a second of each way of reading."""
    folder = written(work, rows)
    return measured(copies(folder), rows) | measured(streams(folder), rows) | measured(peers(work), SLOW_ROWS, turns=1)


def measured(ways: dict[str, Callable[[], object]], rows: int, turns: int = TURNS) -> Rates:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - started)
    return {name: rows * LENGTH / 1e6 / sorted(taken)[turns // 2] for name, taken in seconds.items()}


def copies(folder: Path) -> dict[str, Callable[[], object]]:
    """Tokens of two bytes from memory or from a mapped folder into an array; opening the folder counts."""
    sequences = open_packed(folder)
    rows = len(sequences)
    source = sequences.take(range(rows))
    whole, batch = np.zeros_like(source), np.zeros((BATCH, LENGTH), np.uint16)
    order = np.random.default_rng(1).permutation(rows)

    def take(opened: bool, shuffled: bool) -> None:
        of = sequences if opened else open_packed(folder)
        for first in range(0, rows, BATCH):
            of.take(order[first : first + BATCH] if shuffled else range(first, first + BATCH), batch)

    def copy() -> None:
        for first in range(0, rows, BATCH):
            np.copyto(batch, source[first : first + BATCH])

    return {
        "copy whole": lambda: np.copyto(whole, source),
        "copy": copy,
        "take": lambda: take(opened=False, shuffled=False),
        "take again": lambda: take(opened=True, shuffled=False),
        "take shuffled": lambda: take(opened=True, shuffled=True),
    }


def streams(folder: Path) -> dict[str, Callable[[], object]]:
    """Batches of int64 tensors."""
    from schemas.torch_reader import SequenceStream

    def read(**settings: bool) -> int:
        stream = SequenceStream(folder, batch=TORCH_BATCH, rank=0, world=1, **settings)
        return sum(len(batch["input_ids"]) for batch in stream)

    return {
        "stream": lambda: read(),
        "stream shuffled": lambda: read(shuffle=True),
        "stream boundaries": lambda: read(boundaries=True),
    }


def peers(work: Path) -> dict[str, Callable[[], object]]:
    """datasets' stream of the Parquet files, by row and by batch."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HOME": str(work / "home")}
    import datasets

    def rows() -> Iterator[object]:
        files = str(work / "parquet" / "*.parquet")
        return datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)

    def read(stream: Iterator[object], count: int) -> None:
        for number, _ in enumerate(stream, 1):
            if number == count:
                break

    batches = SLOW_ROWS // TORCH_BATCH
    return {
        "datasets": lambda: read(rows(), SLOW_ROWS),
        "datasets torch": lambda: read(rows().with_format("torch"), SLOW_ROWS),
        "datasets torch batches": lambda: read(rows().with_format("torch").iter(TORCH_BATCH), batches),
    }


def anonymous(folder: Path, with_torch: bool) -> int:
    """The peak of a new process's anonymous memory, in bytes, while it reads the whole folder in order, then shuffled;
    with torch what it holds beyond that of importing torch."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_anonymous, (folder, with_torch))


def _anonymous(folder: Path, with_torch: bool) -> int:
    before = 0
    if with_torch:
        import torch

        torch.set_num_threads(1)
        before = _held()
    return max(_held() for turn in (_streamed if with_torch else _taken)(folder) if turn % 64 == 0) - before


def _taken(folder: Path) -> Iterator[int]:
    sequences = open_packed(folder)
    batch = np.empty((BATCH, LENGTH), np.uint16)
    for order in (np.arange(len(sequences)), np.random.default_rng(0).permutation(len(sequences))):
        for turn, first in enumerate(range(0, len(order), BATCH)):
            sequences.take(order[first : first + BATCH], batch)
            yield turn


def _streamed(folder: Path) -> Iterator[int]:
    from schemas.torch_reader import SequenceStream

    stream = SequenceStream(folder, batch=TORCH_BATCH, rank=0, world=1, boundaries=True)
    for _ in range(2):
        yield from (turn for turn, _ in enumerate(stream))


def _held() -> int:
    [kilobytes] = re.findall(r"^RssAnon:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return 1024 * int(kilobytes)


def memory(work: Path, rows: int) -> tuple[int, int]:
    """Anonymous bytes of a process with the reader, and of the reader beyond those of PyTorch."""
    tokens = np.random.default_rng(0).integers(0, 32_000, (rows, LENGTH), np.uint16)
    folder = write_packed(work / "large", tokens, "uint16", SHARD_ROWS)
    del tokens
    try:
        return anonymous(folder, with_torch=False), anonymous(folder, with_torch=True)
    finally:
        shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast packed sequences are read.")
    parser.add_argument("--rows", type=int, default=65_536, help="of 8 KiB, for the rates")
    parser.add_argument("--gigabytes", type=float, default=2.0, help="that are read for the memory")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    with tempfile.TemporaryDirectory() as folder:
        found = rates(Path(folder), asked.rows)
        alone, with_torch = memory(Path(folder), int(asked.gigabytes * 2**30) // (2 * LENGTH))
    if asked.json:
        print(json.dumps({"rates": found, "anonymous": alone, "anonymous beyond torch": with_torch}))
    else:
        show(found, alone, with_torch, asked.gigabytes)


def show(found: Rates, alone: int, with_torch: int, gigabytes: float) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("reading", "M tokens/s", "of a copy", "times datasets", "asked")
    table.title, table.title_justify = f"Sequences of {LENGTH:,} tokens, one core", "left"
    asked = {"take": "0.5, 10", "stream": "10"}
    for name, rate in found.items():
        shares = f"{rate / found['copy']:.2f}", f"{rate / found['datasets']:.1f}"
        table.add_row(name, f"{rate:,.0f}", *shares, asked.get(name, ""))
    Console().print(table)
    for name, held in (("the reader", alone), ("beyond torch's own", with_torch)):
        print(f"Anonymous memory, reading {gigabytes:g} GB, {name}: {held / 1e6:.0f} MB (300 MB)")


if __name__ == "__main__":
    main()
