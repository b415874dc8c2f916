"""The tables of a model judge's verdicts."""

import pyarrow as pa
import pyarrow.compute as pc

from schemas.preference import MESSAGES
from schemas.table import Check, Table

OUTCOMES = ("first", "second", "tie", "unparsed", "refused", "truncated", "error")
"""What a judge's answer or a pair comes to: a verdict, or the reason why there is none."""


def _is_an_outcome(batch: pa.RecordBatch) -> pa.Array:
    return pc.is_in(batch["outcome"], value_set=pa.array(OUTCOMES))


_OUTCOME: dict[str, Check] = {f"outcome is one of {', '.join(OUTCOMES)}": _is_an_outcome}

VERDICTS = Table(
    name="verdicts",
    version=1,
    columns=pa.schema(
        [
            pa.field("pair_id", pa.string(), nullable=False),
            pa.field("prompt_id", pa.string(), nullable=False),
            pa.field("category", pa.string()),
            pa.field("prompt", MESSAGES, nullable=False),
            pa.field("first_model", pa.string(), nullable=False),
            pa.field("second_model", pa.string(), nullable=False),
            pa.field("first", pa.large_string(), nullable=False),
            pa.field("second", pa.large_string(), nullable=False),
            pa.field("outcome", pa.string(), nullable=False),
            pa.field("inconsistent", pa.bool_(), nullable=False),
        ]
    ),
    checks={
        **_OUTCOME,
        "only a tie is inconsistent": lambda b: pc.or_(pc.invert(b["inconsistent"]), pc.equal(b["outcome"], "tie")),
    },
)
"""A judge's verdict on each pair, sorted by (prompt_id, first_model, second_model, pair_id). ``inconsistent``: the two
orders have different verdicts, which makes a tie. A pair without a verdict has the outcome of an answer without one."""

ANSWERS = Table(
    name="answers",
    version=1,
    columns=pa.schema(
        [
            pa.field("pair_id", pa.string(), nullable=False),
            pa.field("swapped", pa.bool_(), nullable=False),
            pa.field("outcome", pa.string(), nullable=False),
            pa.field("reason", pa.string()),
            pa.field("content", pa.large_string()),
            pa.field("finish", pa.string()),
            pa.field("answered_by", pa.string()),
            pa.field("prompt_tokens", pa.int64()),
            pa.field("completion_tokens", pa.int64()),
            pa.field("request", pa.string(), nullable=False),
        ]
    ),
    checks={
        **_OUTCOME,
        "an error has a reason": lambda b: pc.equal(pc.equal(b["outcome"], "error"), pc.is_valid(b["reason"])),
    },
)
"""A judge's answers, a row for each order in which a pair was shown, in the order of VERDICTS. ``swapped``: the pair's
second response was shown first. ``outcome`` is in terms of the pair's responses. ``content`` and ``finish`` are what
the model wrote and why it ended, ``answered_by`` its name; all null without an answer, whose ``reason`` is one word.
``request``: the SHA-256 of all that went into the request, in hexadecimal digits."""

UNANSWERED = Table(
    name="unanswered",
    version=1,
    columns=pa.schema(
        [pa.field("model", pa.string(), nullable=False), pa.field("prompt_id", pa.string(), nullable=False)]
    ),
)
"""Prompts that a model did not answer, sorted by (model, prompt_id)."""
