"""The command ``gristmill curate``."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from curation.engine.driver import curate, finished_run
from curation.engine.planning import plan_and_check
from curation.job import Execution, Job
from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.release.manifest import read_finished
from curation.reports.heavy_duplicates import heavy_duplicates
from curation.reports.heavy_rules import heavy_rules
from curation.reports.recipe_warnings import warnings_for
from curation.sources.listing import named_input
from curation.sources.storage import storage_options, use_storage
from jobs.corpus.compiling import prepare_kernels
from jobs.corpus.job_file import load_job, load_storage, make_job, parse_storage
from jobs.corpus.progress import say_event, warn, watcher
from jobs.corpus.summary import print_lost, print_plan, print_releases, print_sites, print_summary
from jobs.options import ProgressStyle
from schemas.errors import UserError


@dataclass(frozen=True, kw_only=True)
class CurateOptions:
    """The arguments and options of the command; None or empty if not given."""

    job: Path | None
    inputs: tuple[str, ...]
    kind: str | None
    output: str | None
    recipe: str | None
    changes: tuple[str, ...]
    against: tuple[str, ...]
    limit: int | None
    allow_unreadable: bool
    follow_links: bool
    storage: tuple[str, ...]
    workers: int | None
    partitions: int | None
    memory: int | None
    progress: ProgressStyle
    dry_run: bool
    beam_options: tuple[str, ...]


def run(options: CurateOptions) -> None:
    """Curates, or with dry_run shows the plan, and prints a summary."""
    job, folder, own_options = _job(options)
    given = [*(load_storage(options.job) if options.job else ()), *map(parse_storage, options.storage)]
    storage = storage_options(given, [*(entry.glob for entry in job.inputs), folder, *job.against])
    use_storage(storage)
    for warning in warnings_for(job.recipe):
        warn(warning, options.progress)
    execution = Execution(
        workers=options.workers,
        partitions=options.partitions,
        memory=options.memory,
        beam_options=(*own_options, *options.beam_options),
        storage=storage,
    )
    if options.dry_run:
        print_plan(job, folder, plan_and_check(job, execution), execution)
        return
    found, seconds = finished_run(job, folder), None
    if found is None:
        prepare_kernels(job.recipe, options.progress)
        started = time.monotonic()
        curate(job, folder, execution, watcher(options.progress))
        seconds = time.monotonic() - started
        found, _ = read_finished(Folder(folder))
    elif options.progress == "json":
        say_event("finished", message="an earlier run finished this job: nothing to do")
    print_summary(Ledger.of(found.ledger), folder, seconds)
    print_sites(found)
    print_lost(found)
    print_releases(found)
    for warning in (*heavy_rules(Folder(folder), found), *heavy_duplicates(Folder(folder), found)):
        warn(warning, options.progress)


def _job(options: CurateOptions) -> tuple[Job, str, tuple[str, ...]]:
    """The job, its output folder, and the job file's options of Beam."""
    changes = options.changes if options.limit is None else (*options.changes, f"limit={options.limit}")
    beam_options: tuple[str, ...] = ()
    if options.job is not None:
        given = {"--input": options.inputs, "--format": options.kind, "--recipe": options.recipe}
        conflicting = [name for name, value in given.items() if value]
        if conflicting:
            raise UserError(
                f"{options.job} already says what to read: leave out {' and '.join(conflicting)}, or the job file"
            )
        job, folder, beam_options = load_job(options.job, changes)
        folder = options.output or folder
    elif options.inputs and options.output:
        inputs = [replace(named_input(text), format=options.kind) for text in options.inputs]
        job, folder = make_job(inputs, options.recipe or "fineweb", changes), options.output
    else:
        raise UserError("say what to read and where to write: --input GLOB --output DIR, or a job file")
    job = replace(
        job,
        against=(*job.against, *options.against),
        allow_unreadable=options.allow_unreadable or job.allow_unreadable,
        follow_links=options.follow_links or job.follow_links,
    )
    return job, folder, beam_options
