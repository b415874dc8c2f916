"""The command ``gristmill evaluation report``."""

from collections import Counter
from pathlib import Path

from annotation.dataset import markdown
from annotation.evaluation.numbers import Number
from annotation.evaluation.reported import Choices, Report, report_of, write
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
    say(f"{output}/{FILE}: {markdown.count(len(made.numbers), 'number')} from {_given(made)}")


def _given(made: Report) -> str:
    """How many votes, verdicts and grades there are, such as ``51 votes and 34 verdicts``."""
    found: Counter[str] = Counter()
    for source in made.sources:
        found[source.counted] += source.given
        if len(source.graded):
            found["grades"] += source.graded_responses
    shown = +found or found
    return " and ".join(markdown.count(number, kind[:-1]) for kind, number in sorted(shown.items(), reverse=True))
