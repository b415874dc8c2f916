"""The ``result`` of a Label Studio annotation, taken apart without trust: the server stores whatever it is sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.protocols.protocol import Unreadable


class UnreadableError(Exception):
    """An annotation that cannot be read; `why` says it in a word and in a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.why = Unreadable(reason, message)


@dataclass(frozen=True)
class Answers:
    """What was answered to each question, by the name of its control."""

    values: Mapping[str, tuple[str, ...]]

    def one(self, question: str, choices: Iterable[str]) -> str:
        """The one choice of a question that asks for exactly one."""
        found = self.some(question, choices)
        if not found:
            raise UnreadableError("missing_answer", f"{question} has no answer")
        if len(found) > 1:
            raise UnreadableError("several_answers", f"{question} has {len(found)} answers, it takes one")
        return found[0]

    def some(self, question: str, choices: Iterable[str]) -> tuple[str, ...]:
        """The choices of a question that takes several or none, in the order in which they are offered."""
        found, offered = self.values.get(question, ()), tuple(choices)
        if strange := [choice for choice in found if choice not in offered]:
            raise UnreadableError("unknown_choice", f"{question} does not offer {_short(strange[0])}")
        if len(set(found)) < len(found):
            raise UnreadableError("several_answers", f"{question} has the same answer twice")
        return tuple(choice for choice in offered if choice in found)

    def text(self, question: str) -> str | None:
        """Free text, its parts on lines of their own, lone surrogates as ``?``; None if there is no text."""
        joined = "\n".join(self.values.get(question, ())).strip()
        return joined.encode("utf-8", "replace").decode("utf-8") or None


def answers(result: Any, *, choices: Iterable[str], texts: Iterable[str]) -> Answers:
    """The answers to those questions, and nothing else.

    Raises `UnreadableError` for what the page of those questions cannot have sent. Keys of an item that are not
    needed here are left alone: Label Studio adds some with its versions.
    """
    kinds = {**dict.fromkeys(choices, "choices"), **dict.fromkeys(texts, "text")}
    values: dict[str, tuple[str, ...]] = {}
    for item in _items(result):
        name = item.get("from_name")
        if not isinstance(name, str) or name not in kinds:
            raise UnreadableError("unknown_question", f"an answer is to {_short(name)}, which is not asked")
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
    if not isinstance(found, list | tuple) or not all(isinstance(one, str) for one in found):
        raise UnreadableError("malformed", f"the answer to {name} holds no list of {kind}")
    return tuple(found)


def _short(value: Any) -> str:
    return ascii(value)[:60]
