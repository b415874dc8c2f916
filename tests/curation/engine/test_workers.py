"""Worker processes that end, or never start: one error that says so, each time."""

import errno
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import forkserver

import pytest

from curation.engine.workers import WorkerError, Workers

LOST = "^a worker process was killed, probably because memory ran out: run the same command again with less"


def kill_oneself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_every_call_after_a_killed_worker_fails() -> None:
    with Workers(1) as workers:
        killed, behind_it = workers.submit(kill_oneself), workers.submit(os.getpid)
        for future in (killed, behind_it):
            with pytest.raises(WorkerError, match=LOST):
                workers.result(future)
        with pytest.raises(WorkerError, match=LOST):
            workers.submit(os.getpid)  # the pool itself says something else


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (EOFError("unexpected EOF"), "the process that starts them was killed"),  # click: "Aborted!"
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "Resource temporarily unavailable"),
    ],
)
def test_a_worker_that_cannot_start_is_reported(error: Exception, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*arguments: object) -> None:
        raise error

    with Workers(1) as workers:
        monkeypatch.setattr(ProcessPoolExecutor, "submit", fails)
        with pytest.raises(
            WorkerError, match=f"^no worker process can be started .*{why}.*: run the same command again"
        ):
            workers.submit(os.getpid)
        assert isinstance(workers.failure, WorkerError)


def test_a_killed_fork_server_is_reported_or_restarted() -> None:
    with Workers(1) as workers:
        workers.result(workers.submit(os.getpid))
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)  # type: ignore[attr-defined]
    with Workers(1) as workers:
        try:
            ended = workers.result(workers.submit(os.getpid)) != os.getpid()
        except WorkerError as error:  # its end was not noticed yet
            ended = "the process that starts them was killed" in str(error)
    assert ended
