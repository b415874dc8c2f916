"""Beam's own job server, with several workers a job, which starts a job that failed over again, as clusters do.

python job_service.py STAGING WORKERS ATTEMPTS

Prints its port, and as an error a line for each attempt that failed.
"""

import sys
import time
from typing import Any

from apache_beam.portability.api import beam_job_api_pb2, beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.runners.portability.local_job_service import BeamJob, LocalJobServicer


class Restarted(BeamJob):
    """A job that begins again from its first stage when a worker of it is lost; the others may still be at work."""

    workers, attempts = 1, 1

    def _invoke_runner(self) -> Any:
        self.set_state(beam_job_api_pb2.JobState.RUNNING)
        asked = self._pipeline_proto.SerializeToString()
        for attempt in range(1, self.attempts + 1):
            runner = FnApiRunner(provision_info=self._provision_info)
            runner._num_workers = self.workers  # its option reaches a runner that the client makes, not this one
            try:
                return runner.run_via_runner_api(
                    beam_runner_api_pb2.Pipeline.FromString(asked), self.pipeline_options()
                )
            except RuntimeError as error:
                print(f"attempt {attempt} failed: {str(error).strip().splitlines()[-1]}", file=sys.stderr, flush=True)
                if attempt == self.attempts:
                    raise
        raise AssertionError("there is at least one attempt")


def main(staging: str, workers: str, attempts: str) -> None:
    Restarted.workers, Restarted.attempts = int(workers), int(attempts)
    service = LocalJobServicer(staging, Restarted)
    print(service.start_grpc_server(), flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main(*sys.argv[1:])
