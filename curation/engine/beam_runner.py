"""Runs the pipelines of a run: on this machine with worker processes, or on the runner that Beam's options name."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from curation.engine.beam_options import check_options, with_runner
from curation.engine.budget import most_links
from curation.engine.failures import error_for_user, error_on_runner, find_interrupt
from curation.engine.memory_limit import limited_memory, share
from curation.engine.run import Run, linked_name
from curation.engine.selecting_pass import gather_near, gather_texts
from curation.engine.unit_reports import LinkedReport, ShrunkReport
from curation.engine.workers import Workers
from curation.job import Execution
from curation.sources.inputs import Unit
from curation.sources.opening import quiet_imports
from curation.sources.storage import outages
from schemas.errors import RunError, UserError

LOG = logging.getLogger(__name__)


def run_pipelines(
    run: Run,
    units: Sequence[Unit | int],
    workers: int,
    execution: Execution,
    between: Callable[[], None] = lambda: None,
) -> None:
    """Runs both pipelines with ``workers`` worker processes on this machine, or on the runner of ``execution``.

    ``between`` is called between the pipelines, when the units' reports are in the run's folder.

    Raises UserError or RunError with a message for the user.
    """
    if not run.local:
        _run(run, units, execution, between)
        run.folder.sweep()
        return
    count = workers if run.folder.shared else 0
    memory = None if execution.memory is None else share(execution.memory, count)
    with limited_memory(None if count else memory), Workers(count, memory) as processes:
        try:
            _run(run, units, execution, between)
        except outages(RuntimeError, MemoryError, UserError, RunError) as error:
            shown = error_for_user(processes.failure or find_interrupt(error) or error, run.folder)
            if shown is None:
                raise
            raise shown from error


def _run(run: Run, units: Sequence[Unit | int], execution: Execution, between: Callable[[], None]) -> None:
    with quiet_imports():
        import apache_beam as beam
        import grpc
        from apache_beam.options.pipeline_options import PipelineOptions

        from curation.engine import pipeline

    quiet = logging.CRITICAL if run.local else logging.ERROR  # a local run raises the errors of its stages itself
    logging.getLogger("apache_beam").setLevel(quiet)
    options = with_runner(execution.beam_options)
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
        if run.job.recipe.dedup.stages and _count_links(run) > (execution.links or most_links(execution.memory)):
            run = _shrink_links(run, lambda: beam.Pipeline(options=PipelineOptions(options)))
        with beam.Pipeline(options=PipelineOptions(options)) as second:
            pipeline.write_corpus(second, run)
    except (grpc.RpcError, grpc.FutureTimeoutError) as error:
        why = error.details() if isinstance(error, grpc.Call) else type(error).__name__
        raise RunError(
            f"the connection to Beam's job server was lost ({why}): run again; the run resumes where it stopped"
        ) from error
    except (RuntimeError, RunError) as error:
        if run.local:
            raise
        raise error_on_runner(error) from error


def _count_links(run: Run) -> int:
    """The number of links between the documents of all units."""
    return sum(run.folder.read_json(linked_name(unit), LinkedReport).links for unit in range(run.all_units))


def _shrink_links(run: Run, start: Callable[[], Any]) -> Run:
    """Shrinks the links to stars in rounds, each a pipeline, until a round changes nothing; returns the run with the
    number of rounds.

    A round that an interrupted run has finished is not repeated.
    """
    from curation.engine import pipeline

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
