"""The manifest of a dataset, written and read. Nothing in it depends on the run: equal campaigns give equal bytes."""

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
from schemas import COMPARISONS, UNRESOLVED, WORDINGS
from schemas import manifest as manifests
from schemas.errors import UserError
from schemas.manifest import MANIFEST, Entry, NamedEntry, difference
from schemas.named_files import open_named
from schemas.records import other_keys

FORMAT = "gristmill.comparisons"
VERSION = 1

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The fields that the manifests of datasets and exports share. ``files``: by path relative to the folder."""

    format: str
    version: int
    files: Mapping[str, Entry]


@dataclass(frozen=True, kw_only=True)
class DatasetManifest(Manifest):
    """The manifest of a dataset that was built, imported or mixed. ``tables``: the version of each table;
    ``upgraded``: for each table that was upgraded, the version before."""

    tables: Mapping[str, int]
    upgraded: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, Any] = other_keys()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What annotators were asked in a batch. ``votes``: the votes requested per pair."""

    protocol: str
    protocol_version: str
    votes: int


@dataclass(frozen=True, kw_only=True)
class BatchEntry:
    """A batch of a campaign. ``ledger``: its BatchCounts. ``guidelines``: the SHA-256 of each wording of its guidelines
    if there are several."""

    name: str
    asked: tuple[Asked, ...]
    ledger: Mapping[str, Any]
    guidelines: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CampaignEntry:
    """A campaign that a dataset was built from."""

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
    """The manifest of a dataset. ``files``: by path relative to its folder, each with rows and SHA-256."""
    reworded = any(snapshot.guidelines for snapshot in snapshots)
    tables = (COMPARISONS, UNRESOLVED, *([WORDINGS] if reworded else []))
    refused = {name: dict(counts) for name, counts in ledger.refused.items()}
    return BuiltManifest(
        format=FORMAT,
        version=VERSION,
        tables={table.name: table.version for table in tables},
        campaigns=tuple(_campaign(snapshot, ledger) for snapshot in snapshots),
        ledger={**ledger.total().as_json(), "refused": refused},
        split=proof,
        files=files,
    )


def _campaign(snapshot: Snapshot, ledger: DatasetLedger) -> CampaignEntry:
    asked = batches_of(snapshot)
    batches = tuple(
        BatchEntry(
            name=batch,
            asked=tuple(asked.get(batch, ())),
            ledger=counts.as_json(),
            guidelines=snapshot.guidelines.get(batch, ()),
        )
        for (campaign, batch), counts in ledger.batches.items()
        if campaign == snapshot.name
    )
    policy = Resolving(snapshot.policy.use, snapshot.policy.min_votes)
    return CampaignEntry(name=snapshot.name, policy=policy, batches=batches)


def batches_of(snapshot: Snapshot) -> dict[str, list[Asked]]:
    """What was asked in each batch, without gold pairs."""
    keys = ["batch", "protocol", "protocol_version", "votes"]
    pairs = snapshot.pairs.select(keys).filter(pc.is_null(snapshot.pairs["gold"]))
    found: pa.Table = pairs.group_by(keys).aggregate([])
    out: dict[str, list[Asked]] = {}
    for row in found.sort_by([(key, "ascending") for key in keys]).to_pylist():
        out.setdefault(row.pop("batch"), []).append(Asked(**row))
    return out


def read_manifest(folder: Path, kind: type[T], form: str, version: int, what: str, made_by: str) -> tuple[bytes, T]:
    """The bytes of a folder's manifest.json, and the record parsed from them. ``what`` and ``made_by`` are for
    messages: what a folder without a manifest holds (``no dataset``), and which commands write these folders.

    Raises UserError for a folder without a manifest or with a manifest of another format, DamagedError for a manifest
    of a newer version or with missing fields.
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


def check_file(folder: Path, each: NamedEntry) -> None:
    """Compares a file with its entry in the manifest. Raises UserError if it is missing, unreadable or changed."""
    if wrong := difference(each, lambda name: open_named(folder / name)):
        raise UserError(f"{folder / each.name} {wrong}: restore the original file, or make the folder again")
