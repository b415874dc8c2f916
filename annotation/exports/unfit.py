"""Rows that a trainer would skip, stop at or change: they are left out by name, never in silence."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from annotation.exports.dialogues import alternating, roles
from annotation.exports.layouts import Rows

Flags = npt.NDArray[np.bool_]
Unfit = Mapping[str, Callable[[Rows], Flags]]
"""For each reason, the rows that it holds for."""


def no_prompt(rows: Rows) -> Flags:
    """A comparison without a message before the answers."""
    return pc.equal(pc.list_value_length(rows["prompt"]), 0).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def not_alternating(rows: Rows) -> Flags:
    """Turns other than user, assistant, user, ..., user, a system's message before them aside."""
    return ~alternating(rows["prompt"])


def not_in_hh(rows: Rows) -> Flags:
    """A dialogue that HH's text cannot hold: roles other than user and assistant, or its marks in a message."""
    bounds, named = roles(rows["prompt"])
    row = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    told = pc.is_in(named, value_set=pa.array(["user", "assistant"]))
    odd = pc.or_(pc.invert(told), _has_marks(rows["prompt"].flatten().field("content")))
    out = np.zeros(len(bounds) - 1, bool)
    out[row[odd.to_numpy(zero_copy_only=False)]] = True
    for side in ("chosen", "rejected"):
        out |= _has_marks(rows[side]).to_numpy(zero_copy_only=False)
    return out


def _has_marks(texts: pa.Array) -> pa.Array:
    return pc.or_(pc.match_substring(texts, "\n\nHuman: "), pc.match_substring(texts, "\n\nAssistant: "))
