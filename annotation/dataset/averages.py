"""The columns of Llama 2's table 6, for each batch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from annotation.campaign.lengths import token_counts
from annotation.quality.groups import encode
from annotation.quality.votes import Ints


@dataclass(frozen=True)
class Averages:
    """Means over the comparisons of a batch.

    ``turns``: user turns per dialogue. ``example_tokens``: tokens of all turns and one response; ``prompt_tokens``:
    tokens of the user's last turn; ``response_tokens``: tokens per response, averaged over both responses.
    """

    campaign: str
    batch: str
    comparisons: int
    turns: float
    example_tokens: float
    prompt_tokens: float
    response_tokens: float


def averages(splits: Sequence[pa.Table]) -> list[Averages]:
    """The averages over all splits together, for each batch, sorted by campaign and batch."""
    keys = pa.chunked_array([_keys(rows) for rows in splits], pa.string())
    columns = np.concatenate([_columns(rows) for rows in splits])
    group, names = encode(keys)
    out = []
    for number, name in enumerate(names):
        mean = columns[group == number].mean(axis=0).tolist()
        campaign, _, batch = name.partition("\0")
        out.append(Averages(campaign, batch, int((group == number).sum()), *mean))
    return out


def _keys(rows: pa.Table) -> pa.Array:
    return pc.binary_join_element_wise(rows["source"], rows["batch"], "\0").combine_chunks()


def _columns(rows: pa.Table) -> npt.NDArray[np.float64]:
    """The values to average, a row per comparison, in the column order of Averages."""
    turns, dialogue, last = _prompts(rows["prompt"].combine_chunks())
    chosen, rejected = (token_counts(rows[name].combine_chunks()) for name in ("chosen", "rejected"))
    response = (chosen + rejected) / 2
    return np.column_stack([turns, dialogue + response, last, response])


def _prompts(prompts: pa.ListArray) -> tuple[Ints, Ints, Ints]:
    """For each dialogue: its user turns, the tokens of all its turns, and the tokens of the user's last turn."""
    row = pc.list_parent_indices(prompts).to_numpy()
    turns = prompts.flatten()
    tokens = token_counts(turns.field("content"))
    user = pc.equal(turns.field("role"), "user").to_numpy(zero_copy_only=False)
    last = np.full(len(prompts), -1)
    last[row[user]] = np.flatnonzero(user)
    return (
        np.bincount(row[user], minlength=len(prompts)),
        np.bincount(row, weights=tokens, minlength=len(prompts)).astype(np.int64),
        np.where(last < 0, 0, np.append(tokens, 0)[last]),
    )
