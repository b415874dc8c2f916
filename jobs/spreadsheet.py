"""Writes tables as CSV that a spreadsheet can open without running what the cells hold."""

import csv
import dataclasses
import io
import sys
from collections.abc import Iterable
from typing import Any

from jobs.terminal import VisibleStream

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "'")
"""What a cell with a formula begins with (OWASP, CSV Injection), and the sign that keeps it a text."""


def write_csv(kind: type, rows: Iterable[Any]) -> str:
    """The rows, dataclasses of one ``kind``, as CSV in UTF-8 with a header (RFC 4180, with line feeds).

    None is an empty cell, truth ``true`` or ``false``, and a number has all its digits. `guard` says how texts are kept
    from being formulas.
    """
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    names = [field.name for field in dataclasses.fields(kind)]
    writer.writerow(names)
    writer.writerows([_cell(getattr(row, name)) for name in names] for row in rows)
    return made.getvalue()


def guard(text: str) -> str:
    """The text with an apostrophe before it if a spreadsheet might take it for a formula, or if it begins with one.

    To get the text back, remove one apostrophe where a cell begins with one.

    >>> guard("=1+1"), guard("'quoted'"), guard("a = b")
    ("'=1+1", "''quoted'", 'a = b')
    """
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def print_exactly(text: str) -> None:
    """Prints text for another program. Only a terminal shows hidden characters as escapes."""
    stream: Any = sys.stdout
    if isinstance(stream, VisibleStream) and not stream.isatty():
        stream = stream.stream
    print(text, end="", file=stream, flush=True)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return guard(value) if isinstance(value, str) else value
