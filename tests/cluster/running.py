"""The job files as they ship, at work on a cluster."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.architecture.tree import ROOT

GRISTMILL = Path(sys.executable).parent / "gristmill"
Run = subprocess.Popen[str]


def start(
    name: str,
    corpus: Path,
    output: Path,
    endpoint: str,
    pool: str,
    changes: Mapping[str, str] = {},
    folder: Path | None = None,
) -> Run:
    """The job file of that name with this corpus and these addresses in it, and a few words changed, started in a
    folder."""
    text = (ROOT / "jobs" / "clusters" / f"{name}.toml").read_text()
    ours = {
        '"/shared/crawl/*.jsonl.gz"': f'"{corpus}/*.jsonl"',
        '"/shared/corpus"': f'"{output}"',
        '"localhost:8099"': f'"{endpoint}"',
        '"localhost:50000"': f'"{pool}"',
        **changes,
    }
    for old, new in ours.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    job = output.with_suffix(".toml")
    job.write_text(text)
    return subprocess.Popen([str(GRISTMILL), "curate", str(job)], stderr=subprocess.PIPE, text=True, cwd=folder)


def ended(run: Run) -> str:
    """What a run that came to its end said on standard error."""
    _, said = run.communicate()
    assert run.returncode == 0, said
    return said


def when_half(run: Run, output: Path, stage: str, files: Mapping[str, str]) -> None:
    """Returns once half of the units of these files have a report of that stage; the run must be at work then."""
    units = sum(name.startswith("documents/") for name in files)
    while sum(1 for _ in (output / ".work").glob(f"{stage}-*.json")) < units // 2:
        try:
            run.wait(timeout=0.02)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"the run ended first:\n{run.communicate()[1]}")
