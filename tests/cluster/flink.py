"""A standalone Flink cluster on loopback, Beam's job server for it, and a pool of workers beside each TaskManager.

The jars lie where ``make clusters`` puts what ``flink.xml`` asks for.
"""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.annotation.ports import free_port
from tests.architecture.tree import ROOT
from tests.cluster.programs import POOL, beside, job_server, programs

JARS = ROOT / ".venv" / ".flink"
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
LIMITS = ("-Xmx512m", "-XX:MaxDirectMemorySize=512m")
MASTER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
JOB_SERVER = "org.apache.beam.runners.flink.FlinkJobServerDriver"


@dataclass(frozen=True)
class Flink:
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
def flink(environment: Path, folder: Path, task_managers: int = 2) -> Iterator[Flink]:
    """Ended with everything that was started, whatever happens in the block. The logs stay in ``folder``."""
    rest, port = free_port(), free_port()
    settings = {**SETTINGS, "jobmanager.rpc.port": free_port(), "rest.port": rest, "io.tmp.dirs": folder / "tmp"}
    configured = "--configDir", str(folder)
    with programs(folder, environment, JARS) as started:
        (folder / "flink-conf.yaml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
        started.java("master", MASTER, *configured, options=LIMITS)
        workers = []
        for number in range(task_managers):
            hosts = f"-Djdk.net.hosts.file={beside(started, number, port)}"
            workers.append(started.java(f"worker-{number}", TASK_MANAGER, *configured, options=(*LIMITS, hosts)))
        endpoint = job_server(started, JOB_SERVER, "--flink-master", f"127.0.0.1:{rest}")
        started.told("master", r"Registering TaskManager with ResourceID (\S+)", task_managers)
        yield Flink(rest, endpoint, f"{POOL}:{port}", tuple(workers))
