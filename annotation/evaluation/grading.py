"""Grades single responses by a model, and compares pairs by the grades."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from annotation.evaluation.book import Request, request_of
from annotation.evaluation.judging import Judge, Verdict
from annotation.evaluation.pairs import Pair, Response
from annotation.evaluation.replies import Failure, Reply
from annotation.evaluation.templates import Template, fill
from annotation.evaluation.verdicts import NO_VERDICT, Outcome, Reading, read


@dataclass(frozen=True)
class GradeQuestion:
    """What is asked about a response. ``key`` is the code in the messages."""

    response: Response
    key: str
    request: Request


@dataclass(frozen=True)
class Grade:
    """A question with its reply, and the outcome: ``graded`` with the grade, or why the response has no grade."""

    question: GradeQuestion
    reply: Reply | Failure
    reading: Reading


def grade_questions(responses: Sequence[Response], judge: Judge) -> Iterator[GradeQuestion]:
    """A question about each response, in their order."""
    fields, digest = judge.fields, judge.template.digest
    for response in responses:
        filled = fill(judge.template, response.messages, {"response": response.text})
        request = request_of(digest, {**fields, "messages": list(filled.messages)})
        yield GradeQuestion(response, filled.key, request)


def grades(
    asked: Sequence[GradeQuestion], found: Mapping[bytes, Reply | Failure], template: Template
) -> Iterator[Grade]:
    """The grade of each response, from the reply to its question."""
    for question in asked:
        reply = found[question.request.key]
        yield Grade(question, reply, read(reply, template.verdict, question.key))


def compare(pairs: Sequence[Pair], given: Sequence[Grade]) -> Iterator[Verdict]:
    """The verdict on each pair: the response with the higher grade, or a tie. A pair without two grades has none: its
    outcome is the first of NO_VERDICT among the two."""
    held = {each.question.response.identity: each.reading for each in given}
    for pair in pairs:
        first = held[pair.prompt_id, pair.first_model, pair.first]
        second = held[pair.prompt_id, pair.second_model, pair.second]
        yield Verdict(pair, _better(first, second), False, ())


def _better(first: Reading, second: Reading) -> Outcome:
    failed = next((outcome for outcome in NO_VERDICT if outcome in (first.outcome, second.outcome)), None)
    if failed is not None:
        return failed
    if first.grade == second.grade:
        return "tie"
    return "first" if (first.grade or 0) > (second.grade or 0) else "second"
