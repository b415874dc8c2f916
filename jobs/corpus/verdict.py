"""The command ``gristmill verdict``: judge documents one by one, without deduplication."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import pyarrow as pa

from curation.judge import judge, reasons
from curation.recipe import Recipe
from curation.sources.inputs import Input
from curation.sources.listing import list_files
from curation.sources.reading import Reading, read_unit
from curation.sources.recognised import check_formats
from curation.sources.units import plan_units
from jobs.corpus.job_file import load_recipe
from jobs.terminal import say
from schemas.visible import visible_json


def run(files: Sequence[str], recipe: str, changes: Sequence[str], kind: str | None = None) -> None:
    """One JSON line a document on standard output; a record that cannot be read is told on standard error."""
    for verdict in verdicts(files, load_recipe(recipe, changes), tell, kind):
        print(visible_json(orjson.dumps(verdict).decode()))


def tell(quarantined: pa.RecordBatch) -> None:
    for row in quarantined.to_pylist():
        say(f"gristmill: {row['file']} at {row['offset']}: {row['error']}: {row['message']}", err=True)


def verdicts(
    files: Sequence[str], recipe: Recipe, quarantined: Any = tell, kind: str | None = None
) -> Iterator[dict[str, Any]]:
    """A dict for each document: doc_id, kept, reasons (stage, reason, value, threshold) and signals. ``kind`` is the
    format of all files; by default their content tells."""
    listed = list_files([Input(glob=file, format=kind) for file in files])
    check_formats(listed)
    for unit in plan_units(listed, 1 << 62):
        for chunk in read_unit(unit, Reading()):
            if len(chunk.quarantine):
                quarantined(chunk.quarantine)
            if len(chunk.documents):
                yield from _verdicts(chunk.documents, recipe)


def _verdicts(records: pa.RecordBatch, recipe: Recipe) -> Iterator[dict[str, Any]]:
    judged = judge(records, recipe)
    signals = judged.signals.to_pylist() if judged.signals.num_columns else [{}] * len(records)
    for doc_id, failed, measured in zip(records["doc_id"].to_pylist(), reasons(judged), signals, strict=True):
        yield {
            "doc_id": doc_id,
            "kept": not failed,
            "reasons": failed,
            "signals": {name: _plain(value) for name, value in measured.items()},
        }


def _plain(value: Any) -> Any:
    """Numbers as JSON has them: a float32 in its shortest form, null for NaN."""
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.7g}")
    return value
