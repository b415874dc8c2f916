"""How a run's memory is divided: worker processes, partitions of the shuffles, links that one process may hold.

Nothing of it changes a byte of the output. The figures were measured with proportional set sizes (a page that several
processes share counts once), over the whole process tree, on corpora of 1 and 2 GB.
"""

import os
from dataclasses import dataclass
from pathlib import Path

BASE_BYTES = 420_000_000
"""The main process and the fork server."""
WORKER_BYTES = 450_000_000
"""A worker process with one unit in its hands."""
PARTITION_BYTES = 48_000_000
"""A partition of a shuffle in a worker's hands, at least; sorting it there is part of WORKER_BYTES."""
PARTITION_SHARE = 40
"""Where a worker may use more memory than so many partitions, they are larger: a fortieth of it."""
SORTED_BYTES = 3
"""What a worker takes at its peak for each byte of a partition."""
SHUFFLED_SHARE = 0.3
"""Bytes that the largest shuffle carries for each stored byte of input: a tenth of the text, a third of that stored."""
FEW, PARTITIONS = 1 << 20, 32
"""There is a partition for each so many bytes of input up to so many partitions, and more only when they get large."""
LINK_BYTES = 200
"""What union-find takes at its peak for each link."""
USED_SHARE = 0.8
"""Of the memory that is free, where no budget is given."""

CONTAINERS = (
    ("/sys/fs/cgroup", "memory.max", "memory.current", "file"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache"),
)
"""Where Linux tells a container's limits (cgroups, version 2 and 1)."""


@dataclass(frozen=True)
class Budget:
    workers: int
    partitions: int


def budget(stored_bytes: int, units: int, memory: int | None) -> Budget:
    """Workers are one a core and never more than units, or than fit the memory."""
    total = memory or int(available() * USED_SHARE)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = max(1, min(cores, units, most_workers(total)))
    return Budget(workers, partitions(stored_bytes, memory and (memory - BASE_BYTES) // workers))


def most_workers(total: int) -> int:
    """So many worker processes fit a run's memory."""
    return (total - BASE_BYTES) // WORKER_BYTES


def partition_bytes(memory: int | None) -> int:
    """What a partition holds where each worker may use so much; without a budget no more than is safe anywhere, so that
    what is free at the moment decides nothing."""
    return max(PARTITION_BYTES, (memory or 0) // PARTITION_SHARE)


def partitions(stored_bytes: int, memory: int | None) -> int:
    few = min(max(stored_bytes // FEW, 1), PARTITIONS)
    return max(few, int(stored_bytes * SHUFFLED_SHARE) // partition_bytes(memory))


def most_links(memory: int | None) -> int:
    """So many links between duplicates are held by one process: beside it a worker process may be at work, no more."""
    total = memory or int(available() * USED_SHARE)
    return max(total - BASE_BYTES - WORKER_BYTES, WORKER_BYTES) // LINK_BYTES


def available() -> int:
    """Bytes that are free on this machine, or in its container; what only caches files is free."""
    free = [kilobytes * 1024 for name, kilobytes in _table("/proc/meminfo") if name == "MemAvailable:"]
    for group, limit, used, cache in CONTAINERS:
        limits, uses = _lines(f"{group}/{limit}"), _lines(f"{group}/{used}")
        if limits and uses and limits[0].isdigit():
            cached = sum(size for name, size in _table(f"{group}/memory.stat") if name == cache)
            free.append(int(limits[0]) - int(uses[0]) + cached)
    return min(free) if free else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _table(path: str) -> list[tuple[str, int]]:
    return [
        (words[0], int(words[1])) for words in map(str.split, _lines(path)) if len(words) > 1 and words[1].isdigit()
    ]


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
