"""A judge's verdicts, answers and unanswered prompts as Arrow tables (`schemas.verdicts`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from annotation.evaluation.judging import Answer, Verdict
from annotation.evaluation.pairs import Pairs
from annotation.evaluation.replies import Failure
from schemas.verdicts import ANSWERS, UNANSWERED, VERDICTS


@dataclass(frozen=True)
class JudgeTables:
    """The tables VERDICTS, ANSWERS and UNANSWERED, and the models that are compared, first and second of each pair."""

    verdicts: pa.Table
    answers: pa.Table
    unanswered: pa.Table
    compared: tuple[tuple[str, str], ...]

    @property
    def by_name(self) -> dict[str, pa.Table]:
        return {"verdicts": self.verdicts, "answers": self.answers, "unanswered": self.unanswered}


def tables_of(verdicts: Sequence[Verdict], judged: Pairs) -> JudgeTables:
    """The tables of verdicts, in their order. Raises SchemaError for rows that break a rule, which is a bug."""
    unanswered = [{"model": model, "prompt_id": prompt_id} for model, prompt_id in judged.unanswered]
    return JudgeTables(
        pa.Table.from_batches([_verdict_rows(verdicts)]),
        pa.Table.from_batches([_answer_rows(verdicts)]),
        pa.Table.from_pylist(unanswered, UNANSWERED.schema),
        tuple(judged.models),
    )


def _verdict_rows(verdicts: Sequence[Verdict]) -> pa.RecordBatch:
    pairs = [verdict.pair for verdict in verdicts]
    names = ("pair_id", "prompt_id", "category", "first_model", "second_model", "first", "second")
    columns: dict[str, object] = {name: [getattr(pair, name) for pair in pairs] for name in names}
    columns["prompt"] = [[{"role": role, "content": text} for role, text in pair.messages] for pair in pairs]
    columns |= {name: [getattr(each, name) for each in verdicts] for name in ("outcome", "inconsistent")}
    batch = VERDICTS.batch(columns, len(pairs))
    VERDICTS.check(batch)
    return batch


def _answer_rows(verdicts: Sequence[Verdict]) -> pa.RecordBatch:
    rows = [_answer_row(answer) for verdict in verdicts for answer in verdict.answers]
    batch = ANSWERS.batch({name: [row.get(name) for row in rows] for name in ANSWERS.columns.names}, len(rows))
    ANSWERS.check(batch)
    return batch


def _answer_row(answer: Answer) -> dict[str, object]:
    row: dict[str, object] = {
        "pair_id": answer.question.pair.pair_id,
        "swapped": answer.question.swapped,
        "outcome": answer.outcome,
        "reason": answer.reading.reason,
        "request": answer.question.request.key.hex(),
    }
    if isinstance(answer.reply, Failure):
        return row
    names = ("content", "finish", "prompt_tokens", "completion_tokens")
    return {**row, **{name: getattr(answer.reply, name) for name in names}, "answered_by": answer.reply.model}
