"""Checks options of Apache Beam before a pipeline runs: Beam itself ignores a misspelt option silently."""

import argparse
import io
import logging
import socket
from collections.abc import Sequence
from contextlib import redirect_stderr
from typing import Any

from curation.sources.opening import quiet_imports
from schemas.errors import UserError

LOG = logging.getLogger(__name__)
TIMEOUT_SECONDS = 10
"""How long a job server may take to answer."""
IN_PROCESS = ("apache_beam.runners.direct.", "apache_beam.runners.portability.fn_api_runner.")
"""Modules of the runners that have no options of their own."""


def is_local(options: Sequence[str]) -> bool:
    """Whether Beam's own in-memory runner is used, the only runner with which the run starts worker processes."""
    return not any(option.startswith(("--runner", "--direct_", "-r")) for option in options)


def with_runner(options: Sequence[str]) -> list[str]:
    """The options, with Beam's own in-memory runner if they name no runner."""
    given = any(option.startswith("--runner") for option in options)
    return [*options] if given else ["--runner=FnApiRunner", *options]


def check_options(options: Sequence[str], *, ask_server: bool = True) -> None:
    """Raises UserError for an unknown runner, for an invalid value of an option, for a job server that does not answer,
    and for an option that neither Beam nor the job server knows.

    A runner on a cluster may know further options. If these cannot be listed, a warning names the unknown options.
    Without ``ask_server`` no connection is made, and there is no warning.
    """
    with quiet_imports():
        from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions

    options = with_runner(options)

    runner = _runner(options)
    endpoint = PipelineOptions(options).view_as(PortableOptions).job_endpoint
    served = endpoint not in (None, "embed")
    if served and not ask_server:
        return
    if served:
        _check_connection(endpoint)
    names = unknown_options(options, _server_options(endpoint) if served else ())
    if not names:
        return
    if served or type(runner).__module__.startswith(IN_PROCESS):
        beam_does = f"Beam and its job server at {endpoint} do" if served else "Beam does"
        raise UserError(f"{beam_does} not know {', '.join(names)}: correct the name, or leave the option out")
    if not ask_server:
        return
    unknown, runner_name = ", ".join(names), type(runner).__name__
    LOG.warning("Beam does not know %s: the option has no effect unless %s knows it", unknown, runner_name)


def unknown_options(options: Sequence[str], server_options: Sequence[Any] = ()) -> list[str]:
    """The names of options that Beam does not know, without their values, which may be secret; if there are no such
    options, the words that are not options. ``server_options`` are further known options, as a job server describes
    them.

    >>> unknown_options(["--runner=FnApiRunner", "--nosuch=1", "--other", "2"]), unknown_options(["word"])
    (['--nosuch', '--other'], ['word'])
    """
    with quiet_imports():
        from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.portability.api import beam_job_api_pb2

    left: list[str] = []

    def look(parser: argparse.ArgumentParser) -> None:
        for each in server_options:
            flag = each.type == beam_job_api_pb2.PipelineOptionType.BOOLEAN
            try:
                parser.add_argument(f"--{each.name}", action="store_true" if flag else "store")
            except argparse.ArgumentError:
                continue  # Beam has this option, too
        left.extend(parser.parse_known_args(options)[1])

    PipelineOptions(options).get_all_options(add_extra_args_fn=look)
    return [word.partition("=")[0] for word in left if word.startswith("-")] or left


def _runner(options: Sequence[str]) -> object:
    with quiet_imports():
        from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
        from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
        from apache_beam.runners.runner import create_runner

    said = io.StringIO()
    try:
        with redirect_stderr(said), quiet_imports():
            given = PipelineOptions(options)
            given.get_all_options()
            runner = create_runner(given.view_as(StandardOptions).runner)
            if faults := PipelineOptionsValidator(given, runner).validate():
                raise ValueError("; ".join(fault.strip().rstrip(".") for fault in faults))
            return runner
    except (SystemExit, ValueError, ImportError) as error:  # SystemExit: Beam's parser prints, and ends the program
        why = said.getvalue().strip().rpartition("error: ")[2] if isinstance(error, SystemExit) else error
        raise UserError(f"Beam cannot use these options: {why}") from error


def _check_connection(endpoint: str) -> None:
    """Raises UserError if no job server answers: Beam itself would wait for minutes."""
    host, _, port = endpoint.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=TIMEOUT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise _no_server(endpoint, error) from error


def _server_options(endpoint: str) -> Sequence[Any]:
    """The options of a job server besides Beam's own."""
    import grpc
    from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc

    with grpc.insecure_channel(endpoint) as channel:
        server = beam_job_api_pb2_grpc.JobServiceStub(channel)
        try:
            asked = beam_job_api_pb2.DescribePipelineOptionsRequest()
            found = server.DescribePipelineOptions(asked, timeout=TIMEOUT_SECONDS, wait_for_ready=True)
        except grpc.RpcError as error:
            raise _no_server(endpoint, error.code().name) from error
    return list(found.options)


def _no_server(endpoint: str, why: object) -> UserError:
    return UserError(f"no Beam job server answers at {endpoint} ({why}): start the server, or correct job_endpoint")
