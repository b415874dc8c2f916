"""Reads rows from CSV and TSV: the first record names the columns, each value is the text of a cell."""

import csv
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import orjson

from schemas.errors import UserError

LONGEST = 1 << 27
"""Maximum characters per cell."""

DELIMITERS = {".csv": ",", ".tsv": "\t"}


class Cell(str):
    """The text of a CSV cell, which may spell a number, a flag or a list."""

    __slots__ = ()


def records(
    lines: Iterable[bytes], delimiter: str, path: str, texts: Collection[str] = ()
) -> Iterator[dict[str, Any] | tuple[list[str], str]]:
    """The records below the header: rows, or for an invalid record its cells with the reason.

    A cell with a JSON list or object is parsed, except in the columns ``texts``; it must begin with the bracket.
    ``path`` is for messages. Raises UserError if the header names a column twice, or no column at all.

    >>> lines = [b"prompt,score\\n", b'"What is rye?",2\\n', b"short\\n"]
    >>> list(records(lines, ",", "rye.csv"))
    [{'prompt': 'What is rye?', 'score': '2'}, (['short'], 'the record has 1 cells, the head has 2')]
    """
    csv.field_size_limit(LONGEST)
    reader = csv.reader((line.decode("utf-8-sig", "surrogateescape") for line in lines), delimiter=delimiter)
    try:
        head = next(reader, [])
    except csv.Error as error:
        raise UserError(f"{path} has an invalid head ({error}): end each record with a line feed") from error
    twice = [name for name, count in Counter(head).items() if count > 1]
    if twice or not any(head):
        reason = f"has two columns named {twice[0]!r}" if twice else "has no head that names its columns"
        raise UserError(f"{path} {reason}: the first record of a CSV file names each column once")
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield [], f"the record is not valid CSV: {error}"
            continue
        if not cells:
            continue  # a blank line
        if len(cells) != len(head):
            yield _readable(cells), f"the record has {len(cells)} cells, the head has {len(head)}"
        elif not all(map(_is_text, cells)):
            yield _readable(cells), "the record is not valid UTF-8"
        else:
            named = zip(head, cells, strict=True)
            yield {name: Cell(cell) if name in texts else _value(cell) for name, cell in named}


def _value(cell: str) -> Any:
    if cell[:1] in ("[", "{"):
        try:
            return orjson.loads(cell)
        except orjson.JSONDecodeError:
            pass
    return Cell(cell)


def _is_text(cell: str) -> bool:
    try:
        cell.encode()
    except UnicodeEncodeError:
        return False
    return True


def _readable(cells: list[str]) -> list[str]:
    return [cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for cell in cells]
