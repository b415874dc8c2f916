"""What a dataset says of itself: nothing of the run that made it, so that equal campaigns give equal bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotation.dataset.ledger import Ledger
from annotation.snapshot import Snapshot
from schemas import COMPARISONS, UNRESOLVED

FORMAT = "gristmill.comparisons"
VERSION = 1


def manifest(
    snapshots: Sequence[Snapshot],
    ledger: Ledger,
    proof: Mapping[str, int],
    files: Mapping[str, Mapping[str, int | str]],
) -> dict[str, Any]:
    """The content of manifest.json; ``files`` are relative to the dataset's folder, each with its rows and SHA-256."""
    refused = {name: dict(counts) for name, counts in ledger.refused.items()}
    return {
        "format": FORMAT,
        "version": VERSION,
        "tables": {table.name: table.version for table in (COMPARISONS, UNRESOLVED)},
        "campaigns": [_campaign(snapshot, ledger) for snapshot in snapshots],
        "ledger": {**ledger.total().as_json(), "refused": refused},
        "split": dict(proof),
        "files": {name: dict(files[name]) for name in sorted(files)},
    }


def _campaign(snapshot: Snapshot, ledger: Ledger) -> dict[str, Any]:
    asked = batches_of(snapshot)
    return {
        "name": snapshot.name,
        "policy": {"use": snapshot.policy.use, "min_votes": snapshot.policy.min_votes},
        "batches": [
            {"name": batch, "asked": asked.get(batch, []), "ledger": counts.as_json()}
            for (campaign, batch), counts in ledger.batches.items()
            if campaign == snapshot.name
        ],
    }


def batches_of(snapshot: Snapshot) -> dict[str, list[dict[str, Any]]]:
    """What was asked in each batch: protocol, protocol_version and votes a pair; gold pairs apart."""
    keys = ["batch", "protocol", "protocol_version", "votes"]
    pairs = snapshot.pairs.select(keys).filter(pc.is_null(snapshot.pairs["gold"]))
    found: pa.Table = pairs.group_by(keys).aggregate([])
    out: dict[str, list[dict[str, Any]]] = {}
    for row in found.sort_by([(key, "ascending") for key in keys]).to_pylist():
        out.setdefault(row.pop("batch"), []).append(row)
    return out
