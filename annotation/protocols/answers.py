"""Reads and checks the ``result`` of a Label Studio annotation: the server stores whatever a client sends."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.protocols.protocol import Unreadable
from annotation.protocols.scale import Point, Scale
from annotation.protocols.wording import WORDING


class UnreadableError(Exception):
    """An annotation that cannot be read; ``unreadable`` holds the reason and a message."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.unreadable = Unreadable(reason, message)


@dataclass(frozen=True)
class Answers:
    """The answers to each question, by the name of its control."""

    values: Mapping[str, tuple[str, ...]]

    def get_choice(self, question: str, choices: Iterable[str]) -> str:
        """The choice of a question that takes exactly one. Raises `UnreadableError` otherwise."""
        found = self.get_choices(question, choices)
        if not found:
            raise UnreadableError("missing_answer", f"{question} has no answer")
        if len(found) > 1:
            raise UnreadableError("several_answers", f"{question} has {len(found)} answers: it takes exactly one")
        return found[0]

    def get_choices(self, question: str, choices: Iterable[str]) -> tuple[str, ...]:
        """The choices of a question that takes any number, in the order in which the page offers them."""
        found, offered = self.values.get(question, ()), tuple(choices)
        if strange := [choice for choice in found if choice not in offered]:
            raise UnreadableError("unknown_choice", f"{question} does not offer {_short(strange[0])}")
        if len(set(found)) < len(found):
            raise UnreadableError("several_answers", f"{question} has the same answer twice")
        return tuple(choice for choice in offered if choice in found)

    def get_point(self, scale: Scale, swapped: bool) -> Point:
        """The point of the scale that was chosen, as a point of the pair. Raises `UnreadableError` without a choice."""
        return scale.point(self.get_choice(scale.question, scale.by_name), swapped)

    def get_text(self, question: str) -> str | None:
        """Free text with each part on its own line and lone surrogates as ``?``; None if empty."""
        joined = "\n".join(self.values.get(question, ())).strip()
        return joined.encode("utf-8", "replace").decode("utf-8") or None


def read_answers(result: Any, *, choices: Iterable[str], texts: Iterable[str]) -> Answers:
    """The answers in ``result`` to the questions ``choices`` and ``texts``.

    Raises `UnreadableError` for a result that a page with these questions cannot send. Other keys of an item are
    ignored, since new versions of Label Studio add keys.
    """
    kinds = {**dict.fromkeys(choices, "choices"), **dict.fromkeys(texts, "text")}
    values: dict[str, tuple[str, ...]] = {}
    for item in _items(result):
        name = item.get("from_name")
        if name == WORDING:
            continue
        if not isinstance(name, str) or name not in kinds:
            raise UnreadableError(
                "unknown_question", f"an answer is to {_short(name)}, a question that the page does not ask"
            )
        if name in values:
            raise UnreadableError("several_answers", f"{name} is answered twice")
        values[name] = _strings(name, item.get("value"), kinds[name])
    return Answers(values)


def _items(result: Any) -> Sequence[Mapping[str, Any]]:
    if not isinstance(result, list | tuple) or not all(isinstance(item, Mapping) for item in result):
        raise UnreadableError("malformed", "the result is not a list of answers")
    return result


def _strings(name: str, value: Any, kind: str) -> tuple[str, ...]:
    found = value.get(kind) if isinstance(value, Mapping) else None
    if kind == "text" and isinstance(found, str):
        return (found,)
    if not isinstance(found, list | tuple) or not all(isinstance(part, str) for part in found):
        raise UnreadableError("malformed", f"the answer to {name} is not a list of {kind}")
    return tuple(found)


def _short(value: Any) -> str:
    return ascii(value)[:60]
