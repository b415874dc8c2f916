"""A standalone Flink cluster on loopback, Beam's job server for it, and a pool of workers beside each TaskManager.

The jars lie where ``make flink`` puts what ``pom.xml`` asks for.
"""

import json
import re
import socket
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.annotation.ports import free_port
from tests.architecture.tree import ROOT
from tests.cluster.environment import variables

JARS = ROOT / ".venv" / ".flink"
HERE = Path(__file__).parent
SETTINGS = {
    "jobmanager.rpc.address": "127.0.0.1",
    "jobmanager.bind-host": "127.0.0.1",
    "rest.address": "127.0.0.1",
    "rest.bind-address": "127.0.0.1",
    "taskmanager.host": "127.0.0.1",
    "taskmanager.bind-host": "127.0.0.1",
    "taskmanager.numberOfTaskSlots": 2,
    "cluster.evenly-spread-out-slots": "true",
    "heartbeat.interval": 1_000,
    "heartbeat.timeout": 10_000,
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": 3,
    "restart-strategy.fixed-delay.delay": "1 s",
    # the shares that Flink's start script would reckon out
    "taskmanager.cpu.cores": 2,
    "taskmanager.memory.framework.heap.size": "128 mb",
    "taskmanager.memory.framework.off-heap.size": "128 mb",
    "taskmanager.memory.task.heap.size": "384 mb",
    "taskmanager.memory.task.off-heap.size": "0 mb",
    "taskmanager.memory.managed.size": "256 mb",
    "taskmanager.memory.network.min": "128 mb",
    "taskmanager.memory.network.max": "128 mb",
    "taskmanager.memory.jvm-metaspace.size": "256 mb",
    "taskmanager.memory.jvm-overhead.min": "192 mb",
    "taskmanager.memory.jvm-overhead.max": "192 mb",
}
OPENED = ("lang", "lang.reflect", "net", "nio", "text", "time", "util", "util.concurrent")
"""Packages of Java's own that Flink and Beam look into, which Java 17 has to be told."""
MASTER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
JOB_SERVER = "org.apache.beam.runners.flink.FlinkJobServerDriver"
POOL = "pool.example"
"""The name by which each TaskManager finds the pool beside it: to each it is another address of this machine."""


@dataclass(frozen=True)
class Cluster:
    """One JobManager, TaskManagers, a job server and worker pools that are at work."""

    rest: int
    job_endpoint: str
    pool: str
    task_managers: tuple[psutil.Process, ...]

    def jobs(self) -> list[tuple[str, str]]:
        """Each job's id and state, in the order of their starts."""
        found = sorted(self._asked("jobs/overview")["jobs"], key=lambda job: job["start-time"])
        return [(job["jid"], job["state"]) for job in found]

    def failures(self, job: str) -> list[str]:
        """Why a job was begun again, each time."""
        history = self._asked(f"jobs/{job}/exceptions")["exceptionHistory"]["entries"]
        return [entry["exceptionName"].rpartition(".")[2] for entry in history]

    def _asked(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.rest}/{path}", timeout=10) as answer:
            return json.load(answer)


@contextmanager
def cluster(environment: Path, folder: Path, task_managers: int = 2) -> Iterator[Cluster]:
    """Ended with everything that was started, whatever happens in the block. The logs stay in ``folder``."""
    (folder / "tmp").mkdir(parents=True)
    rest, port = free_port(), free_port()
    settings = {**SETTINGS, "jobmanager.rpc.port": free_port(), "rest.port": rest, "io.tmp.dirs": folder / "tmp"}
    (folder / "flink-conf.yaml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
    configured = "--configDir", str(folder)
    # with port 0 each service takes a free one, on loopback; with a number Beam listens on every address
    ports = [word for name in ("job", "artifact", "expansion") for word in (f"--{name}-port", "0")]
    served = "--flink-master", f"127.0.0.1:{rest}", "--job-host", "127.0.0.1", "--artifacts-dir", str(folder / "staged")
    with ExitStack() as running:

        def start(name: str, command: list[str]) -> psutil.Process:
            return running.enter_context(_started(folder / f"{name}.log", command, environment))

        pools, workers = [], []
        for number in range(task_managers):
            host = f"127.0.0.{number + 2}"
            pools.append(start(f"pool-{number}", _pool(environment, f"{host}:{port}")))
            hosts = folder / f"hosts-{number}"
            hosts.write_text(f"127.0.0.1 localhost {socket.gethostname()}\n{host} {POOL}\n")
            workers.append(start(f"worker-{number}", _java(folder, TASK_MANAGER, *configured, hosts=hosts)))
        master = start("master", _java(folder, MASTER, *configured))
        server = start("jobs", _java(folder, JOB_SERVER, *served, *ports))
        for number, pool in enumerate(pools):
            _told(folder / f"pool-{number}.log", [pool], r"^(\d+)$")
        _told(folder / "master.log", [master, *workers], r"Registering TaskManager with ResourceID (\S+)", len(workers))
        jobs = _told(folder / "jobs.log", [server], r"JobService started on \S+:(\d+)")
        yield Cluster(rest, f"127.0.0.1:{jobs}", f"{POOL}:{port}", tuple(workers))


def _pool(environment: Path, address: str) -> list[str]:
    return [str(environment / "bin" / "python"), str(HERE / "pool.py"), address]


def _java(folder: Path, main: str, *words: str, hosts: Path | None = None) -> list[str]:
    opened = [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in OPENED]
    limits = ["-Xmx512m", "-XX:MaxDirectMemorySize=512m", f"-Djava.io.tmpdir={folder / 'tmp'}"]
    names = [f"-Djdk.net.hosts.file={hosts}"] if hosts else []
    return ["java", *opened, *limits, *names, "-cp", f"{JARS}/*", main, *words]


@contextmanager
def _started(log: Path, command: list[str], environment: Path) -> Iterator[psutil.Process]:
    """A program whose output goes to a log; it is killed in the end, with those that it started."""
    with (
        log.open("wb") as told,
        subprocess.Popen(command, cwd=log.parent, env=variables(environment), stdout=told, stderr=told) as process,
    ):
        main = psutil.Process(process.pid)
        try:
            yield main
        finally:
            with suppress(psutil.NoSuchProcess):
                for one in [*main.children(recursive=True), main]:
                    with suppress(psutil.NoSuchProcess):
                        one.kill()


def _told(log: Path, alive: Sequence[psutil.Process], pattern: str, times: int = 1) -> str:
    """Waits until a log holds a pattern so many times; what its group matched last."""
    while True:
        found = re.findall(pattern, log.read_text(), re.MULTILINE)
        if len(found) >= times:
            return str(found[-1])
        gone, _ = psutil.wait_procs(alive, timeout=0.1)
        if gone:
            raise RuntimeError(f"a program ended before {log.name} told {pattern!r}:\n{log.read_text()[-2000:]}")
