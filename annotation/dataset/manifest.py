"""What a dataset says of itself, written and read: nothing of the run that made it, so that equal campaigns give equal
bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from annotation.dataset.ledger import DatasetLedger
from annotation.dataset.prompts import SplitProof
from annotation.journal.bodies import Resolving
from annotation.judgments.snapshot import Snapshot
from schemas import COMPARISONS, UNRESOLVED
from schemas import manifest as manifests
from schemas.errors import UserError
from schemas.manifest import MANIFEST, Entry, Noted, difference
from schemas.named_files import open_named
from schemas.records import other_keys

FORMAT = "gristmill.comparisons"
VERSION = 1

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What the manifest of each folder says: ``files`` are relative to the folder."""

    format: str
    version: int
    files: Mapping[str, Entry]


@dataclass(frozen=True, kw_only=True)
class DatasetManifest(Manifest):
    """Of a dataset that was built, imported or mixed. ``tables``: the version of each table; ``upgraded``: the version
    that a table was written in before, by name."""

    tables: Mapping[str, int]
    upgraded: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, Any] = other_keys()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was asked in a batch. ``votes``: of a pair."""

    protocol: str
    protocol_version: str
    votes: int


@dataclass(frozen=True, kw_only=True)
class BatchEntry:
    """A batch of a campaign. ``ledger``: BatchCounts of `ledger`."""

    name: str
    asked: tuple[Asked, ...]
    ledger: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class CampaignEntry:
    """A campaign that a dataset was built of."""

    name: str
    policy: Resolving
    batches: tuple[BatchEntry, ...]


@dataclass(frozen=True, kw_only=True)
class BuiltManifest(DatasetManifest):
    """The manifest of a dataset built from campaigns.

    ``ledger``: the sum of all BatchCounts, and the refused annotations of each campaign; ``split``: the proof that no
    family of prompts is in both splits.
    """

    campaigns: tuple[CampaignEntry, ...]
    ledger: Mapping[str, Any]
    split: SplitProof


def describe(
    snapshots: Sequence[Snapshot], ledger: DatasetLedger, proof: SplitProof, files: Mapping[str, Entry]
) -> BuiltManifest:
    """The manifest of a dataset; ``files`` are relative to its folder, each with its rows and SHA-256."""
    refused = {name: dict(counts) for name, counts in ledger.refused.items()}
    return BuiltManifest(
        format=FORMAT,
        version=VERSION,
        tables={table.name: table.version for table in (COMPARISONS, UNRESOLVED)},
        campaigns=tuple(_campaign(snapshot, ledger) for snapshot in snapshots),
        ledger={**ledger.total().as_json(), "refused": refused},
        split=proof,
        files=files,
    )


def _campaign(snapshot: Snapshot, ledger: DatasetLedger) -> CampaignEntry:
    asked = batches_of(snapshot)
    batches = tuple(
        BatchEntry(name=batch, asked=tuple(asked.get(batch, ())), ledger=counts.as_json())
        for (campaign, batch), counts in ledger.batches.items()
        if campaign == snapshot.name
    )
    policy = Resolving(snapshot.policy.use, snapshot.policy.min_votes)
    return CampaignEntry(name=snapshot.name, policy=policy, batches=batches)


def batches_of(snapshot: Snapshot) -> dict[str, list[Asked]]:
    """What was asked in each batch, gold pairs apart."""
    keys = ["batch", "protocol", "protocol_version", "votes"]
    pairs = snapshot.pairs.select(keys).filter(pc.is_null(snapshot.pairs["gold"]))
    found: pa.Table = pairs.group_by(keys).aggregate([])
    out: dict[str, list[Asked]] = {}
    for row in found.sort_by([(key, "ascending") for key in keys]).to_pylist():
        out.setdefault(row.pop("batch"), []).append(Asked(**row))
    return out


def read_manifest(folder: Path, kind: type[T], form: str, version: int, what: str, made_by: str) -> tuple[bytes, T]:
    """The bytes of a folder's manifest.json, and the record that they hold. ``what`` and ``made_by`` are for messages:
    what a folder without it holds (``no dataset``), and which commands write such folders.

    Raises UserError for a folder without one or with one of another format, DamagedError for one of a newer version or
    one that lacks something.
    """
    path = folder / MANIFEST
    try:
        with open_named(path) as stream:
            content = stream.read()
    except OSError as error:
        raise UserError(
            f"{folder} holds {what}: {path.name} cannot be read ({error.strerror}); name a folder that {made_by} wrote"
        ) from error
    return content, manifests.read_manifest(content, str(path), kind, form=form, version=version, made_by=made_by)


def check_file(folder: Path, each: Noted) -> None:
    """Reads a file of the folder. Raises UserError for one that is missing, unreadable or not as it was written."""
    try:
        wrong = difference(each, lambda name: open_named(folder / name))
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    if wrong:
        raise UserError(f"{folder / each.name} {wrong}: put it back as it was, or build the dataset again")
