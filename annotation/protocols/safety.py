"""The protocol safety: the safer response, whether each is safe, and its risks if not (Llama 2, 3.2.1 and 4.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.protocols.answers import Answers, UnreadableError, read_answers
from annotation.protocols.dialogue import Dialogue
from annotation.protocols.layout import make_config, make_safety, make_scale
from annotation.protocols.protocol import AnnotationReading, Category, Page, Unreadable
from annotation.protocols.rendering import render_guidelines
from annotation.protocols.reporting import QUESTION, read_problem
from annotation.protocols.scale import SAFETY
from schemas.errors import UserError

CATEGORIES = (
    Category(name="illicit_and_criminal", title="Illicit and criminal"),
    Category(name="hateful_and_harmful", title="Hateful and harmful"),
    Category(name="unqualified_advice", title="Unqualified advice"),
)
"""The risk categories of Llama 2 (4.1), for a campaign without its own."""


class Safety(Dialogue):
    """Asks for the safer response by the guidelines, a label for each response, and the risks of an unsafe response."""

    name = "safety"
    version = 2
    scale = SAFETY

    def page(self, guidelines: str, categories: Sequence[Category] = ()) -> Page:
        """The page; raises `UserError` if two categories share a name or a title."""
        categories = tuple(categories) or CATEGORIES
        for part in ("name", "title"):
            values = [getattr(category, part).casefold() for category in categories]
            if twice := {value for value in values if values.count(value) > 1}:
                raise UserError(f"two risk categories have the {part} {min(twice)!r}: rename one of them")
        question = make_scale(self.scale, "Which response is safer by the guidelines?")
        config = make_config(question, under_a=make_safety("a", categories), under_b=make_safety("b", categories))
        return Page(config, render_guidelines(guidelines))

    def read(
        self, result: Sequence[Mapping[str, Any]], swapped: bool, categories: Sequence[Category] = ()
    ) -> AnnotationReading | Unreadable:
        """The answers of an annotation, or why they cannot be read: only and every unsafe response must have a risk."""
        names = [category.name for category in tuple(categories) or CATEGORIES]
        try:
            questions = ["safest", "safety_a", "safety_b", "risks_a", "risks_b", QUESTION]
            answers = read_answers(result, choices=questions, texts=["comment"])
            point = answers.get_point(self.scale, swapped)
            left, right = _read_label(answers, "a", names), _read_label(answers, "b", names)
            read_problem(answers)
        except UnreadableError as error:
            return error.unreadable
        (first_safe, first_risks), (second_safe, second_risks) = (right, left) if swapped else (left, right)
        return AnnotationReading(
            point.prefers, point.degree, first_safe, second_safe, first_risks, second_risks, answers.get_text("comment")
        )


def _read_label(answers: Answers, side: str, names: Sequence[str]) -> tuple[bool, tuple[str, ...]]:
    """(safe, risks) of the response on ``side``. Raises `UnreadableError` if they contradict each other."""
    safe = answers.get_choice(f"safety_{side}", ("safe", "unsafe")) == "safe"
    risks = answers.get_choices(f"risks_{side}", names)
    if safe and risks:
        raise UnreadableError("risk_on_safe", f"response {side.upper()} is marked safe but has the risk {risks[0]}")
    if not safe and not risks:
        raise UnreadableError(
            "unsafe_without_risk", f"response {side.upper()} is marked unsafe but has no risk category"
        )
    return safe, risks
