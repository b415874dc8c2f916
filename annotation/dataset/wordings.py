"""Which wording of the guidelines each vote was given under, of campaigns whose guidelines were reworded in a batch."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from annotation.dataset import markdown
from annotation.judgments.snapshot import Snapshot

NAME = "wordings"
"""The name of the table in the dataset's folder. A dataset without reworded guidelines has no such table."""


def wordings(snapshots: Sequence[Snapshot]) -> pa.Table | None:
    """The rows of WORDINGS of all campaigns, or None if no guidelines were reworded."""
    if not any(snapshot.guidelines for snapshot in snapshots):
        return None
    return pa.concat_tables(snapshot.wordings for snapshot in snapshots).combine_chunks()


def by_wording(snapshots: Sequence[Snapshot]) -> list[markdown.Cells]:
    """(campaign, batch, wording, SHA-256 of the guidelines, votes) of each wording, and a row for votes that may have
    been given under several."""
    cells: list[markdown.Cells] = []
    for snapshot in snapshots:
        for batch, digests in sorted(snapshot.guidelines.items()):
            counts = count_wordings(snapshot.wordings, batch)
            for (first, last), votes in sorted(counts.items()):
                named, digest = (str(first), digests[first - 1]) if first == last else (f"{first} to {last}", "-")
                cells.append((snapshot.name, batch, named, digest, f"{votes:,}"))
    return cells


def count_wordings(rows: pa.Table, batch: str) -> dict[tuple[int, int], int]:
    """The number of votes of a batch by (first, last) wording that their annotators may have seen."""
    own = rows.filter(pc.equal(rows["batch"], batch)).group_by(["first_wording", "last_wording"])
    found = own.aggregate([([], "count_all")]).to_pylist()
    return {(row["first_wording"], row["last_wording"]): row["count_all"] for row in found}
