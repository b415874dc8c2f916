"""Runs pipelines on the runner that Beam's options name."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import PipelineOptions

from curation.engine.beam_options import check_options, with_runner
from curation.engine.beam_pipeline import BeamPipeline
from curation.engine.failures import error_on_runner
from schemas.errors import RunError

Pipelines = Callable[[], AbstractContextManager[BeamPipeline]]


@contextmanager
def beam_pipelines(options: Sequence[str]) -> Iterator[Pipelines]:
    """Gives the function that starts a pipeline; the pipeline runs at the end of its block.

    Raises UserError for options that Beam cannot use, and RunError with a message for the user if a pipeline fails.
    """
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    given = with_runner(options)
    given.append("--no_pipeline_type_check")  # the types are fixed here, and checking them costs a tenth of a second
    given.append("--no_save_main_session")  # workers import the stages from the wheel that they have
    check_options(given)

    @contextmanager
    def pipeline() -> Iterator[BeamPipeline]:
        with beam.Pipeline(options=PipelineOptions(given)) as started:
            yield BeamPipeline(started)

    try:
        yield pipeline
    except (grpc.RpcError, grpc.FutureTimeoutError) as error:
        why = error.details() if isinstance(error, grpc.Call) else type(error).__name__
        raise RunError(
            f"the connection to Beam's job server was lost ({why}): run again; the run resumes where it stopped"
        ) from error
    except (RuntimeError, RunError) as error:
        raise error_on_runner(error) from error
