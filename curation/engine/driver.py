"""From a job to a finished folder: plan, run the pipelines, check the ledger, write the manifest."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from itertools import count
from traceback import format_exception_only
from typing import Any

from curation.engine.beam_options import check_options
from curation.engine.budget import budget, most_links, most_workers, partitions
from curation.engine.capacity import check_fits, check_units
from curation.engine.claim import claimed, reached, tidy
from curation.engine.manifest import check_whole, described, forget_damaged, gather, gather_released, manifest, plain
from curation.engine.memory_limit import limited, share
from curation.engine.run import Run, linked_name
from curation.engine.selecting_pass import gather_near, gather_texts
from curation.engine.unreadable import check_readable
from curation.engine.workers import WorkerError, Workers
from curation.job import Execution, Job
from curation.release.folder import Folder, disk_full, no_room
from curation.release.ledger import Ledger
from curation.release.manifest import check_sizes, outputs_of, read_manifest
from curation.release.opening import Release, check_apart, open_releases
from curation.sources.inputs import InputFile, Unit
from curation.sources.listing import SHOWN_MISSING, list_input, skipped_note
from curation.sources.places import is_local as is_local_path
from curation.sources.reading import checksum
from curation.sources.recognised import check_formats
from curation.sources.storage import outages, reason, use_storage
from curation.sources.units import plan_units
from schemas.errors import RunError, UserError
from schemas.manifest import MANIFEST
from schemas.wording import and_more

LOG = logging.getLogger(__name__)
NO_THREAD = "can't start new thread"
"""What Python says where there is no memory for the stack of a thread."""
SMALL_INPUT = 1 << 20
"""Under this many stored bytes worker processes cost more than they save."""
SMALLEST_UNIT, LARGEST_UNIT, UNITS = 2 << 20, 64 << 20, 32
"""An input is cut into about so many units, of at least and at most so many stored bytes."""

Watch = Callable[[Folder, Sequence[int | None]], AbstractContextManager[Any]]
"""Shows the progress in a folder of units, of each of which so many stored bytes are read (None: nobody knows)."""


@dataclass(frozen=True)
class Plan:
    """What a job will read: the sorted files and the units made of them; and the releases that it is held against."""

    files: tuple[InputFile, ...]
    units: tuple[Unit, ...]
    unit_bytes: int
    releases: tuple[Release, ...] = ()
    skipped: tuple[str, ...] = ()
    """What the input matches beside files: FIFOs, devices, links that leave it."""
    unmatched: tuple[str, ...] = ()
    """What the braces of an input stand for that matches nothing."""
    stored_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stored_bytes", sum(file.size for file in self.files))

    def workers(self, execution: Execution) -> int:
        """Worker processes to start: as asked, else what the budget allows; none for a small input."""
        if execution.workers is not None:
            return execution.workers
        if self.compared_bytes < SMALL_INPUT or len(self.units) < 2:
            return 0
        return budget(self.compared_bytes, len(self.units), execution.memory).workers

    def partitions(self, execution: Execution) -> int:
        if execution.partitions is not None:
            return execution.partitions
        if not is_local(execution):
            return partitions(self.compared_bytes, execution.memory)
        return budget(self.compared_bytes, len(self.units), execution.memory).partitions

    @property
    def sizes(self) -> tuple[int, ...]:
        """The stored bytes of each unit; of a range of row groups, its share of the file."""
        whole: Counter[str] = Counter()
        for unit in self.units:
            for part in unit.parts:
                whole[part.file.path] += part.length
        return tuple(
            sum(part.file.size * part.length // max(whole[part.file.path], 1) for part in unit.parts)
            for unit in self.units
        )

    @property
    def compared_bytes(self) -> int:
        """The stored bytes of all documents that are compared, released ones as well."""
        return self.stored_bytes + sum(release.stored_bytes for release in self.releases)


def plan(job: Job) -> Plan:
    listing = list_input(job.inputs, job.follow_links)
    check_formats(listing.files)
    share = sum(file.size for file in listing.files) // UNITS
    unit_bytes = job.unit_bytes or min(max(share, SMALLEST_UNIT), LARGEST_UNIT)
    check_units([file.size for file in listing.files], unit_bytes)
    releases = open_releases(job.against, plain(job.recipe))
    units = tuple(plan_units(listing.files, unit_bytes))
    return Plan(listing.files, units, unit_bytes, releases, listing.skipped, listing.unmatched)


def checked_plan(job: Job, execution: Execution) -> Plan:
    """What a job will read. Raises UserError where it needs more memory than it may use."""
    planned = plan(job)
    shares = planned.workers(execution), planned.partitions(execution)
    check_fits(job, execution, *shares, planned.compared_bytes)
    return planned


def finished(job: Job, output: str) -> dict[str, Any] | None:
    """The manifest of the folder ``output``, where it holds a finished run of this very job over these very bytes.

    Raises UserError where it holds anything else that is finished.
    """
    folder = Folder(output)
    with reached(folder):
        found = read_manifest(folder) if folder.exists(MANIFEST) else None
    if found is None or "takedown" in found:
        return None
    planned = plan(job)
    same_job = found["job"] == described(replace(job, unit_bytes=planned.unit_bytes))
    same_releases = [each["release"] for each in found["against"]] == [release.name for release in planned.releases]
    same_version = found["gristmill"] == version("gristmill")
    if not (same_job and same_releases and same_version and _same_bytes(found["inputs"], planned, job.limit)):
        return None
    check_sizes(folder, outputs_of(found, folder).values())
    tidy(folder)
    return found


def _same_bytes(entries: Sequence[dict[str, Any]], planned: Plan, limit: int | None) -> bool:
    """Whether what a manifest tells of the files that were read is true of those that are planned; under a limit, some
    of these had not been read to their end."""
    read = {
        (entry["file"], entry["size"], entry.get("start", 0), entry.get("end")): entry["sha256"] for entry in entries
    }
    parts = {
        (part.file.name, part.file.size, part.start, part.end): part for unit in planned.units for part in unit.parts
    }
    if not read.keys() <= parts.keys() or (limit is None and read.keys() != parts.keys()):
        return False
    return all(checksum(parts[place]) == sha256 for place, sha256 in read.items())


def curate(job: Job, output: str, execution: Execution | None = None, watch: Watch | None = None) -> Ledger:
    """Runs ``job`` into the folder ``output``; returns the balanced ledger.

    The folder must be new or empty, or hold an interrupted run of the same job, which then goes on. Raises UserError
    for a user's mistake and RunError when the run cannot finish (too many unreadable records, a full disk, a lost
    worker).
    """
    execution = execution or Execution()
    use_storage(execution.storage)
    planned = checked_plan(job, execution)
    if planned.skipped:
        LOG.warning("skipped in the input, %d in all: %s", len(planned.skipped), skipped_note(planned.skipped))
    if planned.unmatched:
        shown = and_more(planned.unmatched[:SHOWN_MISSING], len(planned.unmatched))
        LOG.warning("no file matches, of the input's braces: %s", shown)
    folder = Folder(output)
    check_apart(folder, planned.releases)
    with claimed(folder, _claim(job, planned)) as earlier:
        if earlier:
            LOG.warning("%s: going on with the run that was interrupted there", output, extra={"event": "resumed"})
            forget_damaged(folder, len(planned.units))
        warn_of_memory(execution)
        quotas = None if job.limit is None else _quotas(job.limit, len(planned.units))
        shares, local = planned.partitions(execution), is_local(execution)
        lists = job.recipe.list_digests()
        units, storage = len(planned.units), execution.storage
        run = Run(job, folder, units, shares, local, quotas, planned.releases, lists=lists, storage=storage)
        sizes = planned.sizes if job.limit is None else [None] * len(planned.units)
        with watch(folder, sizes) if watch else nullcontext():
            carry_out(run, planned.units, planned.workers(execution), execution)
            ledger = _account_for(run, planned)
        folder.release()
    return ledger


def _account_for(run: Run, planned: Plan) -> Ledger:
    """Writes the manifest of a run whose units are all written, if it balances."""
    job, folder = run.job, run.folder
    ledger, files, outputs = gather(folder, len(planned.units))
    ledger.check()
    check_readable(job, ledger, files, folder)
    for file in files:
        if "note" in file:
            LOG.warning("%s: %s", file["file"], file["note"])
    against, listed = gather_released(run)
    check_whole(folder, [*outputs, *listed])
    asked = replace(job, unit_bytes=planned.unit_bytes)
    folder.write_json(MANIFEST, manifest(asked, ledger, files, [*outputs, *listed], against))
    return ledger


def _claim(job: Job, planned: Plan) -> dict[str, Any]:
    """All that decides what the units are and what becomes of them, not a share that is only checked at the end."""
    asked = described(job)
    del asked["max_quarantined"]
    lists = asked.pop("lists")
    files = {file.name: [file.size, file.version] for file in planned.files}
    against = [release.name for release in planned.releases]
    return {"gristmill": version("gristmill"), "job": asked, "against": against, "files": files, "lists": lists}


def warn_of_memory(execution: Execution) -> None:
    """Says where more workers are asked for than fit into the memory that is asked for."""
    if execution.memory is not None and (execution.workers or 0) > (fit := most_workers(execution.memory)):
        LOG.warning(
            "%d workers may take more than %.3g GB of memory, which is enough for %d",
            execution.workers,
            execution.memory / 1e9,
            fit,
        )


def _quotas(limit: int, units: int) -> tuple[int, ...]:
    return tuple(limit // units + (index < limit % units) for index in range(units))


def is_local(execution: Execution) -> bool:
    """Beam's own in-memory runner: the only one beside which worker processes make sense."""
    return not any(option.startswith(("--runner", "--direct_", "-r")) for option in execution.beam_options)


def carry_out(
    run: Run,
    units: Sequence[Unit | int],
    workers: int,
    execution: Execution,
    between: Callable[[], None] = lambda: None,
) -> None:
    """Runs both pipelines, here with so many worker processes or where the execution says, and calls ``between``
    when the first one is at its end; what a run leaves is then in its folder.

    Raises UserError or RunError for what a user should read.
    """
    if not run.local:
        _run(run, units, execution, between)
        run.folder.sweep()
        return
    count = workers if run.folder.shared else 0
    memory = None if execution.memory is None else share(execution.memory, count)
    with limited(None if count else memory), Workers(count, memory) as processes:
        try:
            _run(run, units, execution, between)
        except outages(RuntimeError, MemoryError, UserError, RunError) as error:
            _explain(run.folder, processes.failure or _interrupt(error) or error, error)
            raise


def _run(run: Run, units: Sequence[Unit | int], execution: Execution, between: Callable[[], None]) -> None:
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # Beam warns of clients for Google's services that are not installed
    import apache_beam as beam
    import grpc
    from apache_beam.options.pipeline_options import PipelineOptions

    from curation.engine import pipeline

    root.setLevel(level)
    quiet = logging.CRITICAL if run.local else logging.ERROR  # here what a stage raises comes back whole
    logging.getLogger("apache_beam").setLevel(quiet)
    options = list(execution.beam_options)
    if not any(option.startswith("--runner") for option in options):
        options.insert(0, "--runner=FnApiRunner")
    options.append("--no_pipeline_type_check")  # the types are fixed here, and checking them costs a tenth of a second
    options.append("--no_save_main_session")  # workers import the stages from the wheel that they have
    check_options(options)
    try:
        if run.taken_from is not None:
            with beam.Pipeline(options=PipelineOptions(options)) as selecting:
                pipeline.select(selecting, run)
            gather_texts(run)
            with beam.Pipeline(options=PipelineOptions(options)) as comparing:
                pipeline.find_near(comparing, run)
            gather_near(run)
        with beam.Pipeline(options=PipelineOptions(options)) as first:
            pipeline.find_duplicates(first, run, units)
        between()
        if run.job.recipe.dedup.stages and _links(run) > (execution.links or most_links(execution.memory)):
            run = _by_stars(run, lambda: beam.Pipeline(options=PipelineOptions(options)))
        with beam.Pipeline(options=PipelineOptions(options)) as second:
            pipeline.write_corpus(second, run)
    except (grpc.RpcError, grpc.FutureTimeoutError) as error:
        told = error.details() if isinstance(error, grpc.Call) else type(error).__name__
        raise RunError(f"Beam's job server was lost ({told}): run again, which goes on where it stopped") from error
    except (RuntimeError, RunError) as error:
        if run.local:
            raise
        raise RunError(_given_up(error)) from error


def _links(run: Run) -> int:
    """Links between the documents of all units."""
    return sum(run.folder.read_json(linked_name(unit))["links"] for unit in range(run.all_units))


def _by_stars(run: Run, start: Callable[[], Any]) -> Run:
    """Goes over the links in rounds, each a pipeline, until one changes nothing; the run that knows how many it took.

    A round that an interrupted run had finished is not done again.
    """
    from curation.engine import pipeline

    for number in count():
        reports = [f"{run.star(number, partition)}.json" for partition in range(run.partitions)]
        if not all(map(run.folder.exists, reports)):
            with start() as stars:
                pipeline.shrink_stars(stars, replace(run, stars=number))
        changed = sum(run.folder.read_json(report)["changed"] for report in reports)
        LOG.info("%s: round %d over the links changed %d", run.folder.root, number + 1, changed)
        if not changed:
            return replace(run, stars=number + 1)
    raise AssertionError("the rounds have no end")


def _interrupt(error: BaseException) -> KeyboardInterrupt | None:
    """The Ctrl+C that Beam made an error of its own, as it does where that falls between two of its steps."""
    cause: BaseException | None = error
    while isinstance(cause, RuntimeError):
        cause = cause.__cause__ or cause.__context__
    return cause if isinstance(cause, KeyboardInterrupt) else None


def _explain(folder: Folder, cause: BaseException, wrapped: BaseException) -> None:
    """Raises what a user should read for the error that a stage raised, if it is not a bug."""
    if isinstance(cause, (UserError, RunError, KeyboardInterrupt)):
        raise cause from wrapped
    if isinstance(cause, WorkerError):
        raise RunError(str(cause)) from wrapped
    if isinstance(cause, MemoryError) or str(cause) == NO_THREAD:
        raise RunError(
            "a process reached its memory limit: give more --memory, fewer --workers or smaller records "
            "(--set max_record_bytes=...)"
        ) from wrapped
    if isinstance(cause, FileNotFoundError) and _lies_in(folder, cause.filename):
        raise RunError(
            f"files of the output {folder.root} were removed while the run was at work: remove what is left of it and "
            "run again"
        ) from wrapped
    if disk_full(cause):
        raise no_room(folder, cause) from wrapped
    if isinstance(cause, outages()) and not is_local_path(folder.root):
        why = reason(cause)
        raise RunError(f"the output {folder.root} could not be reached ({why}): mend that and run again") from wrapped


def _lies_in(folder: Folder, path: Any) -> bool:
    return isinstance(path, str) and path.startswith(f"{folder.filesystem()[1]}/")


def _given_up(error: RuntimeError | RunError) -> str:
    """What a stage told, as it has been told; else the last line that a runner has for a job which failed there. Above
    that stands the trace of the worker."""
    whole = "".join(format_exception_only(error))
    raised = rf"{RunError.__module__}\.(?:{RunError.__name__}|{UserError.__name__})"
    told = re.search(rf"^{raised}: (.+?)( \[while running .*)?$", whole, re.MULTILINE)
    if told:
        return told[1]
    last = str(error).strip().rpartition("\n")[2].strip(" .") or type(error).__name__
    return f"Beam's runner gave up: {last}; mend that and run again, which goes on where it stopped"
