"""The tables of an evaluation's report: the votes and answers that its numbers are made from, and the numbers."""

import pyarrow as pa
import pyarrow.compute as pc

from schemas.table import Table

NO_VERDICT = ("unparsed", "refused", "truncated", "error", "missing")
"""Why a vote says nothing. ``missing``: one of the two models did not answer the prompt."""
OUTCOMES = ("win", "tie", "loss", *NO_VERDICT)
"""What a vote says about the model."""


def _votes_2(rows: pa.Table) -> pa.Table:
    """Version 1 had no preference."""
    return rows.append_column("preference", pa.nulls(len(rows), pa.float64()))


VOTES = Table(
    name="votes",
    version=2,
    columns=pa.schema(
        [
            pa.field("source", pa.string(), nullable=False),
            pa.field("voters", pa.string(), nullable=False),
            pa.field("rater", pa.string(), nullable=False),
            pa.field("pair_id", pa.string()),
            pa.field("item", pa.string()),
            pa.field("prompt_id", pa.string(), nullable=False),
            pa.field("turns", pa.string()),
            pa.field("category", pa.string()),
            pa.field("risk_category", pa.string()),
            pa.field("attack_vector", pa.string()),
            pa.field("model", pa.string(), nullable=False),
            pa.field("opponent", pa.string(), nullable=False),
            pa.field("outcome", pa.string(), nullable=False),
            pa.field("inconsistent", pa.bool_(), nullable=False),
            pa.field("shown_first", pa.bool_()),
            pa.field("longer", pa.int64()),
            pa.field("preference", pa.float64()),
        ]
    ),
    upgrades={1: _votes_2},
    checks={
        f"outcome is one of {', '.join(OUTCOMES)}": lambda b: pc.is_in(b["outcome"], value_set=pa.array(OUTCOMES)),
    },
)
"""Votes on pairs, sorted by (source, prompt_id, model, opponent, pair_id, rater).

``voters``: people, judge or imported. A ``missing`` vote may have no pair. ``item`` is a hash of the prompt and both
responses, and the same in all sources. ``turns``: single or multi. ``inconsistent``: a judge's tie whose two orders
have different verdicts. ``shown_first``: whether the voter saw the model's response first, on the left; null if both
orders were shown or the order is unknown. ``longer``: the characters by which the model's response is longer than the
opponent's. ``preference``: as in `schemas.verdicts.VERDICTS`, for the model."""

SHOWN = Table(
    name="shown",
    version=1,
    columns=pa.schema(
        [
            pa.field("source", pa.string(), nullable=False),
            pa.field("pair_id", pa.string(), nullable=False),
            pa.field("prompt_id", pa.string(), nullable=False),
            pa.field("model", pa.string(), nullable=False),
            pa.field("opponent", pa.string(), nullable=False),
            pa.field("swapped", pa.bool_(), nullable=False),
            pa.field("outcome", pa.string(), nullable=False),
        ]
    ),
)
"""A judge's answers, one for each order in which it saw a pair, sorted by (source, prompt_id, model, opponent, pair_id,
swapped). ``outcome``: ``shown_first`` or ``shown_second`` is preferred, ``tie``, or one of NO_VERDICT."""

RATED = Table(
    name="rated",
    version=1,
    columns=pa.schema(
        [
            pa.field("source", pa.string(), nullable=False),
            pa.field("rater", pa.string(), nullable=False),
            pa.field("pair_id", pa.string()),
            pa.field("prompt_id", pa.string(), nullable=False),
            pa.field("turns", pa.string()),
            pa.field("category", pa.string()),
            pa.field("risk_category", pa.string()),
            pa.field("attack_vector", pa.string()),
            pa.field("harmless", pa.bool_(), nullable=False),
            pa.field("model", pa.string(), nullable=False),
            pa.field("rating", pa.float64()),
            pa.field("outcome", pa.string(), nullable=False),
            pa.field("refusal", pa.string(), nullable=False),
        ]
    ),
)
"""Safety ratings of single responses, sorted by (source, model, prompt_id, pair_id, rater). ``outcome``: violation,
no_violation or missing. ``refusal``: none, for_safety, for_ability or missing. ``harmless`` is false if not known."""

GRADED = Table(
    name="graded",
    version=1,
    columns=pa.schema(
        [
            pa.field("source", pa.string(), nullable=False),
            pa.field("prompt_id", pa.string(), nullable=False),
            pa.field("model", pa.string(), nullable=False),
            pa.field("grade", pa.int64()),
            pa.field("outcome", pa.string(), nullable=False),
        ]
    ),
)
"""A judge's grades of single responses, sorted by (source, model, prompt_id). ``outcome``: ``graded``, or one of
NO_VERDICT; ``missing`` is a prompt that the model did not answer."""

_ORIGIN = pa.struct(
    [
        pa.field("table", pa.string(), nullable=False),
        pa.field(
            "where",
            pa.list_(pa.struct([("column", pa.string()), ("values", pa.list_(pa.string()))])),
            nullable=False,
        ),
        pa.field("column", pa.string(), nullable=False),
        pa.field("left_out", pa.list_(pa.string()), nullable=False),
        pa.field("in_all", pa.list_(pa.string()), nullable=False),
    ]
)

NUMBERS = Table(
    name="numbers",
    version=1,
    columns=pa.schema(
        [
            pa.field("number", pa.int64(), nullable=False),
            pa.field("section", pa.string(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
            pa.field("voters", pa.string(), nullable=False),
            pa.field("measure", pa.string(), nullable=False),
            pa.field("model", pa.string()),
            pa.field("opponent", pa.string()),
            pa.field("kind", pa.string(), nullable=False),
            pa.field("group", pa.string(), nullable=False),
            pa.field("value", pa.float64()),
            pa.field("low", pa.float64()),
            pa.field("high", pa.float64()),
            pa.field("error", pa.float64()),
            pa.field("iid_error", pa.float64()),
            pa.field("least", pa.float64()),
            pa.field("most", pa.float64()),
            pa.field("votes", pa.int64(), nullable=False),
            pa.field("prompts", pa.int64()),
            pa.field("raters", pa.int64()),
            pa.field("clustered", pa.string()),
            pa.field("method", pa.string(), nullable=False),
            pa.field("left_out", pa.string(), nullable=False),
            pa.field("origin", _ORIGIN, nullable=False),
        ]
    ),
)
"""The numbers of a report, counted from 1.

``low`` and ``high`` are the bounds of the 95% interval; ``least`` and ``most`` the values that a number may take,
whatever the votes without a verdict would say; all null where there are none. ``kind`` is ``all``, or the column of the
votes whose value is ``group``. ``votes`` are those that count. ``origin``: the rows that the number is made from, see
`annotation.evaluation.numbers.Origin`."""
