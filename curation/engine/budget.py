"""How a run's memory is divided: worker processes, partitions of the shuffles, links that one process may hold.

The division does not change the output. The figures were measured as proportional set sizes (a page that several
processes share counts once) of the complete process tree, on corpora of 1 and 2 GB.
"""

import os
from dataclasses import dataclass
from pathlib import Path

BASE_BYTES = 420_000_000
"""The main process."""
WORKER_BYTES = 450_000_000
"""A worker process that works on one unit."""
PARTITION_BYTES = 48_000_000
"""The smallest size of a full partition of a shuffle; WORKER_BYTES includes sorting such a partition."""
PARTITION_SHARE = 40
"""With more memory, a partition takes this part (a fortieth) of a worker's memory."""
SORTED_BYTES = 3
"""The peak memory of a worker for each byte of a partition."""
SHUFFLED_SHARE = 0.3
"""Bytes in the largest shuffle for each stored byte of input: a tenth of the text, about a third of the stored size."""
BYTES_PER_PARTITION, PARTITIONS = 1 << 20, 32
"""An input has a partition for each BYTES_PER_PARTITION, up to PARTITIONS; more only if these get too large."""
LINK_BYTES = 300
"""The peak memory of union-find, or of choosing survivors, for each link."""
USED_SHARE = 0.8
"""Share of the free memory that a run may use if no budget is given."""

CONTAINERS = (
    ("/sys/fs/cgroup", "memory.max", "memory.current", "file"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache"),
)
"""Where Linux keeps a container's limits (cgroups, version 2 and 1)."""


@dataclass(frozen=True)
class Budget:
    workers: int
    partitions: int


def budget(stored_bytes: int, units: int, memory: int | None) -> Budget:
    """One worker for each core, but no more than there are units, or than fit into the memory."""
    total = memory or int(available() * USED_SHARE)
    workers = max(1, min(cores(), units, most_workers(total)))
    return Budget(workers, partitions(stored_bytes, memory and (memory - BASE_BYTES) // workers))


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def most_workers(total: int) -> int:
    """The number of worker processes that fit into ``total`` bytes of memory."""
    return (total - BASE_BYTES) // WORKER_BYTES


def partition_bytes(memory: int | None) -> int:
    """The size of a full partition if each worker may use ``memory`` bytes. Without a budget, a size that is safe on
    every machine, so that the result does not depend on the memory that is free now."""
    return max(PARTITION_BYTES, (memory or 0) // PARTITION_SHARE)


def partitions(stored_bytes: int, memory: int | None) -> int:
    few = min(max(stored_bytes // BYTES_PER_PARTITION, 1), PARTITIONS)
    return max(few, int(stored_bytes * SHUFFLED_SHARE) // partition_bytes(memory))


def most_links(memory: int | None) -> int:
    """The number of links between duplicates that one process may hold, beside at most one running worker process."""
    total = memory or int(available() * USED_SHARE)
    return max(total - BASE_BYTES - WORKER_BYTES, WORKER_BYTES) // LINK_BYTES


def available() -> int:
    """The bytes of memory that are free on this machine or in its container, file caches included."""
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
