"""Runs the pipelines of a run: on this machine with worker processes, or on the runner that Beam's options name."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from itertools import count
from typing import Any

from curation.engine import pipeline
from curation.engine.budget import most_links
from curation.engine.failures import error_for_user
from curation.engine.local_pipeline import LocalPipeline
from curation.engine.memory_limit import limited_memory, share
from curation.engine.run import Run, StageRun, linked_name
from curation.engine.selecting_pass import gather_near, gather_texts
from curation.engine.unit_reports import LinkedReport, ShrunkReport
from curation.engine.workers import Workers
from curation.job import Execution
from curation.sources.inputs import Unit
from curation.sources.opening import quiet_imports
from curation.sources.storage import outages
from schemas.errors import RunError, UserError

LOG = logging.getLogger(__name__)

Pipelines = Callable[[], AbstractContextManager[pipeline.Wiring[Any]]]
"""Starts a pipeline, which has run at the end of its block."""


@contextmanager
def started_workers(run: StageRun, workers: int, execution: Execution) -> Iterator[Workers]:
    """``workers`` worker processes for a run on this machine, for the duration of the block. Start them before threads:
    then they start faster."""
    count = workers if run.local and run.folder.shared else 0
    with Workers(count, None if execution.memory is None else share(execution.memory, count)) as processes:
        yield processes


def run_pipelines(
    run: Run,
    units: Sequence[Unit | int],
    processes: Workers,
    execution: Execution,
    between: Callable[[], None] = lambda: None,
) -> None:
    """Runs both pipelines with worker processes on this machine, or on the runner of ``execution``.

    ``between`` is called between the pipelines, when the units' reports are in the run's folder.

    Raises UserError or RunError with a message for the user.
    """
    run_steps(run, processes, execution, lambda start: _run(run, units, execution, between, start))


def run_steps(run: StageRun, processes: Workers, execution: Execution, steps: Callable[[Pipelines], None]) -> None:
    """Calls ``steps`` with the function that starts a pipeline: with worker processes on this machine, or on the runner
    of ``execution``.

    Raises UserError or RunError with a message for the user.
    """
    if not run.local:
        with quiet_imports():
            from curation.engine.beam_runner import beam_pipelines

        with beam_pipelines(execution.beam_options) as start:
            steps(start)
        run.folder.sweep()
        return
    memory = None if execution.memory is None or processes.count else share(execution.memory, 0)
    with limited_memory(memory):
        try:
            steps(lambda: nullcontext(LocalPipeline(processes)))
        except outages(RuntimeError, MemoryError, UserError, RunError) as error:
            shown = error_for_user(processes.failure or error, run.folder)
            if shown is None:
                raise
            raise shown from error


def _run(
    run: Run, units: Sequence[Unit | int], execution: Execution, between: Callable[[], None], start: Pipelines
) -> None:
    if run.taken_from is not None:
        with start() as selecting:
            pipeline.select(selecting, run)
        gather_texts(run)
        with start() as comparing:
            pipeline.find_near(comparing, run)
        gather_near(run)
    if run.removes_sites:
        with start() as removing:
            pipeline.remove_sites(removing, run, units)
    with start() as first:
        pipeline.find_duplicates(first, run, units)
    between()
    if run.job.recipe.dedup.stages and _count_links(run) > (execution.links or most_links(execution.memory)):
        run = _shrink_links(run, start)
    if run.job.recipe.dedup.pieces:
        with start() as cutting:
            pipeline.find_cuts(cutting, run)
    with start() as second:
        pipeline.write_corpus(second, run)


def _count_links(run: Run) -> int:
    """The number of links between the documents of all units."""
    return sum(run.folder.read_json(linked_name(unit), LinkedReport).links for unit in range(run.all_units))


def _shrink_links(run: Run, start: Pipelines) -> Run:
    """Shrinks the links to stars in rounds, each a pipeline, until a round changes nothing; returns the run with the
    number of rounds.

    A round that an interrupted run has finished is not repeated.
    """
    for number in count():
        reports = [f"{run.star_name(number, partition)}.json" for partition in range(run.partitions)]
        if not all(map(run.folder.exists, reports)):
            with start() as stars:
                pipeline.shrink_stars(stars, replace(run, stars=number))
        changed = sum(run.folder.read_json(report, ShrunkReport).changed for report in reports)
        LOG.info("%s: round %d over the links between duplicates changed %d", run.folder.root, number + 1, changed)
        if not changed:
            return replace(run, stars=number + 1)
    raise AssertionError("the rounds have no end")
