"""The command ``gristmill evaluation report``."""

from pathlib import Path

from annotation.evaluation.numbers import Number
from annotation.evaluation.reported import Choices, report_of, write
from annotation.evaluation.sources import read_sources
from jobs.evaluation.page import FILE, files, render
from jobs.spreadsheet import write_csv
from jobs.terminal import say


def report(sources: tuple[Path, ...], output: Path, choices: Choices) -> None:
    """Writes the page, the numbers as CSV and the votes behind them into a new folder."""
    made = report_of(read_sources(sources, choices.counted), choices)
    texts = {FILE: render(made)}
    for name in files(made):
        texts[f"{name}.csv"] = write_csv(Number, [each.number for each in made.section(name)])
    write(output, made, texts)
    say(f"{output}/{FILE}: {len(made.numbers):,} numbers from {sum(len(each.votes) for each in made.sources):,} votes")
