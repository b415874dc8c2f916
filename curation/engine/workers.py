"""Worker processes of a local run, in which the stages run.

The processes are forked before the run starts a thread, so that they start in milliseconds and share the imported code.
In a program with several threads, a fork server starts them, which first imports the stages itself. Without workers
(for a small input) the stages run in the main process.
"""

import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from typing import Any

from curation.engine.first_use import load_kernels
from curation.engine.memory_limit import limit
from schemas.module_path import SafeForChildren, without_current_folder


class WorkerError(RuntimeError):
    """A worker process was killed, or could not be started."""


LOG = logging.getLogger(__name__)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
"""Those that a program handles; a worker leaves Ctrl+C to the main process, and ends by the others."""
AGAIN = "run the same command again with less --memory or fewer --workers; the run resumes where it stopped"
LOST = f"a worker process was killed, probably because memory ran out: {AGAIN}"


class Workers:
    """``count`` processes for the duration of a block. If ``count`` is 0, functions run in the process that submits
    them.

    ``failure`` is the first error that a function raised. Each process may use ``memory`` bytes;
    an allocation beyond that raises MemoryError.
    """

    def __init__(self, count: int, memory: int | None = None):
        self.count = count
        self.failure: BaseException | None = None
        self._watched, self._held = multiprocessing.Pipe(duplex=False)
        self._pool = _pool(count, self._watched, self._held, memory) if count else None
        if self._pool is None:
            self.count = 0

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._end()
        except KeyboardInterrupt:  # a second Ctrl+C: do not wait for running functions
            self._held.close()
            self._end()
            raise
        finally:
            self._held.close()
            self._watched.close()

    def _end(self) -> None:
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        """Starts a call; pass the future to ``result``. Raises WorkerError if no process can run the function."""
        if self._pool:
            try:
                return self._pool.submit(function, *arguments)
            except BrokenProcessPool as error:
                raise self._first_failure(LOST) from error
            except (OSError, EOFError) as error:  # no process, no memory, or the fork server was killed just now
                ended = isinstance(error, EOFError | ConnectionError)
                why = "the process that starts them was killed" if ended else error
                raise self._first_failure(f"no worker process can be started ({why}): {AGAIN}") from error
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except BaseException as error:
            self.failure = self.failure or error
            raise
        return future

    def result(self, future: "Future[Any]") -> Any:
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise self._first_failure(LOST) from error
        except BaseException as error:
            self.failure = self.failure or error
            raise

    def _first_failure(self, sentence: str) -> BaseException:
        """The first failure of the run: a WorkerError with this sentence, unless another error came earlier."""
        self.failure = self.failure or WorkerError(sentence)
        return self.failure


def _pool(count: int, watched: Connection, held: Connection, memory: int | None) -> ProcessPoolExecutor | None:
    """The pool of processes; None on a machine that allows no semaphores or sockets between processes. The run is then
    slower, and writes the same bytes."""
    alone = threading.active_count() == 1
    arguments = watched, held if alone else None, without_current_folder(sys.path), memory
    try:
        if not alone:
            multiprocessing.set_forkserver_preload(["curation.engine.preloaded"])
            with SafeForChildren():
                forkserver.ensure_running()
        context = multiprocessing.get_context("fork" if alone else "forkserver")
        pool = ProcessPoolExecutor(count, context, initializer=_start, initargs=arguments)
        if alone:
            load_kernels()
            _fork(pool)
        return pool
    except (OSError, ImportError) as error:  # ImportError: a Python that was built without semaphores
        LOG.warning("worker processes cannot be used here (%s, perhaps /dev/shm): one process does the work", error)
        return None


def _fork(pool: ProcessPoolExecutor) -> None:
    """Forks all processes of a pool now. A signal that arrives while they start reaches the main process later, and not
    the handlers that they have of it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        pool.submit(os.getpid)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(watched: Connection, held: Connection | None, path: list[str], memory: int | None) -> None:
    """Prepares a worker process, which imports modules from ``path`` only and may use ``memory`` bytes.

    The main process handles Ctrl+C. A worker ends when the main process ends, even if that is killed, or when the
    other end of ``watched`` is closed; ``held`` is this end in a process that was forked.
    """
    sys.path[:] = path
    if memory is not None:
        limit(memory)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN if number == signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    if held is not None:
        held.close()
        gc.freeze()  # what the main process made stays, and need not be looked at
        gc.set_threshold(700, 10, 10)
    main = multiprocessing.parent_process()
    assert main is not None
    threading.Thread(target=_end_with, args=(main.sentinel, watched), daemon=True).start()


def _end_with(*watched: int | Connection) -> None:
    wait(watched)
    os._exit(1)
