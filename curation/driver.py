"""From a job to a finished folder: plan, run the pipeline, check the ledger, write the manifest."""

import logging
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from curation.errors import RunError, UserError
from curation.folder import Folder, disk_full
from curation.job import ALWAYS_TOLERATED, Execution, Job
from curation.ledger import Ledger
from curation.manifest import MANIFEST, gather, manifest
from curation.run import Run
from curation.sources.listing import InputFile, Unit, list_files, plan_units
from curation.workers import WorkerError, Workers

LOG = logging.getLogger(__name__)
SMALL_INPUT = 1 << 20
"""Under this many stored bytes worker processes cost more than they save."""
SMALLEST_UNIT, LARGEST_UNIT, UNITS = 2 << 20, 64 << 20, 32
"""An input is cut into about so many units, of at least and at most so many stored bytes."""

Watch = Callable[[Folder, "Plan"], AbstractContextManager[Any]]


@dataclass(frozen=True)
class Plan:
    """What a job will read: the sorted files and the units made of them."""

    files: tuple[InputFile, ...]
    units: tuple[Unit, ...]
    unit_bytes: int
    stored_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stored_bytes", sum(file.size for file in self.files))

    def workers(self, asked: int | None) -> int:
        """Worker processes to start: as asked, else one a core and never more than units; none for a small input."""
        if asked is not None:
            return asked
        if self.stored_bytes < SMALL_INPUT or len(self.units) < 2:
            return 0
        return min(
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, len(self.units)
        )


def plan(job: Job) -> Plan:
    files = list_files(job.inputs)
    share = sum(file.size for file in files) // UNITS
    unit_bytes = job.unit_bytes or min(max(share, SMALLEST_UNIT), LARGEST_UNIT)
    return Plan(tuple(files), tuple(plan_units(files, unit_bytes)), unit_bytes)


def curate(job: Job, output: str, execution: Execution | None = None, watch: Watch | None = None) -> Ledger:
    """Runs ``job`` into the folder ``output``, which must be new or empty; returns the balanced ledger.

    Raises UserError for a user's mistake and RunError when the run cannot finish (too many unreadable records, a full
    disk, a lost worker).
    """
    execution = execution or Execution()
    planned = plan(job)
    folder = Folder(output)
    folder.claim()
    quotas = None if job.limit is None else _quotas(job.limit, len(planned.units))
    run = Run(job, folder, execution.partitions, quotas)
    with watch(folder, planned) if watch else nullcontext():
        if _is_local(execution):
            with Workers(planned.workers(execution.workers)) as workers:
                try:
                    _run(run, planned, execution)
                except (RuntimeError, OSError, UserError) as error:
                    _explain(folder, workers.failure or error, error)
                    raise
        else:
            _run(run, planned, execution)
    ledger, files, outputs = gather(folder, len(planned.units))
    ledger.check()
    for file in files:
        if "note" in file:
            LOG.warning("%s: %s", file["file"], file["note"])
    _check_quarantine(job, ledger, folder)
    folder.write_json(MANIFEST, manifest(replace(job, unit_bytes=planned.unit_bytes), ledger, files, outputs))
    folder.release()
    return ledger


def _quotas(limit: int, units: int) -> tuple[int, ...]:
    return tuple(limit // units + (index < limit % units) for index in range(units))


def _is_local(execution: Execution) -> bool:
    """Beam's own in-memory runner: the only one beside which worker processes make sense."""
    return not any(option.startswith(("--runner", "--direct_", "-r")) for option in execution.beam_options)


def _run(run: Run, planned: Plan, execution: Execution) -> None:
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # Beam warns of clients for Google's services that are not installed
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from curation.pipeline import curate as wire

    root.setLevel(level)
    quiet = logging.CRITICAL if _is_local(execution) else logging.ERROR  # here what a stage raises comes back whole
    logging.getLogger("apache_beam").setLevel(quiet)
    options = list(execution.beam_options)
    if not any(option.startswith("--runner") for option in options):
        options.insert(0, "--runner=FnApiRunner")
    options.append("--no_pipeline_type_check")  # the types are fixed here, and checking them costs a tenth of a second
    with beam.Pipeline(options=PipelineOptions(options)) as pipeline:
        wire(pipeline, run, planned.units)


def _explain(folder: Folder, cause: BaseException, wrapped: BaseException) -> None:
    """Raises what a user should read for the error that a stage raised, if it is not a bug."""
    if isinstance(cause, UserError):
        raise cause from wrapped
    if isinstance(cause, WorkerError):
        raise RunError(str(cause)) from wrapped
    if isinstance(cause, OSError) and disk_full(cause):
        raise RunError(f"the disk of {folder.root} is full: free some space and run again") from wrapped


def _check_quarantine(job: Job, ledger: Ledger, folder: Folder) -> None:
    bad, records = ledger.total("quarantined")[0], ledger.records
    if bad > max(ALWAYS_TOLERATED, job.max_quarantined * records):
        kinds = ", ".join(f"{amount[0]} {error}" for error, amount in sorted(ledger.quarantined.items()))
        raise RunError(
            f"{bad} of {records} records could not be read ({kinds}), above max_quarantined = {job.max_quarantined:g}: "
            f"look into {folder.root}/quarantine, then mend the input or raise max_quarantined"
        )
