"""The commands ``gristmill evaluation template``, ``import`` and ``export``."""

from pathlib import Path

import click

from annotation.dataset.markdown import count
from annotation.evaluation import folder
from annotation.evaluation.forms.exporting import export
from annotation.evaluation.forms.importing import tables_of_votes
from annotation.evaluation.forms.judgments import read_votes
from annotation.evaluation.forms.writing import LEFT_OUT
from annotation.evaluation.manifest import SourceEntry
from annotation.evaluation.templates import FOLDER
from jobs.evaluation.sources import digests
from jobs.evaluation.summary import print_summary
from jobs.terminal import say


def print_template(name: str) -> None:
    click.echo((FOLDER / f"{name}.toml").read_text(encoding="utf-8"), nl=False)


def run_import(files: tuple[Path, ...], output: Path) -> None:
    tables = tables_of_votes(read_votes(files))
    with folder.writing(output) as writer:
        folder.fill(writer, tables, None, SourceEntry(files=digests(files), compared=tables.compared))
    print_summary(tables, None)
    say(f"{output}: {count(len(tables.verdicts), 'judgment')}")


def run_export(source: Path, form: str, output: Path) -> None:
    for name, lines in export(source, form, output).items():
        if name == LEFT_OUT:
            say(f"{output}/{name}: {count(lines, 'row')} that the format has no place for")
        else:
            say(f"{output}/{name}")
