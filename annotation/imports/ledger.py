"""Where every row of an open set went: the candidates of each file are comparisons or rejects, none is both."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import RunError


@dataclass
class Counts:
    """Of one file: rows read, candidate pairs in them, and what these became."""

    rows: int = 0
    pairs: int = 0
    train: int = 0
    held_out: int = 0
    rejects: Counter[str] = field(default_factory=Counter)

    @property
    def comparisons(self) -> int:
        return self.train + self.held_out

    def add(self, other: "Counts") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "rejects": dict(sorted(self.rejects.items()))}


@dataclass(frozen=True)
class Ledger:
    """By the file's name. What was read is counted while reading, what became of it in the tables that are written."""

    files: Mapping[str, Counts]

    @classmethod
    def of(cls, read: Mapping[str, tuple[int, int]], splits: Mapping[str, pa.Table], rejects: pa.Table) -> "Ledger":
        """``read``: rows and candidate pairs of each file; ``splits`` have a column ``file``.

        Raises RunError when the ledger does not balance.
        """
        files = {name: Counts(rows, pairs) for name, (rows, pairs) in read.items()}
        for split, rows in splits.items():
            for each in pc.value_counts(rows["file"]).to_pylist():
                setattr(files[each["values"]], split, each["counts"])
        for each in rejects.group_by(["file", "reason"]).aggregate([([], "count_all")]).to_pylist():
            files[each["file"]].rejects[each["reason"]] = each["count_all"]
        ledger = cls(files)
        ledger.check()
        return ledger

    def total(self) -> Counts:
        total = Counts()
        for counts in self.files.values():
            total.add(counts)
        return total

    def check(self) -> None:
        """Raises RunError when a pair was lost, or counted twice."""
        for name, counts in self.files.items():
            went = counts.comparisons + counts.rejects.total()
            if counts.pairs != went:
                raise RunError(f"the ledger of {name} does not add up: {counts.pairs} pairs, {went} written")
