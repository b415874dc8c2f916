"""What a portable Beam job needs, on loopback: an environment with the wheel, a worker pool in it, and a job server."""

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.architecture.tree import ROOT

HERE = Path(__file__).parent


def make_environment(folder: Path) -> Path:
    """Makes ``folder`` a virtual environment that holds the project's wheel, with compiled kernels, and returns it.

    The dependencies are those that are installed here.
    """
    python = str(folder / "bin" / "python")
    commands = [
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "dist")],
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
    ]
    for command in commands:
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = (folder / "dist").glob("*.whl")
    uv = [sys.executable, "-m", "uv", "pip", "install", "--offline", "--no-deps", "--python", python, str(wheel)]
    subprocess.run(uv, check=True, capture_output=True)
    [own] = folder.glob("lib/python*/site-packages")
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")  # not the .pth files in it: no sources
    subprocess.run([python, "-m", "curation.warm"], cwd=folder, env=_variables(folder), check=True, capture_output=True)
    return folder


def imported_from(environment: Path, module: str) -> Path:
    """Where a worker of that environment finds a module."""
    show = f"import {module}; print({module}.__file__)"
    command = [str(environment / "bin" / "python"), "-c", show]
    run = subprocess.run(
        command, cwd=environment, env=_variables(environment), check=True, capture_output=True, text=True
    )
    return Path(run.stdout.strip())


def _variables(environment: Path) -> dict[str, str]:
    """The pool starts plain ``python``; nothing but the environment says what that imports."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"PATH": os.pathsep.join([str(environment / "bin"), os.environ["PATH"]])}


@dataclass(frozen=True)
class Services:
    """A job server and a worker pool that are at work."""

    jobs: int
    pool: int
    log: Path
    """What the job server prints as errors."""
    staging: Path
    _pool: psutil.Process

    def workers(self) -> list[psutil.Process]:
        return [one for one in self._pool.children() if one.status() != psutil.STATUS_ZOMBIE]

    def failed_attempts(self) -> int:
        return len(re.findall(r"^attempt \d+ failed: ", self.log.read_text(), re.MULTILINE))


@contextmanager
def services(environment: Path, folder: Path, workers: int, attempts: int) -> Iterator[Services]:
    """Ended with everything that they started, whatever happens in the block."""
    folder.mkdir()
    staging = folder / "staging"
    with ExitStack() as running:
        log = folder / "jobs.log"
        words = "job_service.py", str(staging), str(workers), str(attempts)
        jobs, _ = running.enter_context(_started(environment, log, *words))
        pool, process = running.enter_context(_started(environment, folder / "pool.log", "pool.py"))
        yield Services(jobs, pool, log, staging, process)


@contextmanager
def _started(environment: Path, log: Path, program: str, *words: str) -> Iterator[tuple[int, psutil.Process]]:
    """A program of this folder in that environment; the port that it prints first."""
    command = [str(environment / "bin" / "python"), str(HERE / program), *words]
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, cwd=environment, env=_variables(environment), stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        assert process.stdout
        main = psutil.Process(process.pid)
        try:
            yield int(process.stdout.readline()), main
        finally:
            for one in [*main.children(recursive=True), main]:
                with suppress(psutil.NoSuchProcess):
                    one.kill()
