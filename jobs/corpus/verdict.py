"""The command ``gristmill verdict``."""

from collections.abc import Sequence

import orjson
import pyarrow as pa

from curation.reports.verdicts import verdicts
from jobs.corpus.job_file import load_recipe
from jobs.terminal import has_reader, say
from schemas.visible import visible_json


def run(files: Sequence[str], recipe: str, changes: Sequence[str], kind: str | None = None) -> None:
    """Prints one JSON line per document, and a line on standard error per record that cannot be read; stops when nobody
    reads the lines any more."""
    for verdict in verdicts(files, load_recipe(recipe, changes), say_quarantined, kind):
        print(visible_json(orjson.dumps(verdict).decode()))
        if not has_reader():
            return


def say_quarantined(quarantined: pa.RecordBatch) -> None:
    """Prints a line to standard error per record that cannot be read."""
    for row in quarantined.to_pylist():
        say(f"gristmill: {row['file']} at {row['offset']}: {row['error']}: {row['message']}", err=True)
