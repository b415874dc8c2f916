"""What cards are made of: the head that Hugging Face reads, prose, and tables that show any text as it is."""

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

LOADING = """\
```python
import pyarrow as pa

with pa.memory_map("comparisons/train.arrow") as file:
    train = pa.ipc.open_file(file).read_all()
```

`comparisons/train.parquet` holds the same rows."""

Cells = Sequence[str]


def head(title: str, splits: Mapping[str, pa.Table]) -> str:
    """YAML. A split without rows is not named there, for `datasets` cannot load it."""
    rows = sum(map(len, splits.values()))
    named = [name for name, table in splits.items() if len(table)]
    size = next((name for limit, name in SIZES if rows < limit), "1M<n<10M")
    return "\n".join(
        [
            "---",
            f"pretty_name: {json.dumps(title, ensure_ascii=False)}",
            "tags:",
            "- preference",
            "size_categories:",
            f"- {size}",
            *(["configs:", "- config_name: default", "  data_files:"] if named else []),
            *(f"  - split: {name}\n    path: comparisons/{name}.parquet" for name in named),
            "---",
        ]
    )


def counts(column: pa.ChunkedArray) -> dict[str | None, int]:
    """How often each value is there."""
    return {entry["values"]: entry["counts"] for entry in pc.value_counts(column).to_pylist()}


def shared(count: int, total: int) -> Cells:
    """A count and its share, as two cells."""
    return (f"{count:,}", f"{count / total:.1%}" if total else "-")


def prose(text: str) -> str:
    """Text in lines of at most 118 characters."""
    return textwrap.fill(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, whose plural ends in -s unless it is given.

    >>> count(1, "pair"), count(1000, "pair"), count(2, "batch", "batches")
    ('1 pair', '1,000 pairs', '2 batches')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def table(head: Cells, body: Iterable[Cells], words: int) -> str:
    """A Markdown table whose first ``words`` columns are words, and the rest numbers."""
    lines = [head, ["---" if n < words else "---:" for n in range(len(head))], *body]
    return "\n".join("| " + " | ".join(cell(text) for text in line) + " |" for line in lines)


def cell(text: str) -> str:
    r"""Text that Markdown shows as it is.

    >>> cell("a|b\n<c> *d*")
    'a\\|b &lt;c&gt; \\*d\\*'
    """
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for mark in "\\`*_[]|":
        text = text.replace(mark, f"\\{mark}")
    return text
