"""Markdown for cards: wrapped prose, numbers, and tables that show any text literally."""

import textwrap
from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

Cells = Sequence[str]


def counts(column: pa.ChunkedArray) -> dict[str | None, int]:
    """The number of rows of each value."""
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(column).to_pylist()}


def with_share(count: int, total: int) -> Cells:
    """A count and its share, as two cells."""
    return (f"{count:,}", f"{count / total:.1%}" if total else "-")


def prose(text: str) -> str:
    """The text wrapped to lines of at most 118 characters, each with a line feed."""
    lines = textwrap.wrap(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{line}\n" for line in lines)


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun. ``plural``: the plural, if it is not the noun with an -s.

    >>> count(1, "pair"), count(1000, "pair"), count(2, "batch", "batches")
    ('1 pair', '1,000 pairs', '2 batches')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def table(body: Iterable[Cells], head: Cells, words: int) -> str:
    """A Markdown table with the column titles ``head``. The first ``words`` columns hold words, the others numbers.

    >>> print(table([("a|b", "1,000")], ["name", "rows"], words=1))
    | name | rows |
    | --- | ---: |
    | a\\|b | 1,000 |
    """
    lines = [head, ["---" if n < words else "---:" for n in range(len(head))], *body]
    return "\n".join("| " + " | ".join(cell(text) for text in line) + " |" for line in lines)


def cell(text: str) -> str:
    r"""Escapes text so that Markdown shows it literally, on one line.

    >>> cell("a|b\n<c> *d*")
    'a\\|b &lt;c&gt; \\*d\\*'
    """
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_[]|":
        text = text.replace(mark, f"\\{mark}")
    return text
