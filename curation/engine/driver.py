"""From a job to a finished folder: plan, claim the folder, run the pipelines, check the ledger, write the manifest."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from curation.engine.beam_options import is_local
from curation.engine.capacity import warn_of_memory
from curation.engine.carried_files import load_files, send_files
from curation.engine.claim import Claim, claim_folder, output_errors, tidy
from curation.engine.manifest import (
    check_written,
    forget_damaged,
    gather,
    gather_near,
    gather_released,
    gather_sites,
    job_json,
)
from curation.engine.planning import JobPlan, plan_and_check, plan_job
from curation.engine.run import Run
from curation.engine.runner import run_pipelines, started_workers
from curation.engine.unreadable import check_readable
from curation.job import Execution, Job
from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.release.manifest import FORMAT, InputReport, Manifest, check_sizes, read_manifest
from curation.release.opening import check_apart
from curation.release.readme import write_readme
from curation.sources.listing import SHOWN_MISSING, skipped_note
from curation.sources.reading import checksum
from curation.sources.storage import use_storage
from schemas import CUTS, DOCUMENTS, QUARANTINE, REJECTS, SIGNALS, SITES, SKETCHES, SUPERSEDED
from schemas.manifest import MANIFEST
from schemas.wording import and_more

LOG = logging.getLogger(__name__)

Watch = Callable[[Folder, Sequence[int | None]], AbstractContextManager[Any]]
"""Shows the progress of a run in a folder; the sequence has the stored bytes of each unit (None: not known)."""


def curate(job: Job, output: str, execution: Execution | None = None, watch: Watch | None = None) -> Ledger:
    """Runs ``job`` into the folder ``output``; returns the balanced ledger.

    The folder must be new or empty, or hold an interrupted run of the same job, which then resumes. Raises UserError
    for a user's mistake and RunError if the run cannot finish (too many unreadable records, a full disk, a lost
    worker).
    """
    execution = execution or Execution()
    use_storage(execution.storage)
    planned = plan_and_check(job, execution)
    if planned.skipped:
        LOG.warning("skipped in the input, %d in all: %s", len(planned.skipped), skipped_note(planned.skipped))
    if planned.unmatched:
        shown = and_more(planned.unmatched[:SHOWN_MISSING], len(planned.unmatched))
        LOG.warning("no file matches these patterns from the input's braces: %s", shown)
    folder = Folder(output)
    check_apart(folder, planned.releases)
    with claim_folder(folder, _claim(job, planned)) as earlier:
        if earlier:
            forget_damaged(folder, len(planned.units))
        warn_of_memory(execution)
        quotas = None if job.limit is None else _quotas(job.limit, len(planned.units))
        shares, local = planned.partitions(execution), is_local(execution.beam_options)
        load_files(job.recipe)
        send_files(folder, job.recipe.carried_files(), local)
        lists = job.recipe.list_digests()
        units, storage = len(planned.units), execution.storage
        run = Run(job, folder, units, shares, local, quotas, planned.releases, lists=lists, storage=storage)
        sizes = planned.sizes if job.limit is None else [None] * len(planned.units)
        workers = started_workers(run, planned.workers(execution), execution)
        with workers as processes, watch(folder, sizes) if watch else nullcontext():
            run_pipelines(run, planned.units, processes, execution)
            ledger = _account_for(run, planned)
        folder.release()
    return ledger


def _account_for(run: Run, planned: JobPlan) -> Ledger:
    """Writes the manifest of a run whose units are all written. Raises LedgerError if its ledger does not balance."""
    job, folder = run.job, run.folder
    ledger, files, outputs = gather(run)
    ledger.check()
    check_readable(job, ledger, files, folder)
    for file in files:
        if file.note:
            LOG.warning("%s: %s", file.file, file.note)
    against, listed = gather_released(run)
    outputs |= listed
    check_written(folder, outputs)
    asked = replace(job, unit_bytes=planned.unit_bytes)
    tables = [DOCUMENTS, REJECTS, SIGNALS, SKETCHES, QUARANTINE, SUPERSEDED]
    if job.recipe.dedup.pieces is not None:
        tables.append(CUTS)
    if job.recipe.sites is not None:
        tables.append(SITES)
    manifest = Manifest(  # without runner, worker count, output path or time, so that equal runs have equal manifests
        format=FORMAT,
        gristmill=version("gristmill"),
        schemas={table.name: table.version for table in tables},
        job=job_json(asked),
        against=against,
        inputs=tuple(files),
        ledger=ledger.report(),
        outputs=outputs,
        near_duplicates=gather_near(run),
        sites=gather_sites(run),
    )
    write_readme(folder, manifest)
    folder.write_json(MANIFEST, manifest)
    return ledger


def finished_run(job: Job, output: str) -> Manifest | None:
    """The manifest of the folder ``output`` if it holds a finished run of the same job over the same bytes, else None.

    Raises UserError if the manifest is damaged, or if files of the finished run are missing.
    """
    folder = Folder(output)
    with output_errors(folder):
        found = read_manifest(folder) if folder.exists(MANIFEST) else None
    if found is None or found.takedown:
        return None
    planned = plan_job(job)
    same_job = found.job == job_json(replace(job, unit_bytes=planned.unit_bytes))
    same_releases = [each.release for each in found.against] == [release.name for release in planned.releases]
    same_version = found.gristmill == version("gristmill")
    if not (same_job and same_releases and same_version and _same_bytes(found.inputs, planned, job.limit)):
        return None
    check_sizes(folder, found.files.values())
    tidy(folder)
    return found


def _same_bytes(reports: Sequence[InputReport], planned: JobPlan, limit: int | None) -> bool:
    """Whether the planned files have the sizes and checksums in a manifest's ``reports``. Under a limit, some planned
    files have no report, because they were not read to their end."""
    read = {(report.file, report.size, report.start or 0, report.end): report.sha256 for report in reports}
    spans = {
        (span.file.name, span.file.size, span.start, span.end): span for unit in planned.units for span in unit.spans
    }
    if not read.keys() <= spans.keys() or (limit is None and read.keys() != spans.keys()):
        return False
    return all(checksum(spans[place]) == sha256 for place, sha256 in read.items())


def _claim(job: Job, planned: JobPlan) -> Claim:
    """All that decides what the run writes. ``max_quarantined`` is left out: it is checked only at the end."""
    asked = job_json(job)
    del asked["max_quarantined"]
    lists = asked.pop("lists")
    files = {file.name: [file.size, file.version] for file in planned.files}
    against = [release.name for release in planned.releases]
    return Claim(gristmill=version("gristmill"), files=files, lists=lists, asked={"job": asked, "against": against})


def _quotas(limit: int, units: int) -> tuple[int, ...]:
    return tuple(limit // units + (index < limit % units) for index in range(units))
