"""A standalone Spark cluster on loopback, Beam's job server for it, and a pool of Python workers beside each worker.

The jars lie where ``make clusters`` puts what ``spark.xml`` asks for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.annotation.ports import free_port
from tests.architecture.tree import ROOT
from tests.cluster.programs import OPTIONS, POOL, beside, job_server, programs

JARS = ROOT / ".venv" / ".spark"
LOOPBACK = ("-Dspark.driver.host=127.0.0.1", "-Dspark.driver.bindAddress=127.0.0.1", "-Dspark.ui.enabled=false")
MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
JOB_SERVER = "org.apache.beam.runners.spark.SparkJobServerDriver"


@dataclass(frozen=True)
class Spark:
    """One master, workers of one core, a job server and worker pools that are at work."""

    job_endpoint: str
    pool: str
    workers: tuple[psutil.Process, ...]


@contextmanager
def spark(environment: Path, folder: Path, workers: int = 2) -> Iterator[Spark]:
    """Ended with everything that was started, whatever happens in the block. The logs stay in ``folder``."""
    port, address = free_port(), f"127.0.0.1:{free_port()}"
    with programs(folder, environment, JARS) as started:
        home = _home(folder)
        host, _, number = address.partition(":")
        started.java("master", MASTER, "--host", host, "--port", number, "--webui-port", "0", **home)
        started.told("master", r"Starting Spark master at (\S+)")
        at_work = []
        for each in range(workers):
            known = {"JAVA_TOOL_OPTIONS": f"-Djdk.net.hosts.file={beside(started, each, port)}"}  # for its executors
            size = "--cores", "1", "--memory", "1g", "--webui-port", "0", "--work-dir", str(folder / f"work-{each}")
            words = "--host", host, *size, f"spark://{address}"
            at_work.append(started.java(f"worker-{each}", WORKER, *words, **home, **known))
        started.told("master", r"Registering worker (\S+)", workers)
        executors = f"-Dspark.executor.extraJavaOptions={' '.join(OPTIONS)}"
        options = *LOOPBACK, executors
        endpoint = job_server(started, JOB_SERVER, "--spark-master-url", f"spark://{address}", options=options)
        yield Spark(endpoint, f"{POOL}:{port}", tuple(at_work))


def _home(folder: Path) -> dict[str, str]:
    """A Spark home as its distribution has it, which a worker starts its executors from."""
    (folder / "jars").symlink_to(JARS)
    (folder / "RELEASE").touch()
    return {"SPARK_HOME": str(folder), "SPARK_SCALA_VERSION": "2.12", "SPARK_LOCAL_IP": "127.0.0.1"}
