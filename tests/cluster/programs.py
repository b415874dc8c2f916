"""Programs on loopback that make a cluster: each has a log, and all end with the block in which they were started."""

import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.cluster.environment import variables

HERE = Path(__file__).parent
POOL = "pool.example"
"""The name by which a worker machine finds the pool beside it."""
OPENED = (
    *("java.io", "java.lang", "java.lang.invoke", "java.lang.reflect", "java.net", "java.nio", "java.text"),
    *("java.time", "java.util", "java.util.concurrent", "java.util.concurrent.atomic"),
    *("sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar"),
)
"""Packages of Java's own that clusters and Beam look into, which Java 17 has to be told."""
OPTIONS = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED]


@dataclass(frozen=True)
class Programs:
    """``jars`` is the folder whose jars the Java programs have, ``environment`` that of the Python ones."""

    folder: Path
    environment: Path
    jars: Path
    _running: ExitStack = field(default_factory=ExitStack)
    _all: dict[psutil.Process, str] = field(default_factory=dict)

    def java(self, name: str, main: str, *words: str, options: tuple[str, ...] = (), **more: str) -> psutil.Process:
        place = [f"-Djava.io.tmpdir={self.folder / 'tmp'}", *options, "-cp", f"{self.jars}/*"]
        return self._start(name, ["java", *OPTIONS, *place, main, *words], more)

    def pool(self, address: str) -> psutil.Process:
        """A pool of workers at one address."""
        return self._start(address, [str(self.environment / "bin" / "python"), str(HERE / "pool.py"), address], {})

    def told(self, name: str, pattern: str, times: int = 1) -> str:
        """Waits until a program's log holds a pattern so many times; what its group matched last."""
        while True:
            log = self._log(name).read_text()
            found = re.findall(pattern, log, re.MULTILINE)
            if len(found) >= times:
                return str(found[-1])
            gone, _ = psutil.wait_procs(self._all, timeout=0.1)
            if gone:
                ended = self._all[gone[0]]
                said = self._log(ended).read_text()
                raise RuntimeError(f"{ended} ended before {name} told {pattern!r}. It said last:\n{said[-2000:]}")

    def _start(self, name: str, command: list[str], more: Mapping[str, str]) -> psutil.Process:
        process = self._running.enter_context(_started(self._log(name), command, variables(self.environment) | more))
        self._all[process] = name
        return process

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


@contextmanager
def programs(folder: Path, environment: Path, jars: Path) -> Iterator[Programs]:
    (folder / "tmp").mkdir(parents=True)
    found = Programs(folder, environment, jars)
    with found._running:
        yield found


@contextmanager
def _started(log: Path, command: list[str], environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    with (
        log.open("wb") as told,
        subprocess.Popen(command, cwd=log.parent, env=environment, stdout=told, stderr=told) as process,
    ):
        main = psutil.Process(process.pid)
        try:
            yield main
        finally:
            with suppress(psutil.NoSuchProcess):
                for one in [*main.children(recursive=True), main]:
                    with suppress(psutil.NoSuchProcess):
                        one.kill()


def beside(programs: Programs, number: int, port: int) -> Path:
    """Starts a pool for the worker machine of that number; the hosts file by which this one finds it as POOL.

    To each it is another address: two must not share a pool, as they give their workers the same names.
    """
    host = f"127.0.0.{number + 2}"
    programs.pool(f"{host}:{port}")
    programs.told(f"{host}:{port}", r"^(\d+)$")
    hosts = programs.folder / f"hosts-{number}"
    hosts.write_text(f"127.0.0.1 localhost {socket.gethostname()}\n{host} {POOL}\n")
    return hosts


def job_server(programs: Programs, main: str, *words: str, options: tuple[str, ...] = ()) -> str:
    """Starts Beam's job server of that class; where it is reached.

    With port 0 each of its services takes a free one, on loopback; with a number it would listen on every address.
    """
    ports = [word for name in ("job", "artifact", "expansion") for word in (f"--{name}-port", "0")]
    place = "--job-host", "127.0.0.1", "--artifacts-dir", str(programs.folder / "staged")
    programs.java("jobs", main, *words, *place, *ports, options=options)
    return "127.0.0.1:" + programs.told("jobs", r"JobService started on \S+:(\d+)")
