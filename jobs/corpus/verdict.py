"""The command ``gristmill verdict``."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import pyarrow as pa

from curation.reports.comparison import partings
from curation.reports.verdicts import read_files, verdicts
from jobs.corpus.job_file import load_recipe, load_recipes
from jobs.terminal import has_reader, say
from schemas.visible import visible_json


def run(files: Sequence[str], recipes: Sequence[str], changes: Sequence[str], kind: str | None = None) -> None:
    """Prints one JSON line per document, and a line on standard error per record that cannot be read; stops when nobody
    reads the lines any more. With several recipes the lines say where their verdicts part."""
    for line in _lines(files, recipes, changes, kind):
        print(visible_json(orjson.dumps(line).decode()))
        if not has_reader():
            return


def _lines(
    files: Sequence[str], recipes: Sequence[str], changes: Sequence[str], kind: str | None
) -> Iterator[dict[str, Any]]:
    if len(recipes) < 2:
        recipe = load_recipe(recipes[0] if recipes else "fineweb", changes)
        yield from verdicts(files, recipe, say_quarantined, kind)
        return
    loaded = load_recipes(recipes, changes)
    for records in read_files(files, say_quarantined, kind, any(each.reads_rights for each in loaded.values())):
        yield from partings(records, loaded)


def say_quarantined(quarantined: pa.RecordBatch) -> None:
    """Prints a line to standard error per record that cannot be read."""
    for row in quarantined.to_pylist():
        say(f"gristmill: {row['file']} at {row['offset']}: {row['error']}: {row['message']}", err=True)
