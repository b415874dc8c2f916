"""Judges documents one by one, without deduplication."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from curation.judge import judge, reasons
from curation.recipe import Recipe
from curation.sources.inputs import Input
from curation.sources.listing import list_files
from curation.sources.reading import ReadingSettings, read_unit
from curation.sources.recognised import check_formats
from curation.sources.units import plan_units


def verdicts(
    files: Sequence[str],
    recipe: Recipe,
    quarantined: Callable[[pa.RecordBatch], None],
    kind: str | None = None,
) -> Iterator[dict[str, Any]]:
    """A dict for each document: doc_id, kept, reasons (stage, reason, value, threshold) and signals.

    ``quarantined`` is called with the records that cannot be read; ``kind`` is the format of all files, by default
    recognised from their content.
    """
    for records in read_files(files, quarantined, kind, recipe.reads_rights):
        yield from _verdicts(records, recipe)


def read_files(
    files: Sequence[str],
    quarantined: Callable[[pa.RecordBatch], None],
    kind: str | None = None,
    rights: bool = False,
) -> Iterator[pa.RecordBatch]:
    """The documents of the files as batches of RECORDS; ``quarantined`` and ``kind`` as in `verdicts`, ``rights`` as in
    `read_unit`."""
    listed = list_files([Input(glob=file, format=kind) for file in files])
    check_formats(listed)
    for unit in plan_units(listed, 1 << 62):
        for chunk in read_unit(unit, ReadingSettings(), rights):
            if len(chunk.quarantine):
                quarantined(chunk.quarantine)
            if len(chunk.documents):
                yield chunk.documents


def _verdicts(records: pa.RecordBatch, recipe: Recipe) -> Iterator[dict[str, Any]]:
    judged = judge(records, recipe)
    signals = judged.signals.to_pylist() if judged.signals.num_columns else [{}] * len(records)
    for doc_id, failed, measured in zip(records["doc_id"].to_pylist(), reasons(judged), signals, strict=True):
        yield {
            "doc_id": doc_id,
            "kept": not failed,
            "reasons": failed,
            "signals": {name: plain(value) for name, value in measured.items()},
        }


def plain(value: Any) -> Any:
    """Numbers as JSON has them: a float32 in its shortest form, null for NaN."""
    if isinstance(value, float):
        return None if math.isnan(value) else float(f"{value:.7g}")
    return value
