"""The job on a Flink cluster with two task managers: the local run's bytes, also when one of them is lost."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.cluster.corpus import write_corpus
from tests.cluster.environment import imported_from, make_environment
from tests.cluster.flink import Cluster, cluster
from tests.curation.test_laws import digest, rows

pytestmark = pytest.mark.soak

GRISTMILL = Path(sys.executable).parent / "gristmill"
SIZE = 100_000_000
Run = subprocess.Popen[str]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_environment(tmp_path_factory.mktemp("workers") / "environment")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "in", SIZE)


@pytest.fixture(scope="module")
def local(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The files of a local run over the corpus, which has something of everything."""
    output = tmp_path_factory.mktemp("local") / "out"
    subprocess.run([GRISTMILL, "curate", "--input", corpus / "*.jsonl", "--output", output], check=True)
    assert rows(output, "documents")
    stages = {row["stage"] for row in rows(output, "rejects")}
    assert {"gopher_quality", "exact", "near"} <= stages
    return digest(output)


def command(corpus: Path, output: Path, at_work: Cluster) -> list[str]:
    """The job file for Flink as it ships, with this corpus and these ports in it."""
    text = (ROOT / "jobs" / "clusters" / "flink.toml").read_text()
    for old, new in (
        ('"/shared/crawl/*.jsonl.gz"', f'"{corpus}/*.jsonl"'),
        ('"/shared/corpus"', f'"{output}"'),
        ('"localhost:8099"', f'"{at_work.job_endpoint}"'),
        ('"localhost:50000"', f'"{at_work.pool}"'),
        ("parallelism = 8", "parallelism = 2"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    job = output.with_suffix(".toml")
    job.write_text(text)
    return [str(GRISTMILL), "curate", str(job)]


def started(corpus: Path, output: Path, at_work: Cluster) -> Run:
    return subprocess.Popen(command(corpus, output, at_work), stderr=subprocess.PIPE, text=True)


def units(files: dict[str, str]) -> int:
    return sum(name.startswith("documents/") for name in files)


def when_half(output: Path, stage: str, units: int, job: Run) -> None:
    """Returns once half of the units have a report of that stage; the job must be at work then."""
    while sum(1 for _ in (output / ".work").glob(f"{stage}-*.json")) < units // 2:
        try:
            job.wait(timeout=0.02)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"the job ended first:\n{job.communicate()[1]}")


def test_workers_import_the_wheel(environment: Path) -> None:
    for module in ("schemas", "curation.stages", "jobs.cli"):
        assert environment in imported_from(environment, module).parents


def test_the_bytes_are_the_local_ones(environment: Path, corpus: Path, local: dict[str, str], tmp_path: Path) -> None:
    output = tmp_path / "out"
    with cluster(environment, tmp_path / "flink") as at_work:
        subprocess.run(command(corpus, output, at_work), check=True)
        assert [state for _, state in at_work.jobs()] == ["FINISHED"] * 2
        assert not [job for job, _ in at_work.jobs() if at_work.failures(job)]
        staged = [path.name for path in (tmp_path / "flink" / "staged").rglob("*") if path.is_file()]
    assert digest(output) == local
    assert not [name for name in staged if re.search("pickle|session", name)]


@pytest.mark.parametrize(("stage", "number"), [("judged", 0), ("written", 1)])
def test_a_lost_task_manager_changes_no_byte(
    environment: Path, corpus: Path, local: dict[str, str], tmp_path: Path, stage: str, number: int
) -> None:
    """Killed while it reads, or while it writes: Flink begins the job again on the other one, with the same command."""
    output = tmp_path / "out"
    with cluster(environment, tmp_path / "flink") as at_work, started(corpus, output, at_work) as job:
        when_half(output, stage, units(local), job)
        at_work.task_managers[0].kill()
        _, said = job.communicate()
        assert job.returncode == 0, said
        assert [state for _, state in at_work.jobs()] == ["FINISHED"] * 2
        failures = [at_work.failures(each) for each, _ in at_work.jobs()]
        assert failures[number], "the loss was not felt"
        assert not failures[1 - number]
    assert digest(output) == local


def test_a_lost_cluster_changes_no_byte(environment: Path, corpus: Path, local: dict[str, str], tmp_path: Path) -> None:
    """Job server, cluster and workers end at once; the same command goes on with a new cluster."""
    output = tmp_path / "out"
    with cluster(environment, tmp_path / "first") as at_work:
        lost = started(corpus, output, at_work)
        when_half(output, "judged", units(local), lost)
    _, said = lost.communicate()
    assert lost.returncode == 1
    assert "gristmill: Beam's job server was lost (" in said
    judged = {path: path.stat().st_mtime_ns for path in (output / ".work").glob("judged-*.json")}
    assert len(judged) >= units(local) // 2
    with cluster(environment, tmp_path / "second") as at_work, started(corpus, output, at_work) as job:
        when_half(output, "written", units(local), job)
        assert judged == {path: path.stat().st_mtime_ns for path in judged}, "a unit was judged again"
        _, said = job.communicate()
    assert job.returncode == 0, said
    assert "going on with the run that was interrupted there" in said
    assert digest(output) == local
