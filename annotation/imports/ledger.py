"""Counts where every row of an open set went: each candidate of a file is either a comparison or a reject."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from annotation.dataset.counts import SplitCounts, add_up
from schemas.balance import check_balance


@dataclass
class FileCounts(SplitCounts):
    """The counts of one file: rows read, candidate pairs, and the comparisons and rejects from them."""

    rows: int = 0
    rejects: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class ImportLedger:
    """The counts by file name. Input is counted while reading, output in the written tables."""

    files: Mapping[str, FileCounts]

    @classmethod
    def of(
        cls, read: Mapping[str, tuple[int, int]], splits: Mapping[str, pa.Table], rejects: pa.Table
    ) -> "ImportLedger":
        """``read``: rows and candidate pairs of each file; ``splits`` have a column ``file``.

        Raises LedgerError if the counts do not balance.
        """
        files = {name: FileCounts(rows=rows, pairs=pairs) for name, (rows, pairs) in read.items()}
        for split, rows in splits.items():
            for each in pc.value_counts(rows["file"]).to_pylist():
                setattr(files[each["values"]], split, each["counts"])
        for each in rejects.group_by(["file", "reason"]).aggregate([([], "count_all")]).to_pylist():
            files[each["file"]].rejects[each["reason"]] = each["count_all"]
        ledger = cls(files)
        ledger.check()
        return ledger

    def total(self) -> FileCounts:
        return add_up(FileCounts(), self.files.values())

    def check(self) -> None:
        """Raises LedgerError if a pair was lost or counted twice."""
        for name, counts in self.files.items():
            check_balance(f"pairs of {name}", counts.pairs, {"comparisons": counts.comparisons, **counts.rejects})
