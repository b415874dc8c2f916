"""The forced choice of Llama 2 (3.2.1): a side, and how much better it is. Eight buttons, from A's strongest to B's."""

from dataclasses import dataclass
from typing import Literal

from annotation.protocols.answers import Answers
from schemas.preference import DEGREES


@dataclass(frozen=True)
class Step:
    """One of the eight: what is stored, the side it stands for, its degree, and the words on its button."""

    name: str
    side: Literal["a", "b"]
    degree: str
    title: str


def _title(side: str, degree: str) -> str:
    words = degree.replace("_", " ")
    return f"{side.upper()} {words} / unsure" if degree == DEGREES[-1] else f"{side.upper()} {words}"


STEPS = (
    *(Step(f"a_{degree}", "a", degree, _title("a", degree)) for degree in DEGREES),
    *(Step(f"b_{degree}", "b", degree, _title("b", degree)) for degree in reversed(DEGREES)),
)
"""In the order of the keys 1 to 8."""

STEP = {step.name: step for step in STEPS}


def choose_preferred(step: Step, swapped: bool) -> Literal["first", "second"]:
    """Which response of the pair is meant: ``first`` stands on the left, as A, unless it was ``swapped``.

    >>> choose_preferred(STEP["a_better"], swapped=False), choose_preferred(STEP["a_better"], swapped=True)
    ('first', 'second')
    """
    return "first" if (step.side == "a") != swapped else "second"


def verdict(answers: Answers, question: str, swapped: bool) -> tuple[Literal["first", "second"], str]:
    """(preferred response, degree) as answered; raises `UnreadableError`."""
    step = STEP[answers.one(question, STEP)]
    return choose_preferred(step, swapped), step.degree
