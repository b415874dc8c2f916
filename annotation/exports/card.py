"""The README.md of an export: how to load it, and its content."""

from collections.abc import Sequence

from annotation.dataset.page import page
from annotation.exports.exported import Exported


def card(exported: Exported, master: str, written: Sequence[str]) -> str:
    """The text of README.md. Its metadata tells `datasets` which file holds which split."""
    return page(
        "exports/card.md.j2",
        form=exported.format,
        margin=exported.margin,
        master=master,
        written=written,
        carried=exported.describe(),
        splits=exported.splits,
    )
