"""The tables of a model judge's verdicts."""

import pyarrow as pa
import pyarrow.compute as pc

from schemas.preference import MESSAGES
from schemas.table import Check, Table

NO_VERDICT = ("unparsed", "refused", "truncated", "error")
"""Why there is no verdict or grade."""
OUTCOMES = ("first", "second", "tie", *NO_VERDICT)
"""What a judge's answer or a pair comes to: a verdict, or the reason why there is none."""


def _outcome(*allowed: str) -> dict[str, Check]:
    values = pa.array(allowed)
    return {f"outcome is one of {', '.join(allowed)}": lambda b: pc.is_in(b["outcome"], value_set=values)}


_REASON: dict[str, Check] = {
    "an error has a reason": lambda b: pc.equal(pc.equal(b["outcome"], "error"), pc.is_valid(b["reason"]))
}
_ANSWER = [
    pa.field("outcome", pa.string(), nullable=False),
    pa.field("reason", pa.string()),
    pa.field("content", pa.large_string()),
    pa.field("finish", pa.string()),
    pa.field("answered_by", pa.string()),
    pa.field("prompt_tokens", pa.int64()),
    pa.field("completion_tokens", pa.int64()),
    pa.field("request", pa.string(), nullable=False),
]


def _verdicts_2(rows: pa.Table) -> pa.Table:
    """Version 1 had no preference."""
    return rows.append_column("preference", pa.nulls(len(rows), pa.float64()))


VERDICTS = Table(
    name="verdicts",
    version=2,
    columns=pa.schema(
        [
            pa.field("pair_id", pa.string(), nullable=False),
            pa.field("prompt_id", pa.string(), nullable=False),
            pa.field("category", pa.string()),
            pa.field("prompt", MESSAGES),
            pa.field("first_model", pa.string(), nullable=False),
            pa.field("second_model", pa.string(), nullable=False),
            pa.field("first", pa.large_string()),
            pa.field("second", pa.large_string()),
            pa.field("rater", pa.string()),
            pa.field("outcome", pa.string(), nullable=False),
            pa.field("inconsistent", pa.bool_(), nullable=False),
            pa.field("preference", pa.float64()),
        ]
    ),
    upgrades={1: _verdicts_2},
    checks={
        **_outcome(*OUTCOMES),
        "preference is from 0 to 1": lambda b: pc.or_(
            pc.is_null(b["preference"]),
            pc.fill_null(pc.and_(pc.greater_equal(b["preference"], 0), pc.less_equal(b["preference"], 1)), False),
        ),
        "only a tie is inconsistent": lambda b: pc.or_(pc.invert(b["inconsistent"]), pc.equal(b["outcome"], "tie")),
    },
)
"""A judge's verdict on each pair, sorted by (prompt_id, first_model, second_model, pair_id). ``inconsistent``: the two
orders have different verdicts, which makes a tie. A pair without a verdict has the outcome of an answer without one.
``rater`` is who judged, null for the judge of the manifest. Texts that imported verdicts do not have are null.
``preference``: for the first response, by an imported judge that weighs (1: the first is surely better); else null."""

ANSWERS = Table(
    name="answers",
    version=2,
    columns=pa.schema(
        [
            pa.field("pair_id", pa.string(), nullable=False),
            pa.field("swapped", pa.bool_()),
            *_ANSWER,
        ]
    ),
    checks={**_outcome(*OUTCOMES), **_REASON},
    upgrades={1: lambda rows: rows},
)
"""A judge's answers, a row for each order in which a pair was shown, in the order of VERDICTS. ``swapped``: the pair's
second response was shown first; null where imported verdicts do not say (from version 2 on). ``outcome`` is in terms of
the pair's responses. ``content`` and ``finish`` are what the model wrote and why it ended, ``answered_by`` its name;
all null without an answer, whose ``reason`` is one word. ``request``: the SHA-256 of all that went into the request, in
hexadecimal digits."""

GRADES = Table(
    name="grades",
    version=1,
    columns=pa.schema(
        [
            pa.field("prompt_id", pa.string(), nullable=False),
            pa.field("category", pa.string()),
            pa.field("prompt", MESSAGES, nullable=False),
            pa.field("model", pa.string(), nullable=False),
            pa.field("response", pa.large_string(), nullable=False),
            pa.field("grade", pa.int64()),
            *_ANSWER,
        ]
    ),
    checks={
        **_outcome("graded", *NO_VERDICT),
        **_REASON,
        "what is graded has a grade": lambda b: pc.equal(pc.equal(b["outcome"], "graded"), pc.is_valid(b["grade"])),
    },
)
"""A judge's grades of single responses, sorted by (prompt_id, model, response). The last columns are as in ANSWERS."""


def _unanswered_2(rows: pa.Table) -> pa.Table:
    """Version 1 had no category and no turns."""
    for name in ("category", "turns"):
        rows = rows.append_column(name, pa.nulls(len(rows), pa.string()))
    return rows


UNANSWERED = Table(
    name="unanswered",
    version=2,
    columns=pa.schema(
        [
            pa.field("model", pa.string(), nullable=False),
            pa.field("prompt_id", pa.string(), nullable=False),
            pa.field("category", pa.string()),
            pa.field("turns", pa.string()),
        ]
    ),
    checks={"turns is single or multi": lambda b: pc.is_in(b["turns"], value_set=pa.array(["single", "multi", None]))},
    upgrades={1: _unanswered_2},
)
"""Prompts that a model did not answer, sorted by (model, prompt_id). ``category`` and ``turns`` are the prompt's;
``turns`` is ``multi`` if the user has several turns, and null where it is not known."""
