"""What a run made of a corpus whose duplicates are known: recall, false merges and losses."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds


@dataclass(frozen=True)
class Quality:
    """Shares, 0 to 1."""

    exact_recall: float
    near_recall_09: float
    near_recall_08: float
    dissimilar_joined: float
    """Planted pairs with a Jaccard similarity under 0.5 that ended in one component."""
    unplanted_lost: float
    """Documents that are a copy of no other document, yet were removed as a duplicate of one."""


def quality(folder: Path, truth: Path) -> Quality:
    """Compares the duplicates that a run removed with the ledger of planted ones."""
    planted = [json.loads(line) for line in truth.read_text().splitlines()]
    source = {entry["id"]: entry["of"] for entry in planted}
    survivor = _survivors(folder)
    documents = set(ds.dataset(folder / "documents").to_table(columns=["doc_id"])["doc_id"].to_pylist()) | set(survivor)

    def family(doc_id: str) -> str:
        while doc_id in source:
            doc_id = source[doc_id]
        return doc_id

    def joined(wanted: Callable[[dict[str, Any]], bool]) -> float:
        pairs = [entry for entry in planted if wanted(entry)]
        found = sum(survivor.get(p["id"], p["id"]) == survivor.get(p["of"], p["of"]) for p in pairs)
        return found / len(pairs) if pairs else 1.0

    unplanted = documents - set(source)
    lost = [doc_id for doc_id in unplanted & set(survivor) if family(survivor[doc_id]) != doc_id]
    return Quality(
        exact_recall=joined(lambda p: p["kind"] == "exact"),
        near_recall_09=joined(lambda p: p["kind"] == "near" and p["jaccard"] >= 0.9),
        near_recall_08=joined(lambda p: p["kind"] == "near" and p["jaccard"] >= 0.8),
        dissimilar_joined=joined(lambda p: p["kind"] == "near" and p["jaccard"] < 0.5),
        unplanted_lost=len(lost) / len(unplanted),
    )


def _survivors(folder: Path) -> dict[str, str]:
    files = sorted((folder / "rejects" / "duplicates").glob("*.parquet"))
    rows = ds.dataset(files).to_table(columns=["doc_id", "survivor"])
    return dict(zip(rows["doc_id"].to_pylist(), rows["survivor"].to_pylist(), strict=True))
