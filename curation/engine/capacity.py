"""Checks before a job runs that it fits into the memory that it may use."""

import logging
from collections.abc import Sequence

from curation.engine.budget import BYTES_PER_PARTITION, USED_SHARE, available, most_workers
from curation.job import Execution, Job
from schemas.errors import UserError
from schemas.sizes import readable

LOG = logging.getLogger(__name__)
KEY_BYTES = 2000
"""Memory that the plan, Beam and the reports need for each unit and each partition."""
FREE_PARTITIONS = 10_000
"""Every run may have this many partitions; each costs a run about a millisecond, whatever its size."""
SIGNED_TOGETHER = 8192
"""Documents of a batch whose signatures a worker computes together, if they are short."""
SIGNATURE_COPIES = 3
TEXT_COPIES = 4
"""How many copies of a batch's texts are in memory while the batch is rewritten and judged."""


def check_units(sizes: Sequence[int], unit_bytes: int) -> None:
    """Raises UserError if files of these sizes in bytes make more units than fit into memory."""
    units = sum(-(-size // unit_bytes) for size in sizes)
    if units * KEY_BYTES > (total := _total(None)):
        raise UserError(
            f"unit_bytes is {unit_bytes}, which divides this input into {units:,} units, too many for {_size(total)} "
            "of memory: raise unit_bytes"
        )


def check_fits(job: Job, execution: Execution, workers: int, partitions: int, stored_bytes: int) -> None:
    """Raises UserError if the partitions, texts or signatures that are in memory at one time need more memory than the
    run may use, or if there are too many partitions for an input of ``stored_bytes``."""
    total = _total(execution.memory)
    most = max(FREE_PARTITIONS, stored_bytes // BYTES_PER_PARTITION)
    if partitions > most:
        raise UserError(
            f"{partitions:,} partitions are too many for {readable(stored_bytes)} of input, and each costs time: "
            f"give at most {most:,} as --partitions, or leave it out"
        )
    if partitions * KEY_BYTES > total:
        raise UserError(f"{partitions:,} partitions are too many for {_size(total)} of memory: give fewer --partitions")
    text = job.reading.batch_bytes * max(workers, 1) * TEXT_COPIES
    if text > total:
        raise UserError(
            f"reading.batch_bytes is {job.reading.batch_bytes:,}, which takes {_size(text)} of memory, and the run may "
            f"use {_size(total)}: lower reading.batch_bytes"
        )
    near = job.recipe.dedup.near
    if near is None:
        return
    bands, rows = near.banding
    needed = max(workers, 1) * SIGNED_TOGETHER * SIGNATURE_COPIES * 4 * bands * rows
    if needed > total:
        raise UserError(
            f"near.bands x near.rows are {bands * rows:,} values for each document, which takes {_size(needed)} of "
            f"memory, and the run may use {_size(total)}: lower near.bands or near.rows, give fewer --workers or more "
            "--memory"
        )


def warn_of_memory(execution: Execution) -> None:
    """Logs a warning if the requested workers do not fit into the requested memory."""
    if execution.memory is not None and (execution.workers or 0) > (fit := most_workers(execution.memory)):
        LOG.warning(
            "%d workers may need more than %.3g GB of memory, which is enough for %d",
            execution.workers,
            execution.memory / 1e9,
            fit,
        )


def _total(memory: int | None) -> int:
    return memory or int(available() * USED_SHARE)


def _size(count: int) -> str:
    return f"{count / 1e9:.3g} GB"
