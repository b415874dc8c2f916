"""How long exports of 100,000 comparisons take, whole commands: ``python -m tests.benchmarks.exports``."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from annotation.dataset import build
from annotation.exports import FORMATS
from curation.dedup.near import families
from tests.annotation.written import drawn

COUNT = 100_000
RESPONSE_WORDS = 200
GRISTMILL = Path(sys.executable).parent / "gristmill"

Row = tuple[str, str, str]


def bars(folder: Path, count: int, checks: bool) -> Iterator[Row]:
    """Single runs, in seconds of wall clock."""
    build([drawn(count, response_words=RESPONSE_WORDS)], folder / "master", families)
    for form in FORMATS:
        yield f"export {form}", _taken("export", folder / "master", form, "--output", folder / form), "10 s"
        if checks:
            yield f"check {form}", _taken("check", folder / form, form), ""


def _taken(command: str, folder: Path, form: str, *more: object) -> str:
    started = time.monotonic()
    words = [GRISTMILL, "dataset", command, folder, "--format", form, *more]
    subprocess.run(list(map(str, words)), check=True, capture_output=True)
    return f"{time.monotonic() - started:.1f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description="Exports and their checks, measured.")
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--checks", action="store_true", help="also read each export back")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = Table("command", "measured", "asked", title=f"{asked.count:,} comparisons", title_justify="left")
        for row in bars(Path(folder), asked.count, asked.checks):
            table.add_row(*row)
        Console().print(table)


if __name__ == "__main__":
    main()
