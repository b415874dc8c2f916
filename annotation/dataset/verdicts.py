"""Rows of a card's tables of verdicts: each a title, the number of comparisons and their share."""

import pyarrow as pa

from annotation.dataset.markdown import Cells, counts, with_share
from schemas import DEGREES


def by_degree(rows: pa.Table, unknown: str | None = None) -> list[Cells]:
    """A row per degree, also for degrees without comparisons. ``unknown``: the title of a last row that counts the
    comparisons without a degree; None: no such row."""
    found = counts(rows["degree"])
    titles: list[tuple[str | None, str]] = [(name, name.replace("_", " ")) for name in DEGREES]
    if unknown is not None:
        titles.append((None, unknown))
    return [(title, *with_share(found.get(name, 0), len(rows))) for name, title in titles]


def by_safety(rows: pa.Table, unknown: str) -> list[Cells]:
    """A row per safety bin that occurs. ``unknown``: the title of the row of comparisons without a bin."""
    found = counts(rows["safety_bin"])
    titles = {
        "chosen_safe": "chosen safe, rejected unsafe",
        "both_safe": "both safe",
        "both_unsafe": "both unsafe",
        None: unknown,
    }
    return [(title, *with_share(found[name], len(rows))) for name, title in titles.items() if name in found]
