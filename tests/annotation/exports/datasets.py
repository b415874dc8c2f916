"""Datasets that tests write down row by row."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from annotation.dataset.comparisons import LARGE, SMALL
from annotation.dataset.files import new_folder
from annotation.dataset.manifest import FORMAT, VERSION
from annotation.dataset.master import SPLITS, Master, load
from schemas import COMPARISONS, DEGREES

PROMPT = [{"role": "user", "content": "What is rye?"}]
LONG = [
    {"role": "system", "content": "You are a miller."},
    {"role": "user", "content": "What is rye?"},
    {"role": "assistant", "content": "A grain."},
    {"role": "user", "content": "And \u2019spelt\u2019, \U0001f33e?"},
]


def comparison(name: str, **changes: Any) -> dict[str, Any]:
    """A row of COMPARISONS; ``degree`` gives the margins."""
    row: dict[str, Any] = {
        "comparison_id": f"mill/{name}",
        "prompt": PROMPT,
        "chosen": f"A cereal, says {name}.",
        "rejected": f"Bread, says {name}.",
        "degree": "better",
        "weight": 1.0,
        "chosen_risks": [],
        "rejected_risks": [],
        "votes": [],
        "adjudicated": False,
        "source": "mill",
        "batch": "week-1",
        "protocol": "preference",
        "protocol_version": "1",
        "prompt_id": name,
        "prompt_family": f"family of {name}",
        "split": "train",
        **changes,
    }
    if row["degree"] is not None:
        place = DEGREES.index(row["degree"])
        row |= {"margin_small": SMALL[place], "margin_large": LARGE[place]}
    return row


MIXED = (
    comparison("a", degree="significantly_better", chosen_safe=True, rejected_safe=False, safety_bin="chosen_safe"),
    comparison("b", prompt=LONG, chosen="  indented\n", rejected="A cereal, says"),
    comparison("c", degree=None, weight=0.5, chosen="A cereal", rejected="A cereal, says c."),
    comparison("d", degree="negligibly_better", chosen_safe=True, rejected_safe=True, safety_bin="both_safe"),
    comparison("e", degree="slightly_better", prompt=[*PROMPT, *PROMPT]),
    comparison("f", prompt=[{"role": "user", "content": "What is a mill?"}], split="held_out"),
)
"""What trainers' readers stumble over: no degree in a row, flags in some, answers that begin alike or with white space,
a system's message, two turns of one role in a row."""


def tables(rows: Sequence[Mapping[str, Any]]) -> dict[str, pa.Table]:
    out = {}
    for split in SPLITS:
        kept = [row for row in rows if row["split"] == split]
        columns = {name: [row.get(name) for row in kept] for name in COMPARISONS.columns.names}
        out[split] = pa.Table.from_batches([COMPARISONS.batch(columns, len(kept))])
    return out


def dataset(folder: Path, rows: Sequence[Mapping[str, Any]] = MIXED) -> Master:
    """Writes the dataset and reads it back."""
    with new_folder(folder) as writer:
        for split, table in tables(rows).items():
            COMPARISONS.check(table.to_batches()[0] if len(table) else COMPARISONS.batch({}, 0))
            writer.table(f"comparisons/{split}", table)
        content = {"format": FORMAT, "version": VERSION, "tables": {"comparisons": COMPARISONS.version}}
        writer.json("manifest.json", {**content, "files": writer.files})
    return load(folder)


def older(folder: Path, version: int = 1) -> None:
    """A dataset of one row as version 1 of the table wrote it, or one that says to be of another version."""
    master = dataset(folder.with_name(f"{folder.name}-newest"), [comparison("a")])
    with new_folder(folder) as writer:
        for split, table in master.splits.items():
            names = ["campaign" if name == "source" else name for name in table.column_names]
            rows = table.rename_columns(names).drop_columns(["weight"])
            noted = {"gristmill.table": "comparisons", "gristmill.version": str(version)}
            writer.table(f"comparisons/{split}", rows.replace_schema_metadata(noted))
        content = {"format": FORMAT, "version": VERSION, "tables": {"comparisons": version}}
        writer.json("manifest.json", {**content, "files": writer.files})
