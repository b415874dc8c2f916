"""A job server has workers that import the wheel do the job: the local run's bytes, also when one is killed."""

import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.architecture.tree import ROOT
from tests.curation.test_laws import digest, rows
from tests.portable.corpus import write_corpus
from tests.portable.services import Services, imported_from, make_environment, services

pytestmark = pytest.mark.soak

GRISTMILL = Path(sys.executable).parent / "gristmill"
SIZE = 100_000_000


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


def command(corpus: Path, output: Path, at_work: Services) -> list[str]:
    """The job file for Flink as it ships, with this corpus and these ports in it."""
    text = (ROOT / "jobs" / "clusters" / "flink.toml").read_text()
    for old, new in (
        ("/shared/crawl/*.jsonl.gz", f"{corpus}/*.jsonl"),
        ("/shared/corpus", str(output)),
        ("localhost:8099", f"127.0.0.1:{at_work.jobs}"),
        ("localhost:50000", f"127.0.0.1:{at_work.pool}"),
    ):
        assert text.count(f'"{old}"') == 1
        text = text.replace(f'"{old}"', f'"{new}"')
    job = output.with_suffix(".toml")
    job.write_text(text)
    return [str(GRISTMILL), "curate", str(job)]


def reports(output: Path, stage: str) -> int:
    return sum(1 for _ in (output / ".work").glob(f"{stage}-*.json"))


def kill_a_writer(at_work: Services, output: Path, job: "subprocess.Popen[str]") -> bool:
    """Kills a worker with signal 9 while it has files of the output open; whether one had, before the job ended."""
    while job.poll() is None:
        for worker in at_work.workers():
            if _writes(worker, output):
                worker.kill()
                return True
    return False


def _writes(worker: psutil.Process, output: Path) -> bool:
    try:
        return any(file.path.startswith(f"{output}/") and file.path.endswith(".tmp") for file in worker.open_files())
    except psutil.Error:  # it ended
        return False


def when_half(output: Path, stage: str, units: int, job: "subprocess.Popen[str]") -> None:
    """Returns once half of the units have a report of that stage, or the job ended."""
    while job.poll() is None and reports(output, stage) < units // 2:
        pass


def test_workers_import_the_wheel(environment: Path) -> None:
    for module in ("schemas", "curation.stages", "jobs.cli"):
        assert environment in imported_from(environment, module).parents


def test_the_bytes_are_the_local_ones(environment: Path, corpus: Path, local: dict[str, str], tmp_path: Path) -> None:
    output = tmp_path / "out"
    with services(environment, tmp_path / "services", workers=2, attempts=1) as at_work:
        subprocess.run(command(corpus, output, at_work), check=True)
        staged = [path.name for path in at_work.staging.rglob("*") if path.is_file()]
    assert digest(output) == local
    assert not [name for name in staged if re.search("pickle|session", name)]


def test_a_killed_worker_changes_no_byte(
    environment: Path, corpus: Path, local: dict[str, str], tmp_path: Path
) -> None:
    """The job server has the whole job done again, beside the worker that is left."""
    output = tmp_path / "out"
    with (
        services(environment, tmp_path / "services", workers=2, attempts=2) as at_work,
        subprocess.Popen(command(corpus, output, at_work), text=True) as job,
    ):
        when_half(output, "judged", units(local), job)
        assert kill_a_writer(at_work, output, job)
        assert job.wait() == 0
        assert at_work.failed_attempts() == 1
    assert digest(output) == local


def test_a_lost_cluster_changes_no_byte(environment: Path, corpus: Path, local: dict[str, str], tmp_path: Path) -> None:
    """First the job is given up for one worker, then job server and workers end at once; each time the same command
    goes on."""
    output = tmp_path / "out"
    with services(environment, tmp_path / "first", workers=2, attempts=1) as at_work:
        with started(corpus, output, at_work) as job:
            when_half(output, "judged", units(local), job)
            assert kill_a_writer(at_work, output, job)
            _, said = job.communicate()
        assert job.returncode == 1
        assert "gristmill: Beam's runner gave up: " in said
        judged = {path: path.stat().st_mtime_ns for path in (output / ".work").glob("judged-*.json")}
        assert len(judged) >= units(local) // 2
        again = started(corpus, output, at_work)
        when_half(output, "written", units(local), again)
        assert judged.items() <= {path: path.stat().st_mtime_ns for path in judged}.items(), "a unit was judged again"
    with again:
        _, said = again.communicate()
    assert again.returncode == 1
    assert "gristmill: Beam's job server was lost (" in said
    with (
        services(environment, tmp_path / "second", workers=2, attempts=1) as at_work,
        started(corpus, output, at_work) as job,
    ):
        _, said = job.communicate()
    assert job.returncode == 0, said
    assert "going on with the run that was interrupted there" in said
    assert digest(output) == local


def started(corpus: Path, output: Path, at_work: Services) -> "subprocess.Popen[str]":
    return subprocess.Popen(command(corpus, output, at_work), stderr=subprocess.PIPE, text=True)


def units(files: dict[str, str]) -> int:
    return sum(name.startswith("documents/") for name in files)
