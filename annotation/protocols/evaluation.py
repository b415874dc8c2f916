"""The protocol evaluation: which response is better, or neither, in seven points (Llama 2, 3.4.2)."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.protocols.answers import UnreadableError, read_answers
from annotation.protocols.dialogue import Dialogue
from annotation.protocols.layout import make_config, make_scale
from annotation.protocols.protocol import AnnotationReading, Category, Page, Unreadable
from annotation.protocols.rendering import render_guidelines
from annotation.protocols.reporting import QUESTION, read_problem
from annotation.protocols.scale import EVALUATION
from schemas.errors import UserError


class Evaluation(Dialogue):
    """Asks which response is better. A tie is an answer, since the votes measure models."""

    name = "evaluation"
    version = 1
    scale = EVALUATION
    trains = False

    def page(self, guidelines: str, categories: Sequence[Category] = ()) -> Page:
        """The page; raises `UserError` if there are risk categories, since the protocol does not ask about risks."""
        if categories:
            raise UserError("the protocol evaluation asks about no risks: remove the categories or use protocol safety")
        question = make_scale(self.scale, "Which response is better?")
        return Page(make_config(question, styles="evaluation.css"), render_guidelines(guidelines))

    def read(
        self, result: Sequence[Mapping[str, Any]], swapped: bool, categories: Sequence[Category] = ()
    ) -> AnnotationReading | Unreadable:
        """The answer of an annotation, or why it cannot be read.

        >>> tie = [{"from_name": "evaluation", "value": {"choices": ["about_the_same"]}}]
        >>> Evaluation().read(tie, swapped=True).prefers
        'tie'
        """
        try:
            answers = read_answers(result, choices=[self.scale.question, QUESTION], texts=["comment"])
            point = answers.get_point(self.scale, swapped)
            read_problem(answers)
        except UnreadableError as error:
            return error.unreadable
        return AnnotationReading(point.prefers, point.degree, None, None, (), (), answers.get_text("comment"))
