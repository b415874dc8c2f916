"""The columns of a table of numbers on an evaluation's page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from annotation.evaluation.numbers import Number
from jobs.evaluation.wording import cell


@dataclass(frozen=True)
class Column:
    """A column: its title, the text of a number's cell, and whether its texts are words, which are aligned left."""

    title: str
    text: Callable[[Number], str]
    words: bool = False


def columns(numbers: Sequence[Number], more: Sequence[Column] = ()) -> list[Column]:
    """The columns of these numbers, and ``more`` behind the value's; those that would be empty are left out."""
    place = 1 + next(place for place, column in enumerate(_COLUMNS) if column.title == "95% interval")
    whole = (*_COLUMNS[:place], *more, *_COLUMNS[place:])
    return [column for column in whole if any(map(column.text, numbers))]


def imported_columns(numbers: Sequence[Number]) -> list[Column]:
    """A column of each file of imported ratings among these numbers, which the rows of ratings have."""
    found: dict[str, dict[str | None, str]] = {}
    for each in numbers:
        if each.section == "imported_ratings":
            found.setdefault(each.source, {})[each.model] = cell(each, each.value) or "-"
    return [Column(f"imported, {name}", partial(_imported, held)) for name, held in found.items()]


def _imported(held: Mapping[str | None, str], number: Number) -> str:
    return held.get(number.model, "-") if number.measure == "rating" else ""


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
