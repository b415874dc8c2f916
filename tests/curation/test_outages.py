"""What is outside the program goes wrong: a sentence and exit code 1 or 2, and no file that is not whole."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import IO, Any
from unittest.mock import patch

import psutil
import pyarrow.parquet as pq
import pytest

from curation.engine.driver import curate as curate_job
from curation.engine.manifest import gather
from curation.engine.planning import plan_job
from curation.engine.run import Run
from curation.job import Execution
from curation.release.folder import Folder
from curation.sources.inputs import Input
from jobs.corpus.job_file import make_job
from schemas.errors import RunError
from tests.curation.test_laws import digest
from tests.jobs.calling import call

FIX = "remove the cause and run again"
GRISTMILL = Path(sys.executable).parent / "gristmill"


def write_corpus(folder: Path, files: int, documents: int) -> None:
    folder.mkdir()
    for number in range(files):
        lines = (json.dumps({"text": f"{number} {n} " + "word " * 200 + str(n)}) for n in range(documents))
        (folder / f"{number}.jsonl").write_text("\n".join(lines) + "\n")


def curate(source: Path, output: Path, *more: str) -> "subprocess.Popen[str]":
    command = [GRISTMILL, "curate", "--input", source / "*.jsonl", "--output", output, "--recipe", "none", *more]
    return subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_of_interrupts,
    )


def _hear_of_interrupts() -> None:
    """Where the tests run in the background of a shell, they were told not to."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB. Only root may mount one: others go without these tests; CI is root, and there a skip fails."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("workers", [pytest.param("2", marks=pytest.mark.soak), "0"])
def test_a_full_disk_is_one_sentence(small_disk: Path, tmp_path: Path, workers: str) -> None:
    write_corpus(tmp_path / "in", 2, 2000)
    with curate(tmp_path / "in", small_disk / "out", "--workers", workers, "--set", "unit_bytes=1000000") as run:
        _, said = run.communicate()
    assert run.returncode == 1
    assert said == f"gristmill: the disk of {small_disk / 'out'} is full: free some space and run again\n"
    assert list((small_disk / "out").glob("documents/*.parquet")) == []
    assert not (small_disk / "out" / "manifest.json").exists()
    subprocess.run(["mount", "-o", "remount,size=100m", small_disk], check=True)
    assert_goes_on(tmp_path, small_disk / "out", "--workers", workers, "--set", "unit_bytes=1000000")


def assert_goes_on(root: Path, out: Path, *more: str) -> None:
    """The same command again ends with the bytes of a run that nothing interrupted."""
    for output in (out, root / "undisturbed"):
        with curate(root / "in", output, *more) as run:
            _, said = run.communicate()
        assert run.returncode == 0, said
    assert digest(out) == digest(root / "undisturbed")


@pytest.mark.soak
def test_a_killed_worker_fails_the_run_and_leaves_only_whole_files(tmp_path: Path) -> None:
    write_corpus(tmp_path / "in", 4, 8_000)
    out = tmp_path / "out"
    with curate(tmp_path / "in", out, "--workers", "2", "--set", "unit_bytes=1000000") as run:
        killed = _kill_one_worker(run.pid, out)
        _, said = run.communicate()
    assert killed, "no worker was seen at work"
    assert run.returncode == 1
    assert "a worker process was killed" in said
    assert "Traceback" not in said
    for shard in out.rglob("[!.]*.parquet"):
        pq.ParquetFile(shard).close()
    assert not (out / "manifest.json").exists()
    assert_goes_on(tmp_path, out, "--workers", "2", "--set", "unit_bytes=1000000")


@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_input_file_that_vanishes_during_a_run_is_read_when_it_is_back(
    tmp_path: Path, workers: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus(tmp_path / "in", 2, 100)
    gone, kept = tmp_path / "in" / "1.jsonl", tmp_path / "kept"
    asked = ["curate", "--input", tmp_path / "in", "--output", tmp_path / "out", "--recipe", "none"]
    asked += ["--workers", workers, "--set", "unit_bytes=100000", "--progress", "none"]
    with monkeypatch.context() as patched:
        patched.setattr("curation.engine.planning.plan_job", lambda job: (plan_job(job), gone.rename(kept))[0])
        assert call(*asked, monkeypatch=patched) == 1
    said = capsys.readouterr().err
    assert said == f"gristmill: the input file '{gone}' could not be read (No such file or directory): {FIX}\n"
    assert not (tmp_path / "out" / "manifest.json").exists()
    kept.rename(gone)
    assert call(*asked, monkeypatch=monkeypatch) == 0
    assert "of 200 documents kept" in capsys.readouterr().out


def test_an_error_of_a_stage_has_the_same_words_on_a_cluster(tmp_path: Path) -> None:
    write_corpus(tmp_path / "in", 2, 100)
    job = make_job([Input(glob=str(tmp_path / "in"))], "none", [])
    gone = tmp_path / "in" / "1.jsonl"
    with (
        patch("curation.engine.planning.plan_job", lambda job: (plan_job(job), gone.unlink())[0]),
        pytest.raises(RunError) as told,
    ):
        curate_job(job, str(tmp_path / "out"), Execution(beam_options=("--runner=FnApiRunner",)))
    assert str(told.value) == f"the input file '{gone}' could not be read (No such file or directory): {FIX}"


@pytest.mark.soak
@pytest.mark.parametrize(("workers", "impatient"), [("2", True), ("2", False), ("0", True)])
def test_an_interrupted_run_says_so_and_goes_on(tmp_path: Path, workers: str, impatient: bool) -> None:
    write_corpus(tmp_path / "in", 4, 4_000)
    out, asked = tmp_path / "out", ["--workers", workers, "--set", "unit_bytes=700000", "--progress", "none"]
    with curate(tmp_path / "in", out, *asked) as run:
        while run.poll() is None and not list(out.glob(".work/judged-*.json")):
            pass
        run.send_signal(signal.SIGINT)
        while impatient and run.poll() is None:
            run.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                run.wait(0.2)
        _, said = run.communicate()
    assert said.strip() == "gristmill: interrupted"
    assert run.returncode == -signal.SIGINT
    assert_goes_on(tmp_path, out, *asked)


def test_a_shard_that_a_crashed_machine_did_not_keep_is_written_again(tmp_path: Path) -> None:
    write_corpus(tmp_path / "in", 2, 10)
    job, out = make_job([Input(glob=str(tmp_path / "in"))], "none", []), tmp_path / "out"
    with (
        patch("curation.engine.driver.gather", side_effect=RunError("crashed")),
        pytest.raises(RunError, match="crashed"),
    ):
        curate_job(job, str(out), Execution(workers=0))
    (out / "sketches" / "00000.parquet").write_bytes(b"")
    for output in (out, tmp_path / "undisturbed"):
        curate_job(job, str(output), Execution(workers=0))
    assert digest(out) == digest(tmp_path / "undisturbed")


def test_a_shard_that_is_lost_at_the_end_is_reported(tmp_path: Path) -> None:
    write_corpus(tmp_path / "in", 2, 10)
    job, out = make_job([Input(glob=str(tmp_path / "in"))], "none", []), tmp_path / "out"
    lost = out / "sketches" / "00000.parquet"

    def lose(run: Run) -> Any:
        lost.write_bytes(b"")
        return gather(run)

    with patch("curation.engine.driver.gather", lose), pytest.raises(RunError) as told:
        curate_job(job, str(out), Execution(workers=0))
    assert str(told.value).startswith(f"{lost} does not have the size that was written")
    assert not (out / "manifest.json").exists()


@pytest.mark.parametrize("full", ["claim.json", "manifest.json"])
def test_a_disk_may_be_full_at_any_moment(
    full: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus(tmp_path / "in", 1, 10)
    writing = Folder.writing

    def no_room(folder: Folder, name: str, durable: bool = False) -> AbstractContextManager[IO[bytes]]:
        if name.endswith(full):
            raise OSError(errno.ENOSPC, "No space left on device", name)
        return writing(folder, name, durable)

    asked = ["curate", "--input", tmp_path / "in", "--output", tmp_path / "out", "--progress", "none"]
    with monkeypatch.context() as patched:
        patched.setattr(Folder, "writing", no_room)
        assert call(*asked, monkeypatch=patched) == 1
    assert (
        capsys.readouterr().err == f"gristmill: the disk of {tmp_path / 'out'} is full: free some space and run again\n"
    )
    assert call(*asked, monkeypatch=monkeypatch) == 0


def _kill_one_worker(pid: int, out: Path) -> bool:
    """Kills a worker of the run as soon as one unit is judged; whether there was one."""
    main = psutil.Process(pid)
    while main.is_running() and main.status() != psutil.STATUS_ZOMBIE:
        if any((out / ".work").glob("judged-*.json")) and (workers := main.children()):
            os.kill(workers[0].pid, signal.SIGKILL)
            return True
    return False
