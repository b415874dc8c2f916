"""The command ``gristmill curate``."""

import time
from dataclasses import dataclass, replace
from pathlib import Path

from curation.engine.driver import curate, finished
from curation.engine.planning import checked_plan
from curation.job import Execution, Job
from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.release.manifest import read_finished
from curation.reports.dead_rules import dead_rules
from curation.sources.listing import named_input
from curation.sources.storage import storage_options, use_storage
from jobs.corpus.compiling import compile_kernels
from jobs.corpus.job_file import load_job, load_storage, make_job, parse_storage
from jobs.corpus.progress import How, say_event, warn, watcher
from jobs.corpus.summary import print_lost, print_plan, print_releases, print_summary
from schemas.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The words of the command, by the names of its arguments and options; None or empty for what was not given."""

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
    progress: How
    dry_run: bool
    beam_options: tuple[str, ...]


def run(asked: Asked) -> None:
    """Curates, or shows what that would do, and says what came of it."""
    job, folder, own_options = _job(asked)
    given = [*(load_storage(asked.job) if asked.job else ()), *map(parse_storage, asked.storage)]
    storage = storage_options(given, [*(one.glob for one in job.inputs), folder, *job.against])
    use_storage(storage)
    for warning in dead_rules(job.recipe):
        warn(warning, asked.progress)
    execution = Execution(
        workers=asked.workers,
        partitions=asked.partitions,
        memory=asked.memory,
        beam_options=(*own_options, *asked.beam_options),
        storage=storage,
    )
    if asked.dry_run:
        print_plan(job, folder, checked_plan(job, execution), execution)
        return
    found, seconds = finished(job, folder), None
    if found is None:
        compile_kernels(asked.progress)
        started = time.monotonic()
        curate(job, folder, execution, watcher(asked.progress))
        seconds = time.monotonic() - started
        found, _ = read_finished(Folder(folder))
    elif asked.progress == "json":
        say_event("finished", message="an earlier run had finished it: nothing was left to do")
    print_summary(Ledger.from_json(found["ledger"]), folder, seconds)
    print_lost(found)
    print_releases(found)


def _job(asked: Asked) -> tuple[Job, str, tuple[str, ...]]:
    """The job, its output folder, and the options of Beam that a job file holds."""
    changes = asked.changes if asked.limit is None else (*asked.changes, f"limit={asked.limit}")
    options: tuple[str, ...] = ()
    if asked.job is not None:
        given = {"--input": asked.inputs, "--format": asked.kind, "--recipe": asked.recipe}
        twice = [name for name, value in given.items() if value]
        if twice:
            raise UserError(f"{asked.job} says what to read and how: leave out {' and '.join(twice)}, or the job file")
        job, folder, options = load_job(asked.job, changes)
        folder = asked.output or folder
    elif asked.inputs and asked.output:
        inputs = [replace(named_input(text), format=asked.kind) for text in asked.inputs]
        job, folder = make_job(inputs, asked.recipe or "fineweb", changes), asked.output
    else:
        raise UserError("say what to read and where to write: --input GLOB --output DIR, or a job file")
    job = replace(
        job,
        against=(*job.against, *asked.against),
        allow_unreadable=asked.allow_unreadable or job.allow_unreadable,
        follow_links=asked.follow_links or job.follow_links,
    )
    return job, folder, options
