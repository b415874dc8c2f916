"""Limits the memory of a process through the kernel: an allocation beyond the limit raises MemoryError.

Linux's RLIMIT_DATA counts the process's own data, not mapped files or code.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.engine.budget import BASE_BYTES, WORKER_BYTES


def count_what_is_used() -> None:
    """Makes Arrow's allocator reserve memory only as needed; otherwise its first GB counts as used from the start.

    Call it before pyarrow is imported; later it has no effect.
    """
    os.environ.setdefault("MIMALLOC_ARENA_EAGER_COMMIT", "0")


def share(memory: int, workers: int) -> int:
    """The bytes that a process which judges documents may use: a worker's share of the run's memory, but at least
    WORKER_BYTES; without workers, all but BASE_BYTES."""
    return max((memory - BASE_BYTES) // max(workers, 1), WORKER_BYTES)


def limit(size: int) -> None:
    """Lets this process use ``size`` bytes more than it uses now. Has no effect on a system without /proc."""
    used = _data_bytes()
    if used is not None:
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = used + size
        resource.setrlimit(resource.RLIMIT_DATA, (wanted if most < 0 else min(wanted, most), most))


@contextmanager
def limited_memory(size: int | None) -> Iterator[None]:
    """``limit`` for the duration of a block; None means no limit."""
    if size is None:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    limit(size)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _data_bytes() -> int | None:
    """The data of this process; None on a system without /proc."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:")), None)
