"""Votes on pairs as rows of the table VOTES, whoever voted."""

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from annotation.statistics.outcomes import OUTCOMES, Definition, Ints, Outcomes
from schemas.evaluation import NO_VERDICT, VOTES
from schemas.table import Table

_MIRRORED = {"win": "loss", "loss": "win"}
OF_FIRST = {"first": "win", "second": "loss"}
"""What a preference says about the first response."""


def directed(
    first: pa.ChunkedArray,
    second: pa.ChunkedArray,
    outcome: pa.ChunkedArray,
    baseline: str | None = None,
    seen_first: pa.ChunkedArray | None = None,
    longer: pa.ChunkedArray | None = None,
    preference: pa.ChunkedArray | None = None,
) -> dict[str, pa.ChunkedArray]:
    """The columns model, opponent, outcome, shown_first, longer and preference of votes about the first model, mirrored
    so that a baseline is always the opponent; without it the model is the first of the two by name."""
    turn = pc.greater(first, second)
    if baseline is not None:
        turn = pc.or_(pc.equal(first, baseline), pc.and_(turn, pc.not_equal(second, baseline)))
    columns = {
        "model": pc.if_else(turn, second, first),
        "opponent": pc.if_else(turn, first, second),
        "outcome": mirrored(outcome, turn),
    }
    if seen_first is not None:
        columns["shown_first"] = pc.xor(seen_first, turn)
    if longer is not None:
        columns["longer"] = pc.if_else(turn, pc.negate(longer), longer)
    if preference is not None:
        columns["preference"] = pc.if_else(turn, pc.subtract(1.0, preference), preference)
    return columns


def items(rows: pa.Table) -> pa.Array:
    """A hash of the prompt and both responses of each row: 32 hexadecimal digits; null without texts."""
    prompt = _joined(rows["prompt"])
    first, second = rows["first"].to_pylist(), rows["second"].to_pylist()
    keys = [
        None
        if None in (dialogue, *texts)
        else hashlib.blake2b("\0".join((dialogue, *sorted(texts))).encode(), digest_size=16).hexdigest()
        for dialogue, *texts in zip(prompt, first, second, strict=True)
    ]
    return pa.array(keys, pa.string())


def _joined(prompt: pa.ChunkedArray) -> list[Any]:
    """Each dialogue as one text; None for null."""
    found = []
    for chunk in prompt.chunks:
        turns_of = chunk.flatten()
        texts = pc.binary_join_element_wise(
            *(turns_of.field(name).cast(pa.string()) for name in ("role", "content")), "\1"
        )
        offsets = pc.list_value_length(chunk).fill_null(0).to_numpy().cumsum()
        lists = pa.ListArray.from_arrays(pa.array(np.concatenate([[0], offsets]), pa.int32()), texts)
        found += pc.if_else(chunk.is_valid(), pc.binary_join(lists, "\2"), None).to_pylist()
    return found


def longer_first(rows: pa.Table) -> pa.ChunkedArray:
    """By how many characters the first response is longer than the second; null without texts."""
    first, second = (pc.cast(pc.utf8_length(rows[column]), pa.int64()) for column in ("first", "second"))
    return pc.subtract(first, second)


def turns(prompt: pa.ChunkedArray) -> pa.ChunkedArray:
    """``multi`` for a dialogue of several turns of the user, else ``single``; null without a dialogue."""
    asked = [
        None if dialogue is None else sum(turn["role"] == "user" for turn in dialogue)
        for dialogue in prompt.to_pylist()
    ]
    words = [None if count is None else "multi" if count > 1 else "single" for count in asked]
    return pa.chunked_array([pa.array(words, pa.string())])


def mirrored(outcome: pa.ChunkedArray, turn: pa.ChunkedArray) -> pa.ChunkedArray:
    """The outcomes from the other model's point of view, where ``turn`` is true."""
    return pc.if_else(turn, renamed(outcome, _MIRRORED), outcome)


def renamed(column: pa.ChunkedArray, names: dict[str, str]) -> pa.ChunkedArray:
    """The column with some of its values replaced."""
    place = pc.index_in(column, value_set=pa.array(list(names)))
    return pc.coalesce(pa.chunked_array([pa.array(list(names.values()), pa.string())]).take(place), column)


def votes_table(source: str, voters: str, columns: dict[str, pa.ChunkedArray]) -> pa.Table:
    """Rows of VOTES from the columns that differ between votes; the rater is the voters unless given."""
    rows = len(next(iter(columns.values())))
    fixed = {"source": pa.array([source] * rows, pa.string()), "voters": pa.array([voters] * rows, pa.string())}
    rater = {"rater": pa.array([voters] * rows, pa.string())}
    inconsistent = {"inconsistent": pa.array([False] * rows)}
    return checked(VOTES, {**rater, **inconsistent, **columns, **fixed})


def sort_votes(votes: pa.Table) -> pa.Table:
    keys = ("source", "prompt_id", "model", "opponent", "pair_id", "rater")
    return votes.sort_by([(key, "ascending") for key in keys]).combine_chunks()


def checked(kind: Table, columns: dict[str, pa.ChunkedArray]) -> pa.Table:
    """Rows of a table from its columns. Raises SchemaError for rows that break a rule, which is a bug."""
    whole = {
        name: column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        for name, column in columns.items()
    }
    batch = kind.batch(whole, len(next(iter(whole.values()))))
    kind.check(batch)
    return pa.Table.from_batches([batch])


def outcomes_of(votes: pa.Table) -> Outcomes:
    """Votes as outcomes; model A is the model, model B the opponent."""
    prompts, prompt = coded(votes["prompt_id"])
    raters, rater = coded(pc.binary_join_element_wise(votes["source"], votes["rater"], "/"))
    models, model = coded(pa.chunked_array([*votes["model"].chunks, *votes["opponent"].chunks], pa.string()))
    outcome = pc.index_in(votes["outcome"], value_set=pa.array(OUTCOMES)).to_numpy().astype(np.int8)
    return Outcomes(prompt, rater, model[: len(votes)], model[len(votes) :], outcome, prompts, raters, models)


def coded(column: pa.ChunkedArray) -> tuple[tuple[str, ...], Ints]:
    """The distinct values, sorted, and the index of each row's value among them; -1 for null."""
    distinct = pc.unique(column.drop_null()).sort()
    place = pc.fill_null(pc.index_in(column, value_set=distinct), -1)
    return tuple(distinct.to_pylist()), place.to_numpy().astype(np.int64)


def ignored(ties: Definition) -> tuple[str, ...]:
    """The outcomes that a win rate leaves out."""
    return NO_VERDICT if ties == "half" else ("tie", *NO_VERDICT)


def left_out(votes: Outcomes, words: tuple[str, ...]) -> str:
    """How often each of these outcomes occurs, such as ``2 tie, 1 missing``."""
    counts = votes.counts()
    return ", ".join(f"{counts[word]:,} {word}" for word in words if counts[word])
