"""Worker processes that end, or never start: one error that says so, each time."""

import errno
import os
import signal
import subprocess
import sys
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


def parent() -> int:
    return os.getppid()


def test_a_program_with_threads_is_not_forked(another_thread: None) -> None:
    with Workers(1) as workers:
        assert workers.result(workers.submit(parent)) == forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]


FORKED = """
import os, signal
from curation.engine.workers import Workers
from tests.curation.engine.test_workers import handled, parent
signal.signal(signal.SIGTERM, lambda *_: None)
with Workers(2) as workers:
    assert workers.result(workers.submit(parent)) == os.getpid()
    assert workers.result(workers.submit(handled)) == [signal.SIG_IGN, signal.SIG_DFL]
try:
    os.wait()
except ChildProcessError:
    print("all have ended")
"""


def handled() -> list[object]:
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def test_a_forked_worker_keeps_no_handler_and_ends_with_the_run() -> None:
    run = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=False, timeout=60)
    assert (run.stdout, run.stderr) == ("all have ended\n", "")


def test_a_killed_fork_server_is_reported_or_restarted(another_thread: None) -> None:
    with Workers(1) as workers:
        workers.result(workers.submit(os.getpid))
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)  # type: ignore[attr-defined]
    with Workers(1) as workers:
        try:
            ended = workers.result(workers.submit(os.getpid)) != os.getpid()
        except WorkerError as error:  # its end was not noticed yet
            ended = "the process that starts them was killed" in str(error)
    assert ended
