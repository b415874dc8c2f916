"""The ledger counts documents, bytes and words by what happened to them: read = kept + rejected for every source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.balance import check_balance

Amount = tuple[int, int, int]
"""(documents, bytes of text as read, words)."""

NOTHING: Amount = (0, 0, 0)


@dataclass(frozen=True)
class Counts:
    """An `Amount` as manifests hold it."""

    documents: int
    bytes: int
    words: int


@dataclass(frozen=True)
class RejectedCounts(Counts):
    source: str
    stage: str
    reason: str


@dataclass(frozen=True)
class QuarantinedCounts:
    records: int
    bytes: int


@dataclass(frozen=True)
class CutCounts:
    """How many documents of a source lost parts, and the bytes and the number of those parts."""

    documents: int
    bytes: int
    pieces: int


@dataclass(frozen=True, kw_only=True)
class LedgerReport:
    """A `Ledger` as manifests hold it."""

    read: Mapping[str, Counts]
    kept: Mapping[str, Counts]
    rejected: tuple[RejectedCounts, ...]
    quarantined: Mapping[str, QuarantinedCounts]
    skipped: Mapping[str, int]
    kept_text_bytes: int
    cut: Mapping[str, CutCounts] = field(default_factory=dict)


def add(left: Amount, right: Amount) -> Amount:
    return (left[0] + right[0], left[1] + right[1], left[2] + right[2])


@dataclass
class Ledger:
    """Amounts by source; ``rejected`` by (source, stage, reason), ``quarantined`` by error (records and bytes only).
    ``cut`` has the documents, bytes and number of the pieces that were cut out of documents, by source.

    ``kept_text_bytes`` counts the bytes of the kept texts after rewriting; all other bytes are of texts as read.
    """

    read: dict[str, Amount] = field(default_factory=dict)
    kept: dict[str, Amount] = field(default_factory=dict)
    rejected: dict[tuple[str, str, str], Amount] = field(default_factory=dict)
    quarantined: dict[str, Amount] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    kept_text_bytes: int = 0
    cut: dict[str, Amount] = field(default_factory=dict)

    def count(
        self,
        table: str,
        keys: pa.Array | Iterable[pa.Array],
        sizes: npt.NDArray[np.int64],
        words: npt.NDArray[np.int64],
    ) -> None:
        """Adds a document for each row to the dictionary ``table``, under the row's key."""
        amounts = getattr(self, table)
        columns = [keys] if isinstance(keys, pa.Array) else list(keys)
        names = [f"k{i}" for i in range(len(columns))]
        rows = pa.table([*columns, pa.array(sizes), pa.array(words)], names=[*names, "bytes", "words"])
        grouped = rows.group_by(names, use_threads=False).aggregate(
            [("bytes", "count"), ("bytes", "sum"), ("words", "sum")]
        )
        for row in grouped.to_pylist():
            key = tuple(row[name] for name in names) if len(names) > 1 else row["k0"]
            amount = (row["bytes_count"], row["bytes_sum"], row["words_sum"])
            amounts[key] = add(amounts.get(key, NOTHING), amount)

    def quarantine(self, rows: pa.RecordBatch) -> None:
        for error, size in zip(rows["error"].to_pylist(), rows["bytes"].to_pylist(), strict=True):
            self.quarantined[error] = add(self.quarantined.get(error, NOTHING), (1, size, 0))

    def cut_out(self, source: str, documents: int, size: int, pieces: int) -> None:
        """Counts pieces of together ``size`` bytes that were cut out of documents."""
        self.cut[source] = add(self.cut.get(source, NOTHING), (documents, size, pieces))

    def skip(self, reasons: Mapping[str, int]) -> None:
        for reason, count in reasons.items():
            self.skipped[reason] = self.skipped.get(reason, 0) + count

    def merge(self, other: "Ledger") -> None:
        for table in ("read", "kept", "rejected", "quarantined", "cut"):
            mine = getattr(self, table)
            for key, amount in getattr(other, table).items():
                mine[key] = add(mine.get(key, NOTHING), amount)
        self.skip(other.skipped)
        self.kept_text_bytes += other.kept_text_bytes

    def total(self, table: str) -> Amount:
        amount = NOTHING
        for each in getattr(self, table).values():
            amount = add(amount, each)
        return amount

    @property
    def records(self) -> int:
        """Documents and quarantined records."""
        return self.total("read")[0] + self.total("quarantined")[0]

    def check(self) -> None:
        """Raises LedgerError unless read = kept + rejected for every source, in documents, bytes and words."""
        for source in sorted({*self.read, *self.kept, *(of for of, _, _ in self.rejected)}):
            rejected = NOTHING
            for (of, _, _), amount in self.rejected.items():
                if of == source:
                    rejected = add(rejected, amount)
            amounts = (self.read.get(source, NOTHING), self.kept.get(source, NOTHING), rejected)
            for what, read, kept, removed in zip(("documents", "bytes", "words"), *amounts, strict=True):
                check_balance(f"{what} of source {source}", read, {"kept": kept, "rejected": removed})

    def report(self) -> LedgerReport:
        """The ledger as the manifest holds it, sorted."""
        return LedgerReport(
            read={source: Counts(*amount) for source, amount in sorted(self.read.items())},
            kept={source: Counts(*amount) for source, amount in sorted(self.kept.items())},
            rejected=tuple(RejectedCounts(*amount, *key) for key, amount in sorted(self.rejected.items())),
            quarantined={
                error: QuarantinedCounts(records, size)
                for error, (records, size, _) in sorted(self.quarantined.items())
            },
            skipped=dict(sorted(self.skipped.items())),
            kept_text_bytes=self.kept_text_bytes,
            cut={source: CutCounts(*amount) for source, amount in sorted(self.cut.items())},
        )

    @classmethod
    def of(cls, report: LedgerReport) -> "Ledger":
        return cls(
            read={source: _amount(counts) for source, counts in report.read.items()},
            kept={source: _amount(counts) for source, counts in report.kept.items()},
            rejected={(each.source, each.stage, each.reason): _amount(each) for each in report.rejected},
            quarantined={error: (each.records, each.bytes, 0) for error, each in report.quarantined.items()},
            skipped=dict(report.skipped),
            kept_text_bytes=report.kept_text_bytes,
            cut={source: (each.documents, each.bytes, each.pieces) for source, each in report.cut.items()},
        )


def _amount(counts: Counts) -> Amount:
    return counts.documents, counts.bytes, counts.words
