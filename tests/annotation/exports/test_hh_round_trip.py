"""Anthropic's HH in and out again: the same strings."""

import gzip
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from annotation.dataset.master import load
from annotation.exports import check, export
from annotation.imports import SETS, import_set


def test_every_row_is_a_comparison_or_a_named_reject_and_comes_back_as_it_was(
    real_dialogues: Path, tmp_path: Path
) -> None:
    rows = [json.loads(line) for line in gzip.decompress(real_dialogues.read_bytes()).splitlines()]
    import_set([real_dialogues], [], SETS["hh"], tmp_path / "hh", lambda texts: np.arange(len(texts)))
    master = load(tmp_path / "hh")
    rejects = pq.read_table(tmp_path / "hh" / "rejects.parquet")
    assert len(master.splits["train"]) + len(rejects) == len(rows) == 250
    rejected = set(rejects["row"].to_pylist())
    export(master, tmp_path / "out", "hh", "none")
    exported = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text().split("\n")[:-1]]
    kept = [row for number, row in enumerate(rows, 1) if number not in rejected]
    assert exported == [{side: row[side] for side in ("chosen", "rejected")} for row in kept]
    assert check(tmp_path / "out", "hh", master).faults == ()
    for form in ("trl-reward", "trl-dpo", "llama-factory"):
        export(master, tmp_path / form, form)
        assert check(tmp_path / form, form, master).faults == ()
