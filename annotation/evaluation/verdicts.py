"""Reads a judge's verdict from its reply, by a strict grammar and only where the template asks for it.

With ``last_line`` the last line of the reply that is not blank must be one of the template's texts; lines above it,
where a judge may quote the responses, do not count. With ``json`` the whole reply must be one JSON object.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from annotation.evaluation.replies import Failure, Reply
from annotation.evaluation.templates import VerdictForm
from schemas.placeholders import fill_in

Outcome = Literal["first", "second", "tie", "graded", "unparsed", "refused", "truncated", "error"]
NO_VERDICT: tuple[Outcome, ...] = ("error", "refused", "truncated", "unparsed")
"""Outcomes without a verdict. Where two requests about a pair fail in two ways, the pair gets the first of these."""

_EMPHASIS = "*_`"
"""Characters of Markdown that a judge may put around its verdict."""


@dataclass(frozen=True)
class Reading:
    """The outcome of a request. ``reason`` is a failure's, if the outcome is ``error``."""

    outcome: Outcome
    grade: int | None = None
    reason: str | None = None


def read(reply: Reply | Failure, form: VerdictForm, key: str) -> Reading:
    """The outcome of a reply to a request with that key.

    A reply that was cut off by its length is ``truncated``, and a blocked or refused reply ``refused``, whatever text
    it has.
    """
    if isinstance(reply, Failure):
        return Reading("error", reason=reply.reason)
    if reply.finish == "length":
        return Reading("truncated")
    if reply.finish == "content_filter" or reply.refusal:
        return Reading("refused")
    said = _last_line(reply.content) if form.place == "last_line" else _field(reply.content, form.field)
    return Reading("unparsed") if said is None else _parse(said, form, key)


def _parse(said: str, form: VerdictForm, key: str) -> Reading:
    for outcome, text in form.texts.items():
        if outcome == "grade":
            found = re.fullmatch(_grade_pattern(text, key), said, re.ASCII)
            if found and form.lowest <= int(found[1]) <= form.highest:
                return Reading("graded", int(found[1]))
        elif said == fill_in(text, {"key": key}):
            return Reading(outcome)  # type: ignore[arg-type]
    return Reading("unparsed")


def _grade_pattern(text: str, key: str) -> str:
    before, _, after = text.partition("{grade}")
    return re.escape(fill_in(before, {"key": key})) + r"(-?\d{1,9})" + re.escape(fill_in(after, {"key": key}))


def _last_line(content: str) -> str | None:
    """The last line that is not blank, without spaces and Markdown's emphasis around it.

    >>> _last_line("A is right about [[B]].\\n\\n**[[A]]**\\n")
    '[[A]]'
    """
    lines = [line for line in content.split("\n") if line.strip(" \t\r")]
    return lines[-1].strip(" \t\r").strip(_EMPHASIS).strip(" \t") if lines else None


def _field(content: str, name: str) -> str | None:
    """The text of a field, if the content is a JSON object that has it and names no field twice; else None."""
    try:
        held = json.loads(content, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    found = held.get(name) if isinstance(held, dict) else None
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return found if isinstance(found, str) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) < len(pairs):
        raise ValueError("a field is named twice")
    return held
