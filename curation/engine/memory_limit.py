"""A limit on the memory of a process that the kernel holds: what would pass it raises MemoryError.

What counts is the process's own data, as Linux has it (RLIMIT_DATA): not files that are mapped, nor code.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curation.engine.budget import BASE_BYTES, WORKER_BYTES


def count_what_is_used() -> None:
    """Makes Arrow's allocator ask for memory as it needs it; without this, its first GB counts as used from the start.

    To be called before pyarrow is imported; later it does nothing.
    """
    os.environ.setdefault("MIMALLOC_ARENA_EAGER_COMMIT", "0")


def share(memory: int, workers: int) -> int:
    """What a process may use that judges documents: a worker's share of a run's memory, never less than it needs; with
    no workers, all but what the process takes itself."""
    return max((memory - BASE_BYTES) // max(workers, 1), WORKER_BYTES)


def limit(size: int) -> None:
    """Lets this process use so many bytes beyond what it uses now. Without effect where the system has no /proc."""
    used = _data_bytes()
    if used is not None:
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = used + size
        resource.setrlimit(resource.RLIMIT_DATA, (wanted if most < 0 else min(wanted, most), most))


@contextmanager
def limited(size: int | None) -> Iterator[None]:
    """``limit`` for the length of a block; None is no limit."""
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
