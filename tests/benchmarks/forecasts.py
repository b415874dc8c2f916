"""CPU seconds that ``gristmill plan`` foretells, against those that whole runs take.

python -m tests.benchmarks.forecasts [--megabytes 10 100 1000] [--calibration 100] [--rounds 3] [--work DIR]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree
from statistics import fmean, median

from rich.console import Console
from rich.table import Table

from curation.reports.forecast import Constants, Forecast, load
from tests.benchmarks.corpora import GRISTMILL, ROOT, make_corpus
from tests.benchmarks.process import measure

CALIBRATION_MEGABYTES = 100
"""Constants measured on 30 MB foretell 12 to 20% too much for 1 GB."""


def foretold(
    work: Path, sizes: Sequence[int], calibration: int = CALIBRATION_MEGABYTES, rounds: int = 3
) -> dict[int, float]:
    """By megabytes of corpus: foretold CPU seconds over those that a run with two workers takes, the median of rounds.

    Each round of runs is foretold from a calibration before it and one after it, since machines that others share do
    more in one CPU second than in another.
    """
    calibrator, _ = make_corpus(work, calibration, seed=2)
    corpora = {size: make_corpus(work, size)[0] for size in sizes}
    ratios: dict[int, list[float]] = {size: [] for size in sizes}
    before = calibrated(calibrator, work)
    for _ in range(rounds):
        taken = {size: run(corpus, work / "out") for size, corpus in corpora.items()}
        after = calibrated(calibrator, work)
        for size, (documents, text, seconds) in taken.items():
            forecasts = [
                Forecast(documents=documents, text=text, constants=each, workers=2, memory=2_000_000_000).cpu_seconds
                for each in (before, after)
            ]
            ratios[size].append(fmean(forecasts) / seconds)
        before = after
    return {size: median(found) for size, found in ratios.items()}


def calibrated(corpus: Path, work: Path) -> Constants:
    """The constants of this machine, measured by a process of its own: CPU seconds count every thread of a process."""
    command = [sys.executable, "-m", "tests.benchmarks.stages", corpus, "--output", work / "here.toml"]
    subprocess.run(command, cwd=ROOT, check=True)
    return load("fineweb", work / "here.toml")


def run(corpus: Path, output: Path) -> tuple[int, int, float]:
    """Documents and bytes of text read, and the CPU seconds taken."""
    rmtree(output, ignore_errors=True)
    command = [GRISTMILL, "curate", "--input", corpus / "*.jsonl.gz", "--output", output, "--workers", "2"]
    seconds = measure(command).cpu_seconds
    (read,) = json.loads((output / "manifest.json").read_text())["ledger"]["read"].values()
    return read["documents"], read["bytes"], seconds


def main() -> None:
    parser = argparse.ArgumentParser(description="What gristmill plan foretells, against runs.")
    parser.add_argument("--megabytes", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--calibration", type=int, default=CALIBRATION_MEGABYTES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, help="keep the corpora here")
    asked = parser.parse_args()
    table = Table("corpus", "foretold over taken", "asked")
    with tempfile.TemporaryDirectory() as temporary:
        found = foretold(asked.work or Path(temporary), asked.megabytes, asked.calibration, asked.rounds)
    for size, ratio in found.items():
        table.add_row(f"{size} MB", f"{ratio:.2f} times", "0.7 to 1.3")
    Console().print(table)


if __name__ == "__main__":
    main()
