"""The README.md of an export: how to load it, and what it holds."""

from collections.abc import Sequence

from annotation.dataset.page import page
from annotation.exports.exported import Exported


def card(exported: Exported, master: str, written: Sequence[str]) -> str:
    """The whole text; the head tells `datasets` which file is which split."""
    return page(
        "exports/card.md.j2",
        form=exported.format,
        margin=exported.margin,
        master=master,
        written=written,
        carried=exported.describe(),
        splits=exported.splits,
    )
