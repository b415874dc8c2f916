"""How the comparisons of a card divide by verdict: rows of its tables, each a title, a count and a share."""

import pyarrow as pa

from annotation.dataset.markdown import Cells, counts, with_share
from schemas import DEGREES


def by_degree(rows: pa.Table, unknown: str | None = None) -> list[Cells]:
    """Every degree, also without comparisons. ``unknown``: the title of a last row, of comparisons without a degree."""
    found = counts(rows["degree"])
    titles: list[tuple[str | None, str]] = [(name, name.replace("_", " ")) for name in DEGREES]
    if unknown is not None:
        titles.append((None, unknown))
    return [(title, *with_share(found.get(name, 0), len(rows))) for name, title in titles]


def by_safety(rows: pa.Table, unknown: str) -> list[Cells]:
    """Every safety bin that a comparison has; ``unknown``: the title for those without a bin."""
    found = counts(rows["safety_bin"])
    titles = {
        "chosen_safe": "chosen safe, rejected unsafe",
        "both_safe": "both safe",
        "both_unsafe": "both unsafe",
        None: unknown,
    }
    return [(title, *with_share(found[name], len(rows))) for name, title in titles.items() if name in found]
