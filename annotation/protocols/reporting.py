"""Problems with a task that an annotator can report, with a vote or a skip."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from annotation.protocols.answers import Answers, UnreadableError, read_answers

QUESTION = "report"
"""The name of the question on every page."""

PROBLEMS = {
    "broken_text": "Broken text",
    "cannot_judge": "Cannot judge",
    "both_bad": "Both bad",
    "harmful": "Harmful",
}
"""The problems, as stored and as shown."""

SINGLE_PROBLEMS = {name: title for name, title in PROBLEMS.items() if name != "both_bad"}
"""The problems of a page with a single response."""


@dataclass(frozen=True)
class Report:
    """What an annotator says about a task: a key of PROBLEMS, and a comment. Both are None if nothing was said."""

    reason: str | None
    comment: str | None


def read_report(result: Any) -> Report:
    """The problem and the comment in the result of a vote or a skip; never raises.

    A skip may lack any answer. A problem or comment that the page cannot send is None. The page sends one problem at
    most; of several, the last of PROBLEMS is reported.
    """
    items = [item for item in result if isinstance(item, Mapping)] if isinstance(result, list | tuple) else []
    comment = None
    reported = [choice for item in items if item.get("from_name") == QUESTION for choice in _choices(item.get("value"))]
    reason = next((problem for problem in reversed(PROBLEMS) if problem in reported), None)
    with suppress(UnreadableError):
        written = [item for item in items if item.get("from_name") == "comment"]
        comment = read_answers(written, choices=[], texts=["comment"]).get_text("comment")
    return Report(reason, comment)


def read_problem(answers: Answers, problems: Iterable[str] = PROBLEMS) -> str | None:
    """The reported problem of ``problems``. Raises `UnreadableError` if the page cannot send the answer."""
    return answers.get_choice(QUESTION, problems) if answers.values.get(QUESTION) else None


def _choices(value: Any) -> Sequence[Any]:
    found = value.get("choices") if isinstance(value, Mapping) else None
    return found if isinstance(found, list | tuple) else ()
