"""Under which wording of its guidelines the votes of each batch were given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from annotation.judgments.snapshot import Snapshot
from jobs.terminal import say

_VOTE = ["batch", "pair_id", "round", "annotator"]
_WORDING = ["first_wording", "last_wording"]


@dataclass(frozen=True)
class Wording:
    """The number of counted votes of a batch whose annotators saw wording ``first`` of the guidelines; if ``last``
    differs, they saw a wording from ``first`` to ``last``.

    ``version`` is the version of the page that the batch was pushed with. ``newest`` is the wording in force, 1 if the
    guidelines of the batch were never changed. ``first_vote`` and ``last_vote`` are times in UTC; None without a vote.
    """

    batch: str
    version: str
    first: int
    last: int
    newest: int
    votes: int
    first_vote: datetime | None
    last_vote: datetime | None

    @property
    def name(self) -> str:
        return " or ".join(map(str, range(self.first, self.last + 1)))


def wordings(snapshot: Snapshot) -> list[Wording]:
    """A row for each batch and wording that has votes, and for the wording in force, by batch and wording."""
    versions = snapshot.pairs.group_by(["batch", "protocol_version"]).aggregate([]).sort_by("batch").to_pylist()
    counted = _count(snapshot)
    rows = []
    for row in versions:
        batch, newest = row["batch"], len(snapshot.guidelines.get(row["batch"], (None,)))
        own = {(each["first_wording"], each["last_wording"]): each for each in counted if each["batch"] == batch}
        for first, last in sorted({*own, (newest, newest)}):
            found = own.get((first, last), {"count_all": 0, "submitted_min": None, "submitted_max": None})
            times = found["submitted_min"], found["submitted_max"]
            rows.append(Wording(batch, row["protocol_version"], first, last, newest, found["count_all"], *times))
    return rows


def print_wordings(rows: Sequence[Wording]) -> None:
    """A line for each batch whose guidelines were changed while it ran."""
    for batch, newest in {row.batch: row.newest for row in rows if row.newest > 1}.items():
        given = [f"{row.votes:,} under wording {row.name}" for row in rows if row.batch == batch and row.votes]
        say(f"Guidelines of {batch}: wording {newest} is in force; votes: {', '.join(given) or 'none yet'}.")


def _count(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Number, first and last time of the votes by batch and wording. Batches with one wording are not in WORDINGS."""
    votes = snapshot.judgments.select([*_VOTE, "submitted"]).join(snapshot.wordings.select([*_VOTE, *_WORDING]), _VOTE)
    for name in _WORDING:
        place = votes.column_names.index(name)
        votes = votes.set_column(place, name, votes[name].fill_null(pa.scalar(1, pa.int32())))
    totals = votes.group_by(["batch", *_WORDING]).aggregate(
        [([], "count_all"), ("submitted", "min"), ("submitted", "max")]
    )
    rows: list[dict[str, Any]] = totals.to_pylist()
    return rows
