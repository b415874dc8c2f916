"""What is known about a prompt besides its text: its categories, and whether it is harmless."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from annotation.rows.delimited import Cell


@dataclass(frozen=True)
class Facts:
    """The columns FACTS of a prompt; None is unknown.

    ``category`` is a kind of prompt; ``risk_category`` and ``attack_vector`` say what an adversarial prompt is after,
    and how. ``harmless``: the prompt asks for nothing harmful.
    """

    category: str | None = None
    risk_category: str | None = None
    attack_vector: str | None = None
    harmless: bool | None = None


UNKNOWN = Facts()


def parse_facts(row: Mapping[str, Any]) -> Facts:
    """The facts of a row. Raises ValueError, with a sentence, for a value of another type."""
    values: dict[str, Any] = {}
    for name in ("category", "risk_category", "attack_vector"):
        value = row.get(name)
        if not isinstance(value, str | None):
            raise ValueError(f"{name} must be a text or missing")
        values[name] = str(value).strip() or None if value is not None else None
    harmless = row.get("harmless")
    if isinstance(harmless, Cell):
        harmless = {"true": True, "false": False}.get(harmless.strip().lower(), harmless)
    if not isinstance(harmless, bool | None):
        raise ValueError("harmless must be true, false or missing")
    return Facts(**values, harmless=harmless)


def merge(one: Facts, other: Facts) -> Facts:
    """The facts of both rows of a prompt. Raises ValueError, with a sentence, if they contradict each other."""
    merged = {}
    for name in (each.name for each in fields(Facts)):
        given = [value for value in (getattr(one, name), getattr(other, name)) if value is not None]
        if len(set(given)) > 1:
            first, second = sorted(map(str, given))
            raise ValueError(f"has the {name} {first!r} in one row and {second!r} in another")
        merged[name] = given[0] if given else None
    return Facts(**merged)


def known_facts(facts: Facts, harmless: bool) -> Facts:
    """The facts of a prompt in a campaign whose prompts are all ``harmless``, except prompts that say otherwise."""
    return replace(facts, harmless=True) if harmless and facts.harmless is None else facts
