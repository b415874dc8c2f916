"""Builds the columns of each trainer's files from comparisons, without a loop over rows where possible."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from annotation.dataset.prompts import prompt_texts
from annotation.exports.dialogues import append_answers, message, single_message
from annotation.imports.hh import render

Columns = dict[str, pa.Array]


@dataclass(frozen=True)
class Comparisons:
    """Comparisons, each column in one chunk, with the requested margin (None: no margins)."""

    table: pa.Table
    margin: pa.DoubleArray | None

    def __getitem__(self, column: str) -> pa.Array:
        return self.table[column].combine_chunks()

    def extra_columns(self) -> Columns:
        """The columns beside the dialogue."""
        margin = {} if self.margin is None else {"margin": self.margin}
        names = ("weight", "chosen_safe", "rejected_safe")
        return {"comparison_id": self["comparison_id"], **margin, **{name: self[name] for name in names}}


def whole_dialogues(rows: Comparisons) -> Columns:
    prompts = rows["prompt"]
    dialogues = {which: append_answers(prompts, rows[which]) for which in ("chosen", "rejected")}
    return {**dialogues, **rows.extra_columns()}


def answers(rows: Comparisons) -> Columns:
    following = {which: single_message(rows[which]) for which in ("chosen", "rejected")}
    return {"prompt": rows["prompt"], **following, **rows.extra_columns()}


def label_answers(rows: Comparisons) -> Columns:
    """A row per answer, good and bad answers alternately. TRL reads the rows in order, and treats the answer of a
    neighbouring row in the batch as an answer to another prompt (KTO's estimate of the divergence). So each batch has
    both kinds, and neighbours have different prompts if possible."""
    prompts = rows["prompt"]
    count = len(prompts)
    order = _by_turns(prompts)
    both = pa.concat_arrays([rows["chosen"], rows["rejected"]])
    label = np.repeat([True, False], count)

    def for_both(column: pa.Array) -> pa.Array:
        return pa.concat_arrays([column, column]).take(order)

    return {
        "prompt": for_both(prompts),
        "completion": single_message(both.take(order)),
        "label": pa.array(label).take(order),
        **{name: for_both(rows[name]) for name in ("comparison_id", "weight")},
        "safe": pa.concat_arrays([rows["chosen_safe"], rows["rejected_safe"]]).take(order),
    }


def _by_turns(prompts: pa.ListArray) -> pa.Array:
    """The order of all chosen answers (0 to n - 1) and all rejected answers (n to 2n - 1), alternately. Comparisons of
    the same prompt are spread over rounds, and each rejected answer follows its chosen answer at a distance. Of several
    distances, the distance with the fewest neighbours of the same prompt is used."""
    count = len(prompts)
    if not count:
        return pa.array([], pa.int64())
    prompt = prompt_texts(prompts).dictionary_encode().indices.to_numpy()
    grouped = np.argsort(prompt, kind="stable")
    starts = np.r_[0, np.cumsum(np.bincount(prompt))[:-1]]
    again = np.empty(count, np.int64)
    again[grouped] = np.arange(count) - starts[prompt[grouped]]
    order = np.lexsort((np.arange(count), again))
    inside = prompt[order]

    def count_neighbors(distance: int) -> int:
        behind = np.roll(inside, -distance)
        return int((inside == behind).sum() + (behind[:-1] == inside[1:]).sum())

    distances = sorted({count // 2, count // 2 + 1, count // 3, count // 3 + 1, count // 5, count // 7, 2, 1, 0})
    best = min((each for each in distances if each < count), key=count_neighbors)
    return pa.array(np.stack([order, np.roll(order, -best) + count], axis=1).ravel())


def rank_answers(rows: Comparisons) -> Columns:
    count = len(rows.table)
    both = [single_message(rows[which]) for which in ("chosen", "rejected")]
    order = pa.array(np.arange(2 * count).reshape(2, count).T.ravel())
    ranks = pa.array(np.tile(np.array([0, 1], np.int64), count))
    completions = pa.StructArray.from_arrays([ranks, pa.concat_arrays(both).take(order)], ["rank", "completion"])
    offsets = pa.array(np.arange(0, 2 * count + 1, 2, dtype=np.int32))
    return {"context": rows["prompt"], "completions": pa.ListArray.from_arrays(offsets, completions)}


def single_messages(prompt: str) -> Callable[[Comparisons], Columns]:
    def write(rows: Comparisons) -> Columns:
        following = {which: message(rows[which]) for which in ("chosen", "rejected")}
        return {prompt: rows["prompt"], **following, **rows.extra_columns()}

    return write


def texts(rows: Comparisons) -> Columns:
    prompts = [tuple((turn["role"], turn["content"]) for turn in prompt) for prompt in rows["prompt"].to_pylist()]
    out = {}
    for which in ("chosen", "rejected"):
        answered = zip(prompts, rows[which].to_pylist(), strict=True)
        out[which] = pa.array([render((*prompt, ("assistant", text))) for prompt, text in answered], pa.large_string())
    return out


def everything(rows: Comparisons) -> Columns:
    """All columns of the dataset, and the requested margin."""
    return {**{name: rows[name] for name in rows.table.column_names}, **rows.extra_columns()}
