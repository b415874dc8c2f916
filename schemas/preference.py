"""The tables of preference annotation, in the order in which a pair of responses meets them."""

import pyarrow as pa
import pyarrow.compute as pc

from schemas.table import Check, Table

DEGREES = ("significantly_better", "better", "slightly_better", "negligibly_better")
"""How much better the chosen response is, strongest first; the last degree also means "unsure" (Llama 2, 3.2.1)."""

EVALUATION_DEGREES = ("much_better", "better", "slightly_better", "about_the_same")
"""The degrees of an evaluation, strongest first; the last degree is a tie (Llama 2, 3.4.2)."""

RATINGS = ("safe_and_helpful", "minor_issue", "safe_but_unhelpful", "moderate_violation", "severe_violation")
"""The ratings of a response's safety, from 5 to 1 (Llama 2, 4.3); the last two are violations."""

REFUSALS = ("for_safety", "for_ability", "none")
"""Whether a response refuses: for safety, for lack of ability, or not at all (Llama 2, 4.3)."""

MESSAGES = pa.list_(
    pa.field(
        "message",
        pa.struct(
            [pa.field("role", pa.string(), nullable=False), pa.field("content", pa.large_string(), nullable=False)]
        ),
        nullable=False,
    )
)
"""A dialogue: system, user and assistant turns, oldest first."""

RISKS = pa.list_(pa.field("risk", pa.string(), nullable=False))


def _one_of(column: str, *values: str) -> dict[str, Check]:
    allowed = pa.array(values)
    return {
        f"{column} is one of {', '.join(values)}": lambda b: pc.or_(
            pc.is_null(b[column]), pc.is_in(b[column], value_set=allowed)
        )
    }


def _pairs_2(rows: pa.Table) -> pa.Table:
    """Version 1 called ``split`` ``side``, the word for left and right."""
    return rows.rename_columns(["split" if name == "side" else name for name in rows.column_names])


def _pairs_3(rows: pa.Table) -> pa.Table:
    """Version 2 knew nothing about prompts but their texts, and had two responses in each row."""
    for name in FACTS:
        column = pa.bool_() if name == "harmless" else pa.string()
        rows = rows.append_column(name, pa.nulls(len(rows), column))
    return rows


FACTS = ("category", "risk_category", "attack_vector", "harmless")
"""The columns of PAIRS that say what kind of prompt it is; null if unknown."""

PAIRS = Table(
    name="pairs",
    version=3,
    columns=pa.schema(
        [
            pa.field("pair_id", pa.string(), nullable=False),
            pa.field("batch", pa.string(), nullable=False),
            pa.field("prompt_id", pa.string(), nullable=False),
            pa.field("prompt", MESSAGES, nullable=False),
            pa.field("first", pa.large_string(), nullable=False),
            pa.field("second", pa.large_string()),
            pa.field("first_model", pa.string()),
            pa.field("second_model", pa.string()),
            pa.field("first_temperature", pa.float64()),
            pa.field("second_temperature", pa.float64()),
            pa.field("gold", pa.string()),
            pa.field("split", pa.string()),
            pa.field("protocol", pa.string(), nullable=False),
            pa.field("protocol_version", pa.string(), nullable=False),
            pa.field("votes", pa.int32(), nullable=False),
            pa.field("category", pa.string()),
            pa.field("risk_category", pa.string()),
            pa.field("attack_vector", pa.string()),
            pa.field("harmless", pa.bool_()),
        ]
    ),
    checks={**_one_of("gold", "first", "second"), **_one_of("split", "train", "held_out", "neither")},
    upgrades={1: _pairs_2, 2: _pairs_3},
)
"""Two responses to one prompt, or a single response: ``second`` and ``second_model`` are then null. ``gold`` names the
better response if it is known in advance; such a pair tests annotators, never becomes a comparison, and has null models
and split. ``split`` is ``neither`` for a prompt that is close to prompts of both splits, and null for a campaign that
measures models. ``votes`` is the number of votes asked for. ``harmless``: the prompt asks for nothing harmful, so that
a refusal for safety is a false refusal."""

ASSIGNMENTS = Table(
    name="assignments",
    version=1,
    columns=pa.schema(
        [
            pa.field("uid", pa.string(), nullable=False),
            pa.field("pair_id", pa.string(), nullable=False),
            pa.field("batch", pa.string(), nullable=False),
            pa.field("annotator", pa.string(), nullable=False),
            pa.field("round", pa.string(), nullable=False),
            pa.field("swapped", pa.bool_(), nullable=False),
            pa.field("state", pa.string(), nullable=False),
        ]
    ),
    checks={
        **_one_of("round", "vote", "adjudication"),
        **_one_of("state", "open", "done", "skipped", "refused", "withdrawn"),
    },
)
"""The tasks of annotators: one row per task. ``swapped``: the pair's first response was shown on the right, as B."""


def _judgments_2(rows: pa.Table) -> pa.Table:
    """Version 1 had votes on two responses only."""
    rows = rows.append_column("rating", pa.nulls(len(rows), pa.int8()))
    return rows.append_column("refusal", pa.nulls(len(rows), pa.string()))


JUDGMENTS = Table(
    name="judgments",
    version=2,
    columns=pa.schema(
        [
            pa.field("uid", pa.string(), nullable=False),
            pa.field("pair_id", pa.string(), nullable=False),
            pa.field("batch", pa.string(), nullable=False),
            pa.field("annotator", pa.string(), nullable=False),
            pa.field("round", pa.string(), nullable=False),
            pa.field("swapped", pa.bool_(), nullable=False),
            pa.field("prefers", pa.string()),
            pa.field("degree", pa.string(), nullable=False),
            pa.field("first_safe", pa.bool_()),
            pa.field("second_safe", pa.bool_()),
            pa.field("first_risks", RISKS, nullable=False),
            pa.field("second_risks", RISKS, nullable=False),
            pa.field("comment", pa.large_string()),
            pa.field("seconds", pa.float64()),
            pa.field("submitted", pa.timestamp("us", "UTC")),
            pa.field("rating", pa.int8()),
            pa.field("refusal", pa.string()),
        ]
    ),
    checks={
        **_one_of("prefers", "first", "tie", "second"),
        **_one_of("degree", *dict.fromkeys((*DEGREES, *EVALUATION_DEGREES, *RATINGS))),
        **_one_of("refusal", *REFUSALS),
        **_one_of("round", "vote", "adjudication"),
        "a rating is from 1 to 5": lambda b: pc.or_(
            pc.is_null(b["rating"]), pc.and_(pc.greater_equal(b["rating"], 1), pc.less_equal(b["rating"], 5))
        ),
        "a vote has a rating or a preference": lambda b: pc.xor(pc.is_null(b["rating"]), pc.is_null(b["prefers"])),
    },
    upgrades={1: _judgments_2},
)
"""The valid votes that count, sorted by (pair_id, round, annotator). Each degree belongs to the protocol's scale; of a
vote on a single response, ``prefers`` is null, and ``rating`` and ``refusal`` are given. ``seconds`` is the time from
opening to submitting as measured by Label Studio, ``submitted`` the time at which the vote got its present answer, by
the server's clock."""

REFUSED = Table(
    name="refused",
    version=1,
    columns=pa.schema(
        [
            pa.field("annotation", pa.string(), nullable=False),
            pa.field("uid", pa.string()),
            pa.field("annotator", pa.string()),
            pa.field("reason", pa.string(), nullable=False),
            pa.field("message", pa.string(), nullable=False),
            pa.field("raw", pa.large_binary(), nullable=False),
        ]
    ),
)
"""Votes in quarantine: the reason in one word, a sentence about it, and the annotation as Label Studio returned it."""

REPORTS = Table(
    name="reports",
    version=1,
    columns=pa.schema(
        [
            pa.field("annotation", pa.string(), nullable=False),
            pa.field("uid", pa.string(), nullable=False),
            pa.field("pair_id", pa.string(), nullable=False),
            pa.field("batch", pa.string(), nullable=False),
            pa.field("annotator", pa.string(), nullable=False),
            pa.field("round", pa.string(), nullable=False),
            pa.field("skipped", pa.bool_(), nullable=False),
            pa.field("reason", pa.string()),
            pa.field("comment", pa.large_string()),
            pa.field("project", pa.int64(), nullable=False),
            pa.field("task", pa.int64(), nullable=False),
        ]
    ),
    checks={
        **_one_of("round", "vote", "adjudication"),
        "a reason or a comment is given": lambda b: pc.or_(pc.is_valid(b["reason"]), pc.is_valid(b["comment"])),
    },
)
"""What annotators said about tasks, with votes and with skips: the problem that they reported (or null) and a comment
(or null). ``project`` and ``task`` are Label Studio's numbers. Sorted by (batch, pair_id, round, annotator)."""

WORDINGS = Table(
    name="wordings",
    version=1,
    columns=pa.schema(
        [
            pa.field("campaign", pa.string(), nullable=False),
            pa.field("batch", pa.string(), nullable=False),
            pa.field("pair_id", pa.string(), nullable=False),
            pa.field("annotator", pa.string(), nullable=False),
            pa.field("round", pa.string(), nullable=False),
            pa.field("first_wording", pa.int32(), nullable=False),
            pa.field("last_wording", pa.int32(), nullable=False),
        ]
    ),
    checks={
        **_one_of("round", "vote", "adjudication"),
        "no last_wording is below its first_wording": lambda b: pc.less_equal(b["first_wording"], b["last_wording"]),
    },
)
"""Which wording of the guidelines the annotator of a counted vote saw, in batches whose guidelines were reworded.
Wordings are numbered from 1 in each batch. If ``first_wording`` and ``last_wording`` differ, it was one of these or of
those between: the page was open during the change, or an earlier answer was edited. Sorted as JUDGMENTS."""

_VOTE = pa.struct(
    [
        pa.field("annotator", pa.string(), nullable=False),
        pa.field("round", pa.string(), nullable=False),
        pa.field("for_chosen", pa.bool_(), nullable=False),
        pa.field("degree", pa.string(), nullable=False),
        pa.field("chosen_safe", pa.bool_()),
        pa.field("rejected_safe", pa.bool_()),
    ]
)


def _comparisons_2(rows: pa.Table) -> pa.Table:
    """Converts version 1, which had campaigns only: ``campaign`` becomes ``source``, and every row gets weight 1."""
    rows = rows.rename_columns(["source" if name == "campaign" else name for name in rows.column_names])
    return rows.append_column("weight", pa.repeat(pa.scalar(1.0), len(rows)))


COMPARISONS = Table(
    name="comparisons",
    version=2,
    columns=pa.schema(
        [
            pa.field("comparison_id", pa.string(), nullable=False),
            pa.field("prompt", MESSAGES, nullable=False),
            pa.field("chosen", pa.large_string(), nullable=False),
            pa.field("rejected", pa.large_string(), nullable=False),
            pa.field("degree", pa.string()),
            pa.field("margin_small", pa.float64()),
            pa.field("margin_large", pa.float64()),
            pa.field("weight", pa.float64(), nullable=False),
            pa.field("chosen_safe", pa.bool_()),
            pa.field("rejected_safe", pa.bool_()),
            pa.field("safety_bin", pa.string()),
            pa.field("chosen_risks", RISKS, nullable=False),
            pa.field("rejected_risks", RISKS, nullable=False),
            pa.field("votes", pa.list_(pa.field("vote", _VOTE, nullable=False)), nullable=False),
            pa.field("votes_for", pa.int32()),
            pa.field("votes_against", pa.int32()),
            pa.field("adjudicated", pa.bool_(), nullable=False),
            pa.field("chosen_model", pa.string()),
            pa.field("rejected_model", pa.string()),
            pa.field("chosen_temperature", pa.float64()),
            pa.field("rejected_temperature", pa.float64()),
            pa.field("source", pa.string(), nullable=False),
            pa.field("batch", pa.string(), nullable=False),
            pa.field("protocol", pa.string(), nullable=False),
            pa.field("protocol_version", pa.string(), nullable=False),
            pa.field("prompt_id", pa.string(), nullable=False),
            pa.field("prompt_family", pa.string(), nullable=False),
            pa.field("split", pa.string(), nullable=False),
        ]
    ),
    checks={
        "chosen differs from rejected": lambda b: pc.not_equal(b["chosen"], b["rejected"]),
        "a degree and its margins are known together": lambda b: pc.and_(
            pc.equal(pc.is_null(b["degree"]), pc.is_null(b["margin_small"])),
            pc.equal(pc.is_null(b["degree"]), pc.is_null(b["margin_large"])),
        ),
        "weight is positive": lambda b: pc.and_(pc.greater(b["weight"], 0.0), pc.is_finite(b["weight"])),
        **_one_of("degree", *DEGREES),
        **_one_of("safety_bin", "chosen_safe", "both_safe", "both_unsafe"),
        **_one_of("split", "train", "held_out"),
    },
    upgrades={1: _comparisons_2},
)
"""Which of two responses is better: one row per pair that votes or an open set decide, sorted by comparison_id (source,
slash, pair id). A mixture has its rows in a seeded order, each as often as it was drawn. ``source`` is a campaign or an
imported set; for a set, ``protocol`` is ``imported`` and its version names the schema of the files. The margins are
those of Llama 2, table 27. Degree, safety and models are null if unknown. ``weight`` is the relative weight of the row
in a loss. ``votes`` holds every vote by round and annotator; ``votes_for`` and ``votes_against`` count the votes that
decided: those of adjudicators if there are any, else all."""

UNRESOLVED = Table(
    name="unresolved",
    version=1,
    columns=pa.schema(
        [
            pa.field("pair_id", pa.string(), nullable=False),
            pa.field("campaign", pa.string(), nullable=False),
            pa.field("batch", pa.string(), nullable=False),
            pa.field("prompt_id", pa.string(), nullable=False),
            pa.field("prompt_family", pa.string(), nullable=False),
            pa.field("reason", pa.string(), nullable=False),
            pa.field("votes_first", pa.int32(), nullable=False),
            pa.field("votes_second", pa.int32(), nullable=False),
        ]
    ),
)
"""Pairs without a comparison, each with its reason, sorted by (campaign, pair_id); the vote counts are those of the
deciding votes. Two reasons do not come from votes: ``near_held_out``, a training pair whose prompt is close to a
held-out prompt, and ``near_both_sides``, a pair whose prompt is close to prompts of both splits."""

IMPORT_REJECTS = Table(
    name="import_rejects",
    version=1,
    columns=pa.schema(
        [
            pa.field("source", pa.string(), nullable=False),
            pa.field("file", pa.string(), nullable=False),
            pa.field("row", pa.int64(), nullable=False),
            pa.field("pair", pa.int32(), nullable=False),
            pa.field("reason", pa.string(), nullable=False),
            pa.field("message", pa.string(), nullable=False),
            pa.field("raw", pa.large_string(), nullable=False),
        ]
    ),
    checks={
        "rows count from 1": lambda b: pc.greater_equal(b["row"], 1),
        "pairs count from 1": lambda b: pc.greater_equal(b["pair"], 1),
    },
)
"""Candidate pairs of an open set that give no comparison, sorted by (file, row, pair): the place, the reason in one
word, a sentence about it, and the content as JSON text. ``row`` is the line or row of the file, from 1; ``pair`` counts
the row's pairs from 1. A row that cannot be read counts as one pair."""
