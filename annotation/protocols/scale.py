"""The forced choice of Llama 2 (3.2.1): the better (or safer) side, and by how much. Eight buttons, from A to B."""

from dataclasses import dataclass
from typing import Literal

from annotation.protocols.answers import Answers
from schemas.preference import DEGREES


@dataclass(frozen=True)
class Step:
    """One of the eight buttons: its stored name, the side that it prefers, and the degree."""

    name: str
    side: Literal["a", "b"]
    degree: str

    def title(self, comparative: str) -> str:
        """The label of the button, with the word that the question asks by: "better" or "safer"."""
        words = self.degree.replace("_", " ").replace("better", comparative)
        return f"{self.side.upper()} {words}{' / unsure' if self.degree == DEGREES[-1] else ''}"


STEPS = (
    *(Step(f"a_{degree}", "a", degree) for degree in DEGREES),
    *(Step(f"b_{degree}", "b", degree) for degree in reversed(DEGREES)),
)
"""The buttons in the order of the keys 1 to 8."""

STEP = {step.name: step for step in STEPS}


def choose_preferred(step: Step, swapped: bool) -> Literal["first", "second"]:
    """The response of the pair that a button prefers: ``first`` is on the left, as A, unless ``swapped``.

    >>> choose_preferred(STEP["a_better"], swapped=False), choose_preferred(STEP["a_better"], swapped=True)
    ('first', 'second')
    """
    return "first" if (step.side == "a") != swapped else "second"


def read_preference(answers: Answers, question: str, swapped: bool) -> tuple[Literal["first", "second"], str]:
    """(preferred response, degree) of the answer to ``question``; raises `UnreadableError`."""
    step = STEP[answers.get_choice(question, STEP)]
    return choose_preferred(step, swapped), step.degree
