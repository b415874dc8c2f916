"""A run that was killed, at whatever moment, goes on with the same command: the same bytes, nothing done twice."""

import math
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.curation.engine.test_claim import digest
from tests.curation.test_outages import write_corpus

GRISTMILL = Path(sys.executable).parent / "gristmill"
FINISHED = re.compile(r"\.work/((judged|linked|written)-[^/]*\.json|shuffle/(.*/)?[^./][^/]*)")


def command(source: Path, output: Path, *more: str) -> list[str]:
    asked = ["--input", str(source / "*.jsonl"), "--output", str(output), "--workers", "2", "--recipe", "gopher"]
    return [str(GRISTMILL), "curate", *asked, "--set", "unit_bytes=700000", "--set", "near.ngram=2", *more]


def work_files(output: Path) -> dict[str, int]:
    """The files in ``.work`` with the moments at which they were written; a run may remove files at any moment."""
    moments = {}
    for folder, _, names in os.walk(output / ".work"):
        for path in (Path(folder, name) for name in names):
            with suppress(FileNotFoundError):
                moments[str(path.relative_to(output))] = path.stat().st_mtime_ns
    return moments


def finished(files: dict[str, int]) -> dict[str, int]:
    """Of these files the reports of finished units, and what the units shuffle."""
    return {name: moment for name, moment in files.items() if FINISHED.fullmatch(name)}


def run(arguments: list[str], output: Path, files: float = math.inf) -> bool:
    """Runs the command, and kills its main process with signal 9 once ``files`` files lie in ``.work``; whether it was
    killed.

    A run that is not killed must succeed. No run may touch what an earlier one has finished. The workers of a killed
    run end by themselves: they are waited for.
    """
    before = work_files(output)
    claimed = ".work/claim.json" in before
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            now = work_files(output)
            again = [name for name, moment in finished(before).items() if now.get(name, moment) != moment]
            assert not again, f"done again: {again}"
            if len(now) >= files:
                workers = psutil.Process(process.pid).children(recursive=True)
                process.kill()
                _, alive = psutil.wait_procs(workers, timeout=20)
                assert not alive, "workers outlived the run"
        _, said = process.communicate()
    if process.returncode == -signal.SIGKILL:
        return True
    assert process.returncode == 0, said
    assert ("resuming the interrupted run" in said) == claimed
    return False


@pytest.mark.soak
def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    write_corpus(tmp_path / "in", 4, 4_000)
    subprocess.run(command(tmp_path / "in", tmp_path / "whole"), check=True, capture_output=True)
    assert resume(tmp_path, "out", [12]) == 1


@pytest.mark.soak
def test_twenty_random_kills(tmp_path: Path) -> None:
    """Runs are killed four times each, at later and later moments."""
    write_corpus(tmp_path / "in", 4, 8_000)
    subprocess.run(command(tmp_path / "in", tmp_path / "whole"), check=True, capture_output=True)
    chance = random.Random(30)
    killed = 0
    for number in range(7):
        killed += resume(tmp_path, f"out-{number}", sorted(chance.sample(range(1, 200), 4)))
        if killed >= 20:
            return
    pytest.fail(f"only {killed} of 28 runs were still at work when they were to be killed")


@pytest.mark.soak
def test_a_run_that_was_killed_while_it_found_pieces_goes_on_where_it_stopped(tmp_path: Path) -> None:
    write_corpus(tmp_path / "in", 4, 4_000)
    pieces = ("--set", "pieces={unit = 'sentences', sentences = 1, min_characters = 10}")
    subprocess.run(command(tmp_path / "in", tmp_path / "whole", *pieces), check=True, capture_output=True)
    assert list((tmp_path / "whole").glob("cuts/*.parquet"))
    assert resume(tmp_path, "out", [70, 100, 130, 160], *pieces)


def resume(root: Path, name: str, kills: Sequence[int], *more: str) -> int:
    """Starts the same run until it succeeds, killing it at ``kills`` files of work; how often it was killed.

    Its output must be that of the folder ``whole``.
    """
    output = root / name
    killed = 0
    for files in (*kills, math.inf):
        if not (output / "manifest.json").exists():
            killed += run(command(root / "in", output, *more), output, files)
    assert digest(output) == digest(root / "whole")
    return killed
