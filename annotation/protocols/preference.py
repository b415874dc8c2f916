"""Which response helps more: a forced choice of the side, in four degrees (Llama 2, 3.2.1)."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.protocols.answers import UnreadableError, answers
from annotation.protocols.dialogue import show_dialogue
from annotation.protocols.layout import guidelines_of, layout, scale
from annotation.protocols.protocol import AnnotationReading, Category, Page, Unreadable
from annotation.protocols.rendering import guide
from annotation.protocols.scale import verdict
from schemas.errors import UserError


class Preference:
    """Helpfulness, apart from safety."""

    name = "preference"
    version = 1

    @property
    def guidelines(self) -> str:
        """The default guidelines, as Markdown."""
        return guidelines_of(self.name)

    def page(self, guidelines: str, categories: Sequence[Category] = ()) -> Page:
        """The page; raises `UserError` for risk categories, about which it does not ask."""
        if categories:
            raise UserError("the protocol preference asks about no risks: remove the categories or use protocol safety")
        config = layout(scale("preference", "Which response is more helpful?"), under_a="", under_b="")
        return Page(config, guide(guidelines))

    def show(self, messages: Sequence[Mapping[str, str]], first: str, second: str, swapped: bool) -> dict[str, str]:
        """The data of a task."""
        return show_dialogue(messages, first, second, swapped)

    def read(
        self, result: Sequence[Mapping[str, Any]], swapped: bool, categories: Sequence[Category] = ()
    ) -> AnnotationReading | Unreadable:
        """What an annotation says.

        >>> Preference().read([{"from_name": "preference", "value": {"choices": ["b_better"]}}], swapped=True).prefers
        'first'
        """
        try:
            given = answers(result, choices=["preference"], texts=["comment"])
            prefers, degree = verdict(given, "preference", swapped)
        except UnreadableError as none:
            return none.why
        return AnnotationReading(prefers, degree, None, None, (), (), given.text("comment"))
