"""The protocol preference: which response is more helpful, in four degrees (Llama 2, 3.2.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.protocols.answers import UnreadableError, read_answers
from annotation.protocols.dialogue import Dialogue
from annotation.protocols.layout import make_config, make_scale
from annotation.protocols.protocol import AnnotationReading, Category, Page, Unreadable
from annotation.protocols.rendering import render_guidelines
from annotation.protocols.reporting import QUESTION, read_problem
from annotation.protocols.scale import PREFERENCE
from schemas.errors import UserError


class Preference(Dialogue):
    """Asks which response is more helpful, and nothing about safety."""

    name = "preference"
    version = 2
    scale = PREFERENCE

    def page(self, guidelines: str, categories: Sequence[Category] = ()) -> Page:
        """The page; raises `UserError` if there are risk categories, since the protocol does not ask about risks."""
        if categories:
            raise UserError("the protocol preference asks about no risks: remove the categories or use protocol safety")
        config = make_config(make_scale(self.scale, "Which response is more helpful?"))
        return Page(config, render_guidelines(guidelines))

    def read(
        self, result: Sequence[Mapping[str, Any]], swapped: bool, categories: Sequence[Category] = ()
    ) -> AnnotationReading | Unreadable:
        """The answer of an annotation, or why it cannot be read.

        >>> Preference().read([{"from_name": "preference", "value": {"choices": ["b_better"]}}], swapped=True).prefers
        'first'
        """
        try:
            answers = read_answers(result, choices=["preference", QUESTION], texts=["comment"])
            point = answers.get_point(self.scale, swapped)
            read_problem(answers)
        except UnreadableError as error:
            return error.unreadable
        return AnnotationReading(point.prefers, point.degree, None, None, (), (), answers.get_text("comment"))
