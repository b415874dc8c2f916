"""Prints the tables of all commands: names in the first column, numbers in the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from jobs.consoles import console
from schemas.visible import visible

WIDTH_ELSEWHERE = 100
"""Width of a table that is not printed on a terminal, in characters."""


@dataclass(frozen=True)
class Row:
    """A row's cells as text, and their rich style on a terminal, such as ``bold`` or ``dim``."""

    cells: Sequence[str]
    style: str = ""


def print_table(columns: Sequence[str], rows: Iterable[Row], *, least_width: int | None = None) -> None:
    """Prints a table; the first column is aligned left, the others right.

    The table is as wide as the terminal, and long cells wrap. With ``least_width`` the table is at least that many
    characters wide, and long cells are cut.
    """
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=least_width is not None)
    for row in rows:
        table.add_row(*map(visible, row.cells), style=row.style)
    _console(least_width).print(table)


def _console(least_width: int | None) -> Console:
    if least_width is not None:
        return console(width=max(console().width, least_width))
    return console(width=None if console().is_terminal else WIDTH_ELSEWHERE)
