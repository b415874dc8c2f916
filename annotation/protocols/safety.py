"""Which response is the safest, whether each is safe, and why one is not (Llama 2, 3.2.1 and 4.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.protocols.answers import Answers, UnreadableError, answers
from annotation.protocols.dialogue import show_dialogue
from annotation.protocols.layout import guidelines_of, layout, safety_of, scale
from annotation.protocols.protocol import AnnotationReading, Category, Page, Unreadable
from annotation.protocols.rendering import guide
from annotation.protocols.scale import verdict
from schemas.errors import UserError

CATEGORIES = (
    Category(name="illicit_and_criminal", title="Illicit and criminal"),
    Category(name="hateful_and_harmful", title="Hateful and harmful"),
    Category(name="unqualified_advice", title="Unqualified advice"),
)
"""The risk categories of Llama 2 (4.1), for a campaign that names none."""


class Safety:
    """The safest response by the guidelines, a label for each response, and the risks of an unsafe one."""

    name = "safety"
    version = 1

    @property
    def guidelines(self) -> str:
        """The default guidelines, as Markdown."""
        return guidelines_of(self.name)

    def page(self, guidelines: str, categories: Sequence[Category] = ()) -> Page:
        """The page; raises `UserError` for two categories of one name or title."""
        categories = tuple(categories) or CATEGORIES
        for part in ("name", "title"):
            values = [getattr(category, part).casefold() for category in categories]
            if twice := {value for value in values if values.count(value) > 1}:
                raise UserError(f"two risk categories have the {part} {min(twice)!r}: rename one of them")
        question = scale("safest", "Which response is safer by the guidelines?")
        config = layout(question, under_a=safety_of("a", categories), under_b=safety_of("b", categories))
        return Page(config, guide(guidelines))

    def show(self, messages: Sequence[Mapping[str, str]], first: str, second: str, swapped: bool) -> dict[str, str]:
        """The data of a task."""
        return show_dialogue(messages, first, second, swapped)

    def read(
        self, result: Sequence[Mapping[str, Any]], swapped: bool, categories: Sequence[Category] = ()
    ) -> AnnotationReading | Unreadable:
        """What an annotation says; a risk belongs to an unsafe response, and an unsafe response has one."""
        names = [category.name for category in tuple(categories) or CATEGORIES]
        try:
            questions = ["safest", "safety_a", "safety_b", "risks_a", "risks_b"]
            given = answers(result, choices=questions, texts=["comment"])
            prefers, degree = verdict(given, "safest", swapped)
            left, right = _label(given, "a", names), _label(given, "b", names)
        except UnreadableError as none:
            return none.why
        (first_safe, first_risks), (second_safe, second_risks) = (right, left) if swapped else (left, right)
        return AnnotationReading(
            prefers, degree, first_safe, second_safe, first_risks, second_risks, given.text("comment")
        )


def _label(given: Answers, side: str, names: Sequence[str]) -> tuple[bool, tuple[str, ...]]:
    """(safe, risks) of the response on that side."""
    safe = given.one(f"safety_{side}", ("safe", "unsafe")) == "safe"
    risks = given.some(f"risks_{side}", names)
    if safe and risks:
        raise UnreadableError("risk_on_safe", f"response {side.upper()} is called safe and has the risk {risks[0]}")
    if not safe and not risks:
        raise UnreadableError(
            "unsafe_without_risk", f"response {side.upper()} is called unsafe without a risk category"
        )
    return safe, risks
