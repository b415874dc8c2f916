"""What a judge said, as Arrow tables (`schemas.verdicts`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from annotation.campaign.responses import Messages
from annotation.evaluation.book import Request
from annotation.evaluation.grading import Grade
from annotation.evaluation.judging import Verdict
from annotation.evaluation.pairs import Pairs
from annotation.evaluation.replies import Failure, Reply
from annotation.evaluation.verdicts import Reading
from schemas.table import Table
from schemas.verdicts import ANSWERS, GRADES, UNANSWERED, VERDICTS


@dataclass(frozen=True)
class JudgeTables:
    """The tables VERDICTS and UNANSWERED, and the models that are compared, first and second of each pair. A judge of
    pairs has ANSWERS, a judge of single responses GRADES; the other is None."""

    verdicts: pa.Table
    unanswered: pa.Table
    compared: tuple[tuple[str, str], ...]
    answers: pa.Table | None = None
    grades: pa.Table | None = None

    @property
    def by_name(self) -> dict[str, pa.Table]:
        """The tables that are not None, by their names in `schemas.verdicts`."""
        held = {
            "verdicts": self.verdicts,
            "answers": self.answers,
            "grades": self.grades,
            "unanswered": self.unanswered,
        }
        return {name: table for name, table in held.items() if table is not None}

    @property
    def missing(self) -> list[tuple[str, str, str]]:
        """(prompt_id, first, second) of each prompt and compared models of which at least one did not answer it."""
        silent: dict[str, set[str]] = {}
        for row in self.unanswered.to_pylist():
            silent.setdefault(row["model"], set()).add(row["prompt_id"])
        return [
            (prompt_id, first, second)
            for first, second in self.compared
            for prompt_id in sorted(silent.get(first, set()) | silent.get(second, set()))
        ]

    @property
    def said(self) -> pa.Table:
        """ANSWERS or GRADES: a row for each question."""
        return self.grades if self.answers is None else self.answers


def tables_of(verdicts: Sequence[Verdict], judged: Pairs, grades: Sequence[Grade] | None = None) -> JudgeTables:
    """The tables of verdicts, in their order, with the answers or the grades from which they are. Raises SchemaError
    for rows that break a rule, which is a bug."""
    unanswered = [_unanswered_row(*each, judged) for each in judged.unanswered]
    return JudgeTables(
        _table(VERDICTS, _verdict_columns(verdicts), len(verdicts)),
        rows_of(UNANSWERED, unanswered),
        tuple(judged.models),
        answers=_answer_rows(verdicts) if grades is None else None,
        grades=None if grades is None else _grade_rows(grades),
    )


def _unanswered_row(model: str, prompt_id: str, judged: Pairs) -> dict[str, object]:
    category, several = judged.kinds.get(prompt_id, (None, None))
    words = {True: "multi", False: "single", None: None}
    return {"model": model, "prompt_id": prompt_id, "category": category, "turns": words[several]}


def _table(kind: Table, columns: Mapping[str, object], rows: int) -> pa.Table:
    batch = kind.batch(columns, rows)
    kind.check(batch)
    return pa.Table.from_batches([batch])


def _verdict_columns(verdicts: Sequence[Verdict]) -> dict[str, object]:
    pairs = [verdict.pair for verdict in verdicts]
    names = ("pair_id", "prompt_id", "category", "first_model", "second_model", "first", "second")
    columns: dict[str, object] = {name: [getattr(pair, name) for pair in pairs] for name in names}
    columns["prompt"] = [turns(pair.messages) for pair in pairs]
    return columns | {name: [getattr(each, name) for each in verdicts] for name in ("outcome", "inconsistent")}


def turns(messages: Messages) -> list[dict[str, str]]:
    """A dialogue as a value of a column of MESSAGES."""
    return [{"role": role, "content": text} for role, text in messages]


def _answer_rows(verdicts: Sequence[Verdict]) -> pa.Table:
    rows = [
        {
            "pair_id": verdict.pair.pair_id,
            "swapped": answer.question.swapped,
            **_reply_row(answer.question.request, answer.reply, answer.reading),
            "outcome": answer.outcome,
        }
        for verdict in verdicts
        for answer in verdict.answers
    ]
    return rows_of(ANSWERS, rows)


def _grade_rows(grades: Sequence[Grade]) -> pa.Table:
    rows = [
        {
            **{name: getattr(each.question.response, name) for name in ("prompt_id", "category", "model")},
            "prompt": turns(each.question.response.messages),
            "response": each.question.response.text,
            "grade": each.reading.grade,
            **_reply_row(each.question.request, each.reply, each.reading),
        }
        for each in grades
    ]
    return rows_of(GRADES, rows)


def rows_of(kind: Table, rows: Sequence[Mapping[str, object]]) -> pa.Table:
    """Rows as a table of that kind; a missing column is null. Raises SchemaError for rows that break a rule."""
    return _table(kind, {name: [row.get(name) for row in rows] for name in kind.columns.names}, len(rows))


def _reply_row(request: Request, reply: Reply | Failure, reading: Reading) -> dict[str, object]:
    row: dict[str, object] = {"outcome": reading.outcome, "reason": reading.reason, "request": request.key.hex()}
    if isinstance(reply, Failure):
        return row
    names = ("content", "finish", "prompt_tokens", "completion_tokens")
    return {**row, **{name: getattr(reply, name) for name in names}, "answered_by": reply.model}
