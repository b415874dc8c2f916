"""Where every row of an open set went: the candidates of each file are comparisons or rejects, none is both."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from annotation.dataset.counts import SplitCounts, add_up
from schemas.balance import check_balance


@dataclass
class FileCounts(SplitCounts):
    """Of one file: rows read, candidate pairs in them, and what these became."""

    rows: int = 0
    rejects: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class ImportLedger:
    """By the file's name. What was read is counted while reading, what became of it in the tables that are written."""

    files: Mapping[str, FileCounts]

    @classmethod
    def of(
        cls, read: Mapping[str, tuple[int, int]], splits: Mapping[str, pa.Table], rejects: pa.Table
    ) -> "ImportLedger":
        """``read``: rows and candidate pairs of each file; ``splits`` have a column ``file``.

        Raises LedgerError when the ledger does not balance.
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
        """Raises LedgerError when a pair was lost, or counted twice."""
        for name, counts in self.files.items():
            check_balance(f"pairs of {name}", counts.pairs, {"comparisons": counts.comparisons, **counts.rejects})
