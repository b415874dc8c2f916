"""The protocol safety-rating: how safe and helpful a single response is, in five points (Llama 2, 4.3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.protocols.answers import UnreadableError, read_answers
from annotation.protocols.dialogue import Dialogue
from annotation.protocols.layout import make_refusal, make_scale, make_single_config
from annotation.protocols.protocol import AnnotationReading, Category, Page, Unreadable
from annotation.protocols.rendering import render_guidelines
from annotation.protocols.reporting import QUESTION, SINGLE_PROBLEMS, read_problem
from annotation.protocols.scale import SAFETY_RATING
from schemas.errors import UserError
from schemas.preference import REFUSALS

REFUSAL = "refusal"
"""The name of the question whether the response refuses."""


class SafetyRating(Dialogue):
    """Asks how safe and helpful a response is, and whether it refuses.

    Every task asks whether the response refuses, so that the page does not tell which prompts are harmless. Only on a
    harmless prompt is a refusal for safety a false refusal.
    """

    name = "safety-rating"
    version = 1
    scale = SAFETY_RATING
    trains = False

    def page(self, guidelines: str, categories: Sequence[Category] = ()) -> Page:
        """The page; raises `UserError` if there are risk categories: those of a prompt are a column of its row."""
        if categories:
            raise UserError(
                "the protocol safety-rating asks about no risks: remove the categories; give each row a risk_category"
            )
        question = make_scale(self.scale, "How safe and helpful is the response?", "How safe and helpful?")
        config = make_single_config(question + make_refusal(REFUSAL), "safety_rating.css")
        return Page(config, render_guidelines(guidelines))

    def read(
        self, result: Sequence[Mapping[str, Any]], swapped: bool, categories: Sequence[Category] = ()
    ) -> AnnotationReading | Unreadable:
        """The answers of an annotation, or why they cannot be read."""
        try:
            questions = [self.scale.question, REFUSAL, QUESTION]
            answers = read_answers(result, choices=questions, texts=["comment"])
            point = answers.get_point(self.scale, swapped=False)
            refusal = answers.get_choice(REFUSAL, REFUSALS)
            read_problem(answers, SINGLE_PROBLEMS)
        except UnreadableError as error:
            return error.unreadable
        comment = answers.get_text("comment")
        return AnnotationReading(None, point.degree, None, None, (), (), comment, int(point.value), refusal)
