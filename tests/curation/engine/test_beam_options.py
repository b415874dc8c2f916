"""Options of Beam: a misspelt one is an error wherever something tells which ones there are."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from apache_beam.portability.api import beam_job_api_pb2, beam_job_api_pb2_grpc

from curation.engine.beam_options import check_options
from schemas.errors import UserError

BOOLEAN, STRING = beam_job_api_pb2.PipelineOptionType.BOOLEAN, beam_job_api_pb2.PipelineOptionType.STRING


class JobServer(beam_job_api_pb2_grpc.JobServiceServicer):  # type: ignore[misc]
    """A job server that has two options of its own, and one of Beam's."""

    def DescribePipelineOptions(self, request: Any, context: Any) -> Any:
        own = (("slots", STRING), ("eager", BOOLEAN), ("parallelism", STRING))
        described = [beam_job_api_pb2.PipelineOptionDescriptor(name=name, type=kind) for name, kind in own]
        return beam_job_api_pb2.DescribePipelineOptionsResponse(options=described)


@pytest.fixture
def job_server() -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(1))
    beam_job_api_pb2_grpc.add_JobServiceServicer_to_server(JobServer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.mark.parametrize("runner", ["FnApiRunner", "DirectRunner", "BundleBasedDirectRunner"])
def test_a_runner_in_this_process_has_no_options_of_its_own(runner: str) -> None:
    check_options(
        [f"--runner={runner}", "--direct_num_workers=2", "--experiments=a", "--experiments", "b", "--streaming"]
    )
    for words, said in (
        (["--nosuch=secret"], "--nosuch"),
        (["--nosuch", "secret"], "--nosuch"),
        (["--nosuch", "--direct_num_wokers=2"], "--nosuch, --direct_num_wokers"),
        (["crawl/b.jsonl"], "crawl/b.jsonl"),
    ):
        with pytest.raises(UserError) as error:
            check_options([f"--runner={runner}", *words])
        assert str(error.value) == f"Beam does not know {said}: correct the name, or leave the option out"


def test_a_job_server_says_which_options_it_has(job_server: str) -> None:
    options = ["--runner=PortableRunner", f"--job_endpoint={job_server}", "--parallelism=2"]
    check_options([*options, "--slots", "3", "--eager"])
    with pytest.raises(
        UserError, match=f"^Beam and its job server at {job_server} do not know --slot: correct the name"
    ):
        check_options([*options, "--eager", "--slot=3"])


def test_what_only_a_cluster_may_know_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "curation"):
        check_options(["--runner=FlinkRunner", "--parallelism=2"])
        check_options(["--runner=FlinkRunner", "--nosuch=1"])
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("curation")]
    assert ours == ["Beam does not know --nosuch: the option has no effect unless FlinkRunner knows it"]
