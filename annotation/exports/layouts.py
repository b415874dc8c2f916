"""How comparisons lie in each trainer's files: columns to columns, without a loop over rows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from annotation.exports.dialogues import alone, followed, message
from annotation.imports.hh import render

Columns = dict[str, pa.Array]


@dataclass(frozen=True)
class Rows:
    """Comparisons, in one piece a column, with the margin that was asked for (null: no margins)."""

    table: pa.Table
    margin: pa.DoubleArray | None

    def __getitem__(self, column: str) -> pa.Array:
        return self.table[column].combine_chunks()

    def beside(self) -> Columns:
        """What stands next to the dialogue, wherever there is room for it."""
        margin = {} if self.margin is None else {"margin": self.margin}
        names = ("weight", "chosen_safe", "rejected_safe")
        return {"comparison_id": self["comparison_id"], **margin, **{name: self[name] for name in names}}


def whole_dialogues(rows: Rows) -> Columns:
    prompts = rows["prompt"]
    dialogues = {side: followed(prompts, rows[side]) for side in ("chosen", "rejected")}
    return {**dialogues, **rows.beside()}


def answers(rows: Rows) -> Columns:
    following = {side: alone(rows[side]) for side in ("chosen", "rejected")}
    return {"prompt": rows["prompt"], **following, **rows.beside()}


def labelled(rows: Rows) -> Columns:
    """All chosen answers, then all rejected ones: TRL takes the answer of the next row in a batch for one to another
    prompt (KTO's estimate of the divergence), so the two of a prompt must not be neighbours."""
    prompts = rows["prompt"]
    both = pa.concat_arrays([rows["chosen"], rows["rejected"]])
    label = np.repeat([True, False], len(prompts))
    beside = {name: pa.concat_arrays([rows[name], rows[name]]) for name in ("comparison_id", "weight")}
    return {
        "prompt": pa.concat_arrays([prompts, prompts]),
        "completion": alone(both),
        "label": pa.array(label),
        **beside,
        "safe": pa.concat_arrays([rows["chosen_safe"], rows["rejected_safe"]]),
    }


def ranked(rows: Rows) -> Columns:
    count = len(rows.table)
    both = [alone(rows[side]) for side in ("chosen", "rejected")]
    order = pa.array(np.arange(2 * count).reshape(2, count).T.ravel())
    ranks = pa.array(np.tile(np.array([0, 1], np.int64), count))
    completions = pa.StructArray.from_arrays([ranks, pa.concat_arrays(both).take(order)], ["rank", "completion"])
    offsets = pa.array(np.arange(0, 2 * count + 1, 2, dtype=np.int32))
    return {"context": rows["prompt"], "completions": pa.ListArray.from_arrays(offsets, completions)}


def single_messages(prompt: str) -> Callable[[Rows], Columns]:
    def write(rows: Rows) -> Columns:
        following = {side: message(rows[side]) for side in ("chosen", "rejected")}
        return {prompt: rows["prompt"], **following, **rows.beside()}

    return write


def texts(rows: Rows) -> Columns:
    prompts = [tuple((turn["role"], turn["content"]) for turn in prompt) for prompt in rows["prompt"].to_pylist()]
    out = {}
    for side in ("chosen", "rejected"):
        answered = zip(prompts, rows[side].to_pylist(), strict=True)
        out[side] = pa.array([render((*prompt, ("assistant", text))) for prompt, text in answered], pa.large_string())
    return out


def everything(rows: Rows) -> Columns:
    """The master's own columns, and the margin that was asked for."""
    return {**{name: rows[name] for name in rows.table.column_names}, **rows.beside()}
