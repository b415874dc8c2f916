"""Counts where every pair and judgment went. Input and output are counted separately, and must agree."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotation.dataset.counts import SplitCounts, add_up
from annotation.judgments.snapshot import Snapshot
from schemas.balance import check_balance

Batch = tuple[str, str]
"""(campaign, batch)."""


@dataclass
class BatchCounts(SplitCounts):
    """The counts of a batch. A pair becomes a comparison or is unresolved; gold pairs are counted separately. Each
    judgment is counted with its pair."""

    gold_pairs: int = 0
    unresolved: Counter[str] = field(default_factory=Counter)
    judgments: int = 0
    judgments_in_comparisons: int = 0
    judgments_in_unresolved: int = 0
    judgments_on_gold: int = 0


@dataclass(frozen=True)
class DatasetLedger:
    """``refused``: the annotations in quarantine of each campaign, by reason; they do not count as judgments."""

    batches: Mapping[Batch, BatchCounts]
    refused: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, snapshots: Sequence[Snapshot], splits: Mapping[str, pa.Table], unresolved: pa.Table) -> "DatasetLedger":
        """The ledger of a dataset. Raises LedgerError if the counts do not balance."""
        counted: dict[Batch, BatchCounts] = {}
        for snapshot in snapshots:
            for batch, value in _read(snapshot, unresolved).items():
                counted[snapshot.name, batch] = value
        for name, rows in splits.items():
            for campaign, batch, comparisons, votes in _comparisons(rows):
                counts = counted[campaign, batch]
                setattr(counts, name, comparisons)
                counts.judgments_in_comparisons += votes
        for row in _group(unresolved, ["campaign", "batch", "reason"]):
            counted[row["campaign"], row["batch"]].unresolved[row["reason"]] = row["count_all"]
        refused = {snapshot.name: _by_reason(snapshot.refused) for snapshot in snapshots}
        ledger = cls(dict(sorted(counted.items())), refused)
        ledger.check()
        return ledger

    def total(self) -> BatchCounts:
        return add_up(BatchCounts(), self.batches.values())

    def check(self) -> None:
        """Raises LedgerError if a pair or a judgment was lost or counted twice."""
        for (campaign, batch), counts in self.batches.items():
            place = f"{campaign}, {batch}"
            check_balance(f"pairs of {place}", counts.pairs, {"comparisons": counts.comparisons, **counts.unresolved})
            names = ("judgments_in_comparisons", "judgments_in_unresolved", "judgments_on_gold")
            check_balance(f"judgments of {place}", counts.judgments, {name: getattr(counts, name) for name in names})


def _read(snapshot: Snapshot, unresolved: pa.Table) -> dict[str, BatchCounts]:
    """The pairs and judgments of a campaign, by batch."""
    pairs = snapshot.pairs.select(["pair_id", "batch"])
    gold = pc.is_valid(snapshot.pairs["gold"])
    failed = unresolved.filter(pc.equal(unresolved["campaign"], snapshot.name))["pair_id"]
    pairs = pairs.append_column("gold", gold).append_column("failed", pc.is_in(pairs["pair_id"], value_set=failed))
    counted: dict[str, BatchCounts] = {}
    for row in _group(pairs, ["batch", "gold"]):
        counts = counted.setdefault(row["batch"], BatchCounts())
        setattr(counts, "gold_pairs" if row["gold"] else "pairs", row["count_all"])
    place = pc.index_in(snapshot.judgments["pair_id"], value_set=pairs["pair_id"])
    for row in _group(pairs.take(place), ["batch", "gold", "failed"]):
        counts = counted[row["batch"]]
        counts.judgments += row["count_all"]
        if row["gold"]:
            counts.judgments_on_gold += row["count_all"]
        elif row["failed"]:
            counts.judgments_in_unresolved += row["count_all"]
    return counted


def _comparisons(rows: pa.Table) -> list[tuple[str, str, int, int]]:
    """A (campaign, batch, comparisons, votes in these comparisons) per batch."""
    sized = rows.select(["source", "batch"]).append_column("votes", pc.list_value_length(rows["votes"]))
    grouped = sized.group_by(["source", "batch"]).aggregate([("votes", "count"), ("votes", "sum")])
    return [(row["source"], row["batch"], row["votes_count"], row["votes_sum"]) for row in grouped.to_pylist()]


def _group(rows: pa.Table, keys: list[str]) -> list[dict[str, Any]]:
    grouped: list[dict[str, Any]] = rows.group_by(keys).aggregate([([], "count_all")]).to_pylist()
    return grouped


def _by_reason(refused: pa.Table) -> dict[str, int]:
    return {row["reason"]: row["count_all"] for row in sorted(_group(refused, ["reason"]), key=lambda r: r["reason"])}
