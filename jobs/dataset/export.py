"""The commands ``gristmill dataset export``, ``check`` and ``upgrade``."""

import os
from collections import Counter
from pathlib import Path

from annotation import exports
from annotation.dataset import upgrade_dataset
from annotation.dataset.markdown import count
from annotation.dataset.master import Master, load
from jobs.terminal import say
from schemas import COMPARISONS
from schemas.errors import RunError, UserError

SHOWN = 10
"""The most faults that are printed one by one."""


def export(folder: Path, form: str, output: Path, margin: str) -> None:
    exported = exports.export(_read(folder), output, form, margin)
    for name, split in exported.splits.items():
        rows = f"{count(split.rows, 'row')} of {count(split.comparisons, 'comparison')}"
        say(f"{output}: {name}, {rows}" if split.rows else f"{output}: no {name}, as there are no rows")
        for reason, ids in split.left_out.items():
            say(f"  left out, {reason}: {len(ids):,} (left_out.jsonl)")
    for sentence in exported.describe():
        say(sentence)


def check(folder: Path, form: str, master: Path | None) -> None:
    name = exports.describe_export(folder, form).master.name
    beside = folder.resolve().parent / name
    if master is None and not os.path.isdir(beside):  # Path.is_dir raises an error for a name that is too long
        raise UserError(f"{folder} was made from the dataset {name}, which is not beside it: give --dataset DIR")
    found = exports.check(folder, form, _read(master or beside))
    say(f"read back by {found.by}{'' if found.own else '; its own loader was not run'}")
    rows, comparisons = count(found.rows, "row"), count(found.comparisons, "comparison")
    say(f"{rows}, {comparisons}, {found.left_out:,} left out")
    for kind, number in Counter(fault.kind for fault in found.faults).most_common():
        say(f"  {kind}: {number:,}")
    for fault in found.faults[:SHOWN]:
        row = None if fault.row is None else f"row {fault.row}"
        place = " ".join(filter(None, (fault.split, row, fault.comparison_id)))
        say(f"{place}: {fault.message}" if place else fault.message)
    if found.faults:
        more = f"; the first {SHOWN} are shown" if len(found.faults) > SHOWN else ""
        raise RunError(f"{folder} does not match the dataset: {count(len(found.faults), 'fault')}{more}")
    say("every row matches the dataset")


def upgrade(folder: Path, output: Path) -> None:
    master = load(folder)
    upgrade_dataset(master, output)
    say(f"{output}: comparisons version {master.version}, now {COMPARISONS.version}")


def _read(folder: Path) -> Master:
    master = load(folder)
    if master.version != COMPARISONS.version:
        say(
            f"{folder}: comparisons version {master.version} read as version {COMPARISONS.version} "
            "(gristmill dataset upgrade writes that version)",
            err=True,
        )
    return master
