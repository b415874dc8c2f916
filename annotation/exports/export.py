"""Exports a dataset to a folder that one trainer reads."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from annotation.dataset.files import new_folder
from annotation.dataset.master import Master
from annotation.exports import huggingface
from annotation.exports.card import card
from annotation.exports.exported import Exported, Split
from annotation.exports.formats import FORMATS, MARGINS, Format
from annotation.exports.layouts import Comparisons
from annotation.exports.manifest import FORMAT, VERSION, ExportManifest, MasterEntry
from annotation.exports.texts import Hazards, find_hazards
from schemas.errors import UserError
from schemas.manifest import MANIFEST, Entry

SPLITS = {"train": "train", "held_out": "test"}
"""The splits of a dataset, and their names in exports."""

ROWS = 8192
"""Rows per Parquet row group."""


def export(master: Master, folder: Path, form: str, margin: str = "small") -> Exported:
    """Writes the comparisons into a new folder, as this trainer reads them; the same dataset gives the same bytes.

    ``margin``: which of Llama 2's margins (table 27) to write, or none. A comparison without a degree gets margin 0,
    which equals the loss without a margin. Raises UserError for an unknown format or margin, or an occupied folder.
    """
    if form not in FORMATS:
        raise UserError(f"there is no format {form}: choose one of {', '.join(FORMATS)}")
    if margin not in MARGINS:
        raise UserError(f"there is no margin {margin}: choose one of {', '.join(MARGINS)}")
    wanted = FORMATS[form]
    with new_folder(folder) as writer:
        splits, written, texts = {}, [], Hazards()
        for name, called in SPLITS.items():
            rows, splits[called] = prepare(master.splits[name], wanted, margin)
            if len(rows.table):
                _write(writer.folder, called, wanted, pa.table(wanted.write(rows)))
                written.append(called)
                texts.add(find_hazards(rows))
        for name, text in companions(wanted, written).items():
            (writer.folder / name).write_text(text, encoding="utf-8")
        exported = Exported(folder, wanted, margin, splits, texts)
        (writer.folder / "README.md").write_text(card(exported, master.name, written), encoding="utf-8")
        _write_left_out(writer.folder, splits)
        for path in sorted(path for path in writer.folder.rglob("*") if path.is_file()):
            writer.note(path.relative_to(writer.folder).as_posix())
        writer.json(MANIFEST, _manifest(master, exported, writer.files))
    return exported


def prepare(comparisons: pa.Table, wanted: Format, margin: str) -> tuple[Comparisons, Split]:
    """The comparisons that this trainer can use, and the counts of the split, with the ids that are left out."""
    rows = Comparisons(comparisons.combine_chunks(), None)
    out: dict[str, tuple[str, ...]] = {}
    kept = np.ones(len(comparisons), bool)
    for reason, holds in wanted.unfit.items():
        unfit = holds(rows) & kept
        if unfit.any():
            out[reason] = tuple(rows["comparison_id"].filter(pa.array(unfit)).to_pylist())
            kept &= ~unfit
    table = rows.table if kept.all() else rows.table.filter(pa.array(kept)).combine_chunks()
    unknown = table["degree"].null_count
    column = None if margin == "none" else pc.fill_null(table[f"margin_{margin}"].combine_chunks(), 0.0)
    number = len(table) * (2 if wanted.halves else 1)
    return Comparisons(table, column), Split(len(comparisons), number, out, unknown)


def _write(folder: Path, split: str, wanted: Format, rows: pa.Table) -> None:
    if wanted.file == "disk":
        huggingface.save(rows, folder / split, split)
    elif wanted.file == "jsonl":
        with (folder / f"{split}.jsonl").open("wb") as stream:
            stream.writelines(_lines(rows))
    else:
        pq.write_table(rows, folder / f"{split}.parquet", compression="zstd", row_group_size=ROWS)


def _lines(rows: pa.Table) -> Iterator[bytes]:
    for batch in rows.to_batches(max_chunksize=ROWS):
        for row in batch.to_pylist():
            yield orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def companions(wanted: Format, written: list[str]) -> dict[str, str]:
    """The names and contents of the files that a trainer needs beside the rows of these splits."""
    if wanted.name == "hf":
        return {"dataset_dict.json": huggingface.splits(written)}
    if wanted.name != "llama-factory":
        return {}
    tags = {"role_tag": "role", "content_tag": "content"}
    tags |= {"user_tag": "user", "assistant_tag": "assistant", "system_tag": "system"}
    columns = {"messages": "conversations", "chosen": "chosen", "rejected": "rejected"}
    about = {"formatting": "sharegpt", "ranking": True, "columns": columns, "tags": tags}
    entries = {split: {"file_name": f"{split}.parquet", **about} for split in written}
    return {"dataset_info.json": json.dumps(entries, indent=2) + "\n"}


def _write_left_out(folder: Path, splits: Mapping[str, Split]) -> None:
    lines = [
        orjson.dumps({"comparison_id": each, "split": name, "reason": reason}, option=orjson.OPT_APPEND_NEWLINE)
        for name, split in splits.items()
        for reason, ids in split.left_out.items()
        for each in ids
    ]
    if lines:
        (folder / "left_out.jsonl").write_bytes(b"".join(lines))


def _manifest(master: Master, exported: Exported, files: Mapping[str, Entry]) -> ExportManifest:
    return ExportManifest(
        format=FORMAT,
        version=VERSION,
        trainer_format=exported.format.name,
        margin=exported.margin,
        master=MasterEntry(master.name, master.digest),
        lost=exported.format.lost,
        splits={name: split.counts for name, split in exported.splits.items()},
        files=files,
    )
