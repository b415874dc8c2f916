"""The command ``gristmill curate``."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from curation.driver import checked_plan, curate, finished
from curation.errors import UserError
from curation.job import Execution, Job
from curation.sources.listing import named_input
from curation.sources.storage import storage_options, use_storage
from jobs.jobfile import load_job, load_storage, make_job, parse_storage
from jobs.progress import How, say_event, warn, watcher
from jobs.summary import print_lost, print_plan, print_releases, print_summary
from jobs.warnings import warn_of


def run(
    path: Path | None,
    inputs: tuple[str, ...],
    kind: str | None,
    output: str | None,
    recipe: str | None,
    changes: tuple[str, ...],
    against: tuple[str, ...],
    limit: int | None,
    allow_unreadable: bool,
    follow_links: bool,
    storage: tuple[str, ...],
    workers: int | None,
    partitions: int | None,
    memory: int | None,
    progress: How,
    dry_run: bool,
    beam_options: tuple[str, ...],
) -> None:
    if limit is not None:
        changes = (*changes, f"limit={limit}")
    job, folder, own_options = _job(path, inputs, kind, output, recipe, changes)
    job = replace(
        job,
        against=(*job.against, *against),
        allow_unreadable=allow_unreadable or job.allow_unreadable,
        follow_links=follow_links or job.follow_links,
    )
    given = [*(load_storage(path) if path else ()), *map(parse_storage, storage)]
    options = storage_options(given, [*(one.glob for one in job.inputs), folder, *job.against])
    use_storage(options)
    beam_options = (*own_options, *beam_options)
    for warning in warn_of(job.recipe):
        warn(warning, progress)
    execution = Execution(
        workers=workers, partitions=partitions, memory=memory, beam_options=beam_options, storage=options
    )
    if dry_run:
        print_plan(job, folder, checked_plan(job, execution), execution)
        return
    done = finished(job, folder)
    if done is not None:
        if progress == "json":
            say_event("finished", message="an earlier run had finished it: nothing was left to do")
        print_summary(done, folder, None)
        print_lost(folder)
        print_releases(folder)
        return
    started = time.monotonic()
    ledger = curate(job, folder, execution, watcher(progress))
    print_summary(ledger, folder, time.monotonic() - started)
    print_lost(folder)
    print_releases(folder)


def _job(
    path: Path | None,
    inputs: tuple[str, ...],
    kind: str | None,
    output: str | None,
    recipe: str | None,
    changes: tuple[str, ...],
) -> tuple[Job, str, tuple[str, ...]]:
    if path is not None:
        given: dict[str, Any] = {"--input": inputs, "--format": kind, "--recipe": recipe}
        twice = [name for name, value in given.items() if value]
        if twice:
            raise UserError(f"{path} says what to read and how: leave out {' and '.join(twice)}, or the job file")
        job, folder, options = load_job(path, changes)
        return job, output or folder, options
    if not inputs or not output:
        raise UserError("say what to read and where to write: --input GLOB --output DIR, or a job file")
    return (
        make_job([replace(named_input(text), format=kind) for text in inputs], recipe or "fineweb", changes),
        output,
        (),
    )
