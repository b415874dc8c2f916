"""Options of Apache Beam, checked before a pipeline runs: Beam itself skips a misspelt one without a word."""

import argparse
import io
import logging
import socket
from collections.abc import Sequence
from contextlib import redirect_stderr
from typing import Any

from schemas.errors import UserError

LOG = logging.getLogger(__name__)
REACHED_SECONDS = 10
IN_PROCESS = ("apache_beam.runners.direct.", "apache_beam.runners.portability.fn_api_runner.")
"""Modules of the runners that have no options beside those of Beam."""


def is_local(options: Sequence[str]) -> bool:
    """Whether Beam's own in-memory runner is used: the only one beside which worker processes make sense."""
    return not any(option.startswith(("--runner", "--direct_", "-r")) for option in options)


def check_options(options: Sequence[str]) -> None:
    """Raises UserError for a runner that Beam does not have, for a value that an option cannot have, for a job server
    that does not answer, and for an option that neither Beam nor the job server knows.

    A runner on a cluster may know further options. Where nothing tells which, a warning names them.
    """
    from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions

    runner = _runner(options)
    endpoint = PipelineOptions(options).view_as(PortableOptions).job_endpoint
    served = endpoint not in (None, "embed")
    if served:
        _reach(endpoint)
    names = unknown_options(options, _described(endpoint) if served else ())
    if not names:
        return
    if served or type(runner).__module__.startswith(IN_PROCESS):
        whom = f"Beam and its job server at {endpoint} do" if served else "Beam does"
        raise UserError(f"{whom} not know {', '.join(names)}: mend the name, or leave it out")
    LOG.warning("Beam does not know %s: unless %s does, it has no effect", ", ".join(names), type(runner).__name__)


def unknown_options(options: Sequence[str], described: Sequence[Any] = ()) -> list[str]:
    """The names of options that Beam does not know, without their values, which may be secret; otherwise the words that
    are no options. ``described`` are options of a job server, as it describes them.

    >>> unknown_options(["--runner=FnApiRunner", "--nosuch=1", "--other", "2"]), unknown_options(["word"])
    (['--nosuch', '--other'], ['word'])
    """
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.portability.api import beam_job_api_pb2

    left: list[str] = []

    def look(parser: argparse.ArgumentParser) -> None:
        for each in described:
            flag = each.type == beam_job_api_pb2.PipelineOptionType.BOOLEAN
            try:
                parser.add_argument(f"--{each.name}", action="store_true" if flag else "store")
            except argparse.ArgumentError:
                continue  # one of Beam's own
        left.extend(parser.parse_known_args(options)[1])

    PipelineOptions(options).get_all_options(add_extra_args_fn=look)
    return [word.partition("=")[0] for word in left if word.startswith("-")] or left


def _runner(options: Sequence[str]) -> object:
    from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
    from apache_beam.runners.runner import create_runner

    said = io.StringIO()
    try:
        with redirect_stderr(said):
            given = PipelineOptions(options)
            given.get_all_options()
            return create_runner(given.view_as(StandardOptions).runner)
    except (SystemExit, ValueError, ImportError) as error:  # SystemExit: its parser prints, and ends the program
        why = said.getvalue().strip().rpartition("error: ")[2] if isinstance(error, SystemExit) else error
        raise UserError(f"Beam cannot use these options: {why}") from error


def _reach(endpoint: str) -> None:
    """Beam would wait for minutes for a job server that is not there."""
    host, _, port = endpoint.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=REACHED_SECONDS).close()
    except (OSError, ValueError) as error:
        raise _no_server(endpoint, error) from error


def _described(endpoint: str) -> Sequence[Any]:
    """The options of a job server beside Beam's own."""
    import grpc
    from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc

    with grpc.insecure_channel(endpoint) as channel:
        server = beam_job_api_pb2_grpc.JobServiceStub(channel)
        try:
            asked = beam_job_api_pb2.DescribePipelineOptionsRequest()
            found = server.DescribePipelineOptions(asked, timeout=REACHED_SECONDS, wait_for_ready=True)
        except grpc.RpcError as error:
            raise _no_server(endpoint, error.code().name) from error
    return list(found.options)


def _no_server(endpoint: str, why: object) -> UserError:
    return UserError(f"no Beam job server answers at {endpoint} ({why}): start it, or mend job_endpoint")
