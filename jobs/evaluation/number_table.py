"""The columns of a table of numbers on an evaluation's page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from annotation.evaluation.numbers import Number
from jobs.evaluation.wording import cell


@dataclass(frozen=True)
class Column:
    """A column: its title, the text of a number's cell, and whether its texts are words, which are aligned left."""

    title: str
    text: Callable[[Number], str]
    words: bool = False


def columns(numbers: Sequence[Number]) -> list[Column]:
    """The columns of these numbers; those that would be empty are left out."""
    return [column for column in _COLUMNS if any(map(column.text, numbers))]


def _between(number: Number, low: float | None, high: float | None, word: str) -> str:
    return "" if low is None or high is None else f"{cell(number, low)}{word}{cell(number, high)}"


_COLUMNS = (
    Column("model", lambda each: each.model or "", True),
    Column("opponent", lambda each: each.opponent or "", True),
    Column("group", lambda each: each.group, True),
    Column("measure", lambda each: each.measure, True),
    Column("value", lambda each: cell(each, each.value) or "-"),
    Column("95% interval", lambda each: _between(each, each.low, each.high, " to ")),
    Column("at least, at most", lambda each: _between(each, each.least, each.most, ", ")),
    Column("votes", lambda each: f"{each.votes:,}"),
    Column("prompts", lambda each: f"{each.prompts:,}" if each.prompts else ""),
    Column("raters", lambda each: f"{each.raters:,}" if each.raters else ""),
    Column("clustered by", lambda each: each.clustered or "", True),
    Column("left out", lambda each: each.left_out, True),
)
