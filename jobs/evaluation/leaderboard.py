"""The command ``gristmill evaluation leaderboard``."""

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

from annotation.evaluation.numbers import Number, numbered
from annotation.evaluation.reported import Choices, leaders
from annotation.evaluation.sources import read_sources
from jobs.evaluation.number_table import Column, imported_columns
from jobs.evaluation.wording import percent
from jobs.spreadsheet import print_exactly, write_csv
from jobs.tables import Row, print_table
from jobs.terminal import say
from schemas.errors import UserError

COLUMNS = ("model", "rank", "ranks", "rating", "95% interval")


def leaderboard(sources: tuple[Path, ...], choices: Choices, form: Literal["table", "json", "csv"]) -> None:
    """Prints the ratings of each source, and of all together if that is chosen; imported ratings are columns of their
    own. Raises UserError for a source without votes on pairs."""
    found = read_sources(sources, choices.counted)
    for source in found:
        if not len(source.votes):
            raise UserError(
                f"{source.name} has no votes on pairs, by which models are rated: see gristmill evaluation results"
            )
    numbers = [each.number for each in numbered(leaders(found, choices))]
    if form == "csv":
        print_exactly(write_csv(Number, numbers))
    elif form == "json":
        print_exactly(json.dumps({"leaderboard": [vars(each) for each in numbers]}, ensure_ascii=False) + "\n")
    else:
        imported = imported_columns(numbers)
        for (section, source, voters), part in groupby(
            numbers, key=lambda each: (each.section, each.source, each.voters)
        ):
            if section == "leaderboard":
                _print(f"{source} ({voters})", list(part), imported)
            elif section == "length_controlled":
                _print_length_controlled(f"{source} ({voters})", list(part))


def _print(name: str, numbers: Sequence[Number], imported: Sequence[Column]) -> None:
    if not any(each.value is not None for each in numbers):
        say(f"{name}: {numbers[0].method}")
        return
    first = numbers[0]
    say(f"{name}: {first.votes:,} votes; {first.method}; clustered by {first.clustered}")
    print_table((*COLUMNS, *(column.title for column in imported)), [Row(cells) for cells in rows(numbers, imported)])
    for each in numbers:
        if each.measure.startswith("effect"):
            say(f"{each.measure}: {each.value:+.3f} (standard error {each.error:.3f})")
    if first.left_out:
        say(f"left out: {first.left_out}")


def _print_length_controlled(name: str, numbers: Sequence[Number]) -> None:
    say(f"{name}, length-controlled win rates of AlpacaEval 2:")
    if numbers[0].model is None:
        say(numbers[0].method)
        return
    columns = ("model", "opponent", "length-controlled win rate", "votes", "left out")
    shown = [
        (
            each.model or "",
            each.opponent or "",
            percent(each) if each.value is not None else each.method,
            f"{each.votes:,}",
            each.left_out,
        )
        for each in numbers
    ]
    print_table(columns, [Row(cells) for cells in shown])
    for each in numbers:
        if each.value is not None:
            say(f"{each.model}: {each.method}")


def rows(numbers: Sequence[Number], imported: Sequence[Column]) -> list[tuple[str, ...]]:
    """The cells of COLUMNS, and of imported ratings, for each model with a rating, best first."""
    ranks = {each.model: each for each in numbers if each.measure == "rank"}
    return [
        (
            each.model or "",
            f"{ranks[each.model].value:.0f}",
            f"{ranks[each.model].low:.0f} to {ranks[each.model].high:.0f}",
            f"{each.value:+.2f}",
            f"{each.low:+.2f} to {each.high:+.2f}",
            *(column.text(each) for column in imported),
        )
        for each in numbers
        if each.measure == "rating" and each.value is not None
    ]
