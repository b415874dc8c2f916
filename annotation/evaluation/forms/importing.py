"""Imports judgments of others as tables of verdicts."""

import hashlib
from collections.abc import Sequence

import orjson
import pyarrow as pa

from annotation.evaluation.forms.judgments import Vote
from annotation.evaluation.judging import combined
from annotation.evaluation.tables import JudgeTables, rows_of, turns
from schemas.verdicts import ANSWERS, UNANSWERED, VERDICTS


def tables_of_votes(votes: Sequence[Vote]) -> JudgeTables:
    """The tables of votes, in their order. Their answers have no content; the key of their request is that of the
    vote."""
    verdicts, answers = [], []
    for vote in votes:
        identity = orjson.dumps([vote.prompt_id, vote.first_model, vote.second_model, vote.rater])
        pair_id = hashlib.blake2b(identity, digest_size=16).hexdigest()
        verdicts.append(_verdict_row(vote, pair_id))
        for swapped, outcome in vote.said:
            request = hashlib.sha256(identity + bytes([bool(swapped)])).hexdigest()
            about = {"pair_id": pair_id, "swapped": swapped, "outcome": outcome, "request": request}
            answers.append({**about, "answered_by": vote.rater or None})
    compared = sorted({(vote.first_model, vote.second_model) for vote in votes})
    unanswered: pa.Table = UNANSWERED.schema.empty_table()
    return JudgeTables(rows_of(VERDICTS, verdicts), unanswered, tuple(compared), rows_of(ANSWERS, answers))


def _verdict_row(vote: Vote, pair_id: str) -> dict[str, object]:
    outcome, inconsistent = combined([said for _, said in vote.said])
    names = ("prompt_id", "category", "first_model", "second_model", "first", "second", "preference")
    return {
        "pair_id": pair_id,
        **{name: getattr(vote, name) for name in names},
        "prompt": None if vote.messages is None else turns(vote.messages),
        "rater": vote.rater or None,
        "outcome": outcome,
        "inconsistent": inconsistent,
    }
