"""The command ``gristmill evaluation why``."""

from collections.abc import Collection
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from annotation.evaluation.numbers import Number
from annotation.evaluation.report_manifest import ReportManifest
from annotation.evaluation.reported import find
from jobs.spreadsheet import guard, print_exactly
from jobs.tables import Row, print_table
from jobs.terminal import say

SHOWN = 50
COLUMNS = {
    "votes": ("prompt_id", "rater", "model", "opponent", "outcome", "pair_id"),
    "shown": ("prompt_id", "pair_id", "model", "opponent", "swapped", "outcome"),
    "rated": ("prompt_id", "rater", "model", "rating", "outcome", "refusal"),
    "graded": ("prompt_id", "model", "grade", "outcome"),
}
"""The columns that are printed of each table."""


def why(folder: Path, number: int, csv: bool) -> None:
    """Prints how a number was made and the votes that it was made from; with ``csv`` all of the votes, as CSV."""
    manifest, found, rows = find(folder, number)
    if csv:
        print_exactly(_csv(rows))
        return
    _say_number(found.number, found.origin.where["source"], manifest)
    if not len(rows):
        say(f"made from no rows of {found.origin.table}.parquet")
        return
    counted = pc.sum(rows["counts"]).as_py() or 0
    say(f"made from {len(rows):,} rows of {found.origin.table}.parquet, of which {counted:,} count:")
    names = COLUMNS[found.origin.table]
    columns = [rows[name].slice(0, SHOWN).to_pylist() for name in (*names, "counts")]
    shown = [["" if cell is None else _word(cell) for cell in row] for row in zip(*columns, strict=True)]
    print_table((*names, "counts"), [Row(row) for row in shown])
    if len(rows) > SHOWN:
        say(f"... and {len(rows) - SHOWN:,} more: gristmill evaluation why {folder} {number} --csv")


def _say_number(number: Number, names: Collection[str], manifest: ReportManifest) -> None:
    """``names`` are the sources of its votes."""
    about = [number.measure, number.source, f"{number.model} against {number.opponent}" if number.opponent else ""]
    about += [number.model or "" if not number.opponent else "", number.group]
    say(f"number {number.number}: {', '.join(filter(None, about))}")
    if number.value is not None:
        bounds = "" if number.low is None else f" (95% interval {number.low:.4f} to {number.high:.4f})"
        say(f"value: {number.value:.4f}{bounds}")
    if number.error is not None:
        independent = "" if number.iid_error is None else f", as if votes were independent {number.iid_error:.4f}"
        say(f"standard error: {number.error:.4f}{independent}")
    say(f"method: {number.method}" + (f", clustered by {number.clustered}" if number.clustered else ""))
    say(f"left out: {number.left_out or 'nothing'}")
    for source in manifest.sources:
        if source.name in names:
            for name, value in source.facts:
                say(f"{source.name}, {name}: {value}")


def _word(cell: object) -> str:
    return ("yes" if cell else "no") if isinstance(cell, bool) else str(cell)


def _csv(rows: pa.Table) -> str:
    sink = pa.BufferOutputStream()
    for place, column in enumerate(rows.columns):
        if pa.types.is_string(column.type):
            safe = pa.array([None if cell is None else guard(cell) for cell in column.to_pylist()], pa.string())
            rows = rows.set_column(place, rows.field(place), safe)
    pyarrow.csv.write_csv(rows, sink)
    return bytes(sink.getvalue()).decode()
