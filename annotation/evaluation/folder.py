"""Writes the folder of a judge's verdicts, which appears complete or not at all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from annotation.dataset.files import Writer, new_folder
from annotation.evaluation.judging import Answer, Judge, Verdict
from annotation.evaluation.manifest import FORMAT, VERSION, JudgeEntry, SourceEntry, VerdictsLedger, VerdictsManifest
from annotation.evaluation.pairs import Pairs
from annotation.evaluation.replies import Failure, Reply
from annotation.evaluation.winrates import outcomes
from schemas.balance import check_balance
from schemas.manifest import MANIFEST
from schemas.records import to_json
from schemas.verdicts import ANSWERS, UNANSWERED, VERDICTS


def write(folder: Path, verdicts: Sequence[Verdict], judged: Pairs, judge: Judge, source: SourceEntry) -> None:
    """Writes verdicts, answers, unanswered prompts and the manifest into a new folder; equal verdicts give equal bytes.

    Raises UserError if the folder is taken, RunError if it cannot be written.
    """
    with new_folder(folder) as writer:
        writer.parquet("verdicts", verdict_rows(verdicts))
        writer.parquet("answers", answer_rows(verdicts))
        writer.parquet("unanswered", _unanswered_rows(judged.unanswered))
        writer.json(MANIFEST, _manifest(writer, verdicts, judged, judge, source))


def verdict_rows(verdicts: Sequence[Verdict]) -> pa.Table:
    """The verdicts as rows of VERDICTS, in their order."""
    pairs = [verdict.pair for verdict in verdicts]
    names = ("pair_id", "prompt_id", "category", "first_model", "second_model", "first", "second")
    columns: dict[str, object] = {name: [getattr(pair, name) for pair in pairs] for name in names}
    columns["prompt"] = [[{"role": role, "content": text} for role, text in pair.messages] for pair in pairs]
    columns |= {name: [getattr(each, name) for each in verdicts] for name in ("outcome", "inconsistent")}
    batch = VERDICTS.batch(columns, len(pairs))
    VERDICTS.check(batch)
    return pa.Table.from_batches([batch])


def answer_rows(verdicts: Sequence[Verdict]) -> pa.Table:
    """The answers as rows of ANSWERS, in the order of the verdicts."""
    rows = [_answer_row(answer) for verdict in verdicts for answer in verdict.answers]
    batch = ANSWERS.batch({name: [row.get(name) for row in rows] for name in ANSWERS.columns.names}, len(rows))
    ANSWERS.check(batch)
    return pa.Table.from_batches([batch])


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


def _unanswered_rows(unanswered: Sequence[tuple[str, str]]) -> pa.Table:
    columns = {"model": [model for model, _ in unanswered], "prompt_id": [prompt_id for _, prompt_id in unanswered]}
    return pa.Table.from_batches([UNANSWERED.batch(columns, len(unanswered))])


def _manifest(
    writer: Writer, verdicts: Sequence[Verdict], judged: Pairs, judge: Judge, source: SourceEntry
) -> VerdictsManifest:
    return VerdictsManifest(
        format=FORMAT,
        version=VERSION,
        tables={table.name: table.version for table in (VERDICTS, ANSWERS, UNANSWERED)},
        judge=JudgeEntry(
            model=judge.model,
            parameters=judge.fields,
            template=to_json(judge.template),
            template_sha256=judge.template.digest,
            orders=judge.orders,
            seed=judge.seed,
            answered_by=_answered_by(verdicts),
        ),
        source=source,
        ledger=ledger(verdicts, judged),
        files=writer.files,
    )


def ledger(verdicts: Sequence[Verdict], judged: Pairs) -> VerdictsLedger:
    """The counts of the verdicts. Raises an error if not every pair has an outcome, which is a bug."""
    found = outcomes(verdicts)
    check_balance("pairs", len(judged.pairs), found)
    replies = _replies(verdicts)
    return VerdictsLedger(
        pairs=len(judged.pairs),
        outcomes=found,
        inconsistent=sum(verdict.inconsistent for verdict in verdicts),
        questions=sum(len(verdict.answers) for verdict in verdicts),
        unanswered=len(judged.unanswered),
        prompt_tokens=sum(reply.prompt_tokens or 0 for reply in replies.values()),
        completion_tokens=sum(reply.completion_tokens or 0 for reply in replies.values()),
    )


def _answered_by(verdicts: Sequence[Verdict]) -> Mapping[str, int]:
    return dict(sorted(Counter(reply.model for reply in _replies(verdicts).values()).items()))


def _replies(verdicts: Sequence[Verdict]) -> dict[bytes, Reply]:
    """The reply to each request, once, however many questions share the request."""
    answers = [answer for verdict in verdicts for answer in verdict.answers]
    return {each.question.request.key: each.reply for each in answers if isinstance(each.reply, Reply)}
