"""An inquiry: all that a judge is asked, about pairs or about single responses, and the tables of what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.evaluation.asking import distinct
from annotation.evaluation.book import Request
from annotation.evaluation.grading import GradeQuestion, compare, grade_questions, grades
from annotation.evaluation.judging import Judge, Question, questions, verdicts
from annotation.evaluation.pairs import Pairs
from annotation.evaluation.replies import Failure, Reply
from annotation.evaluation.tables import JudgeTables, tables_of
from annotation.evaluation.verdicts import Outcome, read


@dataclass(frozen=True)
class Inquiry:
    """The questions of a judge: about pairs, or about single responses if its template grades these."""

    judged: Pairs
    judge: Judge
    about_pairs: Sequence[Question] = ()
    about_responses: Sequence[GradeQuestion] = ()

    @classmethod
    def of(cls, judged: Pairs, judge: Judge) -> "Inquiry":
        if judge.template.single:
            return cls(judged, judge, about_responses=list(grade_questions(judged.responses, judge)))
        return cls(judged, judge, about_pairs=list(questions(judged.pairs, judge)))

    @property
    def requests(self) -> list[Request]:
        """The requests without repetitions, in the order of the questions."""
        return distinct([each.request for each in self.about_pairs] + [each.request for each in self.about_responses])

    def outcomes(self, found: Mapping[bytes, Reply]) -> dict[bytes, Outcome]:
        """The outcome of each request that has a reply, as the judge was shown it."""
        form = self.judge.template.verdict
        asked: list[Question | GradeQuestion] = [*self.about_pairs, *self.about_responses]
        known = [(each.request.key, each.key) for each in asked if each.request.key in found]
        return {request: read(found[request], form, key).outcome for request, key in known}

    def tables(self, found: Mapping[bytes, Reply | Failure]) -> JudgeTables:
        """The tables that follow from the reply to each request."""
        template = self.judge.template
        if template.single:
            given = list(grades(self.about_responses, found, template))
            return tables_of(list(compare(self.judged.pairs, given)), self.judged, given)
        return tables_of(list(verdicts(self.about_pairs, found, template)), self.judged)
