"""A run that was killed, at whatever moment, goes on with the same command: the same bytes, nothing done twice."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.curation.engine.test_claim import digest
from tests.curation.test_outages import write_corpus

GRISTMILL = Path(sys.executable).parent / "gristmill"
MARKERS = ("judged", "linked", "written")


def command(source: Path, output: Path, *more: str) -> list[str]:
    asked = ["--input", str(source / "*.jsonl"), "--output", str(output), "--workers", "2", "--recipe", "gopher"]
    return [str(GRISTMILL), "curate", *asked, "--set", "unit_bytes=700000", "--set", "near.ngram=2", *more]


def finished_units(output: Path) -> dict[str, int]:
    """The reports of finished units, with the moments at which they were written."""
    reports = (path for marker in MARKERS for path in (output / ".work").glob(f"{marker}-*.json"))
    return {path.name: path.stat().st_mtime_ns for path in reports}


def shuffled(output: Path) -> dict[str, int]:
    return {
        str(path): path.stat().st_mtime_ns for path in (output / ".work" / "shuffle").rglob("[!.]*") if path.is_file()
    }


@contextmanager
def started(arguments: list[str]) -> Iterator[psutil.Process]:
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        yield psutil.Process(run.pid)


def tree(main: psutil.Process) -> list[psutil.Process]:
    return [main, *main.children(recursive=True)]


def kill_at(arguments: list[str], output: Path, files: int) -> bool:
    """Kills the main process with signal 9 once so many files lie in ``.work``; whether it was still at work then.

    Its workers end by themselves: they are waited for.
    """
    with started(arguments) as main:
        while main.status() != psutil.STATUS_ZOMBIE:
            if sum(1 for path in (output / ".work").rglob("*") if path.is_file()) >= files:
                others = tree(main)[1:]
                os.kill(main.pid, signal.SIGKILL)
                _, alive = psutil.wait_procs(others, timeout=20)
                assert not alive, "workers outlived the run"
                return True
    return False


@pytest.mark.soak
def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    write_corpus(tmp_path / "in", 4, 4_000)
    subprocess.run(command(tmp_path / "in", tmp_path / "whole"), check=True, capture_output=True)
    resume(tmp_path, tmp_path / "out", files=12)
    assert digest(tmp_path / "out") == digest(tmp_path / "whole")


def resume(root: Path, output: Path, files: int, *more: str) -> bool:
    """Kills a run, and runs it to its end: what was finished at the first end must not be touched by the second."""
    killed = kill_at(command(root / "in", output, *more), output, files)
    if not killed:
        return False
    before = {**finished_units(output), **shuffled(output)}
    claimed = (output / ".work" / "claim.json").exists()
    with subprocess.Popen(
        command(root / "in", output, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        seen: dict[str, int] = {}
        while run.poll() is None:
            seen |= {name: moment for name, moment in {**finished_units_or_none(output)}.items() if name in before}
        _, said = run.communicate()
    assert run.returncode == 0, said
    assert ("resuming the interrupted run" in said) == claimed
    assert all(before[name] == moment for name, moment in seen.items()), "a finished unit was done again"
    return True


def finished_units_or_none(output: Path) -> dict[str, int]:
    """As finished_units, of a run that may remove them at any moment."""
    try:
        return {**finished_units(output), **shuffled(output)}
    except FileNotFoundError:
        return {}


@pytest.mark.soak
def test_twenty_random_kills(tmp_path: Path) -> None:
    write_corpus(tmp_path / "in", 4, 8_000)
    subprocess.run(command(tmp_path / "in", tmp_path / "whole"), check=True, capture_output=True)
    whole = digest(tmp_path / "whole")
    chance = random.Random(30)
    killed = 0
    for number in range(28):
        output = tmp_path / f"out-{number}"
        killed += resume(tmp_path, output, chance.randint(1, 200))
        assert digest(output) == whole
        if killed == 20:
            return
    pytest.fail(f"only {killed} of 28 runs were still at work when they were to be killed")


@pytest.mark.soak
@pytest.mark.parametrize("files", [70, 100, 130, 160])
def test_a_run_that_was_killed_while_it_found_pieces_goes_on_where_it_stopped(tmp_path: Path, files: int) -> None:
    write_corpus(tmp_path / "in", 4, 4_000)
    pieces = ("--set", "pieces={unit = 'sentences', sentences = 1, min_characters = 10}")
    subprocess.run(command(tmp_path / "in", tmp_path / "whole", *pieces), check=True, capture_output=True)
    resume(tmp_path, tmp_path / "out", files, *pieces)
    assert list((tmp_path / "whole").glob("cuts/*.parquet"))
    assert digest(tmp_path / "out") == digest(tmp_path / "whole")
