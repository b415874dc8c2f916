"""What a dataset says of itself, written and read: nothing of the run that made it, so that equal campaigns give equal
bytes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotation.dataset.ledger import Ledger
from annotation.judgments.snapshot import Snapshot
from schemas import COMPARISONS, UNRESOLVED
from schemas.errors import DamagedError, UserError
from schemas.manifest import MANIFEST, Noted, check, difference, noted, parsed
from schemas.named_files import open_named

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


def read_manifest(folder: Path, form: str, version: int, what: str, made_by: str) -> tuple[bytes, dict[str, Any]]:
    """The bytes and the content of a folder's manifest.json. ``what`` and ``made_by`` are for messages: what a folder
    without it holds (``no dataset``), and which commands write such folders.

    Raises UserError for a folder without one, one of another format or of a newer version, or one that does not name
    its files.
    """
    path = folder / MANIFEST
    try:
        with open_named(path) as stream:
            content = stream.read()
    except OSError as error:
        raise UserError(
            f"{folder} holds {what}: {path.name} cannot be read ({error.strerror}); name a folder that {made_by} wrote"
        ) from error
    manifest = parsed(content, str(path))
    if not isinstance(manifest, dict) or manifest.get("format") != form:
        raise UserError(f"{folder} holds {what}, by its {path.name}: name a folder that {made_by} wrote")
    noted_files(manifest, version, str(path))
    return content, manifest


def noted_files(manifest: Mapping[str, Any], version: int, place: str) -> dict[str, Noted]:
    """The files that the manifest at ``place`` names. Raises DamagedError for a manifest that is newer than
    ``version``, and for one that does not name its files."""
    check(manifest, {"version": int}, place)
    if manifest["version"] > version:
        raise DamagedError(f"{place} was written by a newer Gristmill: upgrade this one")
    check(manifest, {"files": {str: {"sha256": str}}, "tables?": {str: int}}, place)
    return noted(manifest["files"], place)


def check_file(folder: Path, each: Noted) -> None:
    """Reads a file of the folder. Raises UserError for one that is missing, unreadable or not as it was written."""
    try:
        wrong = difference(each, lambda name: open_named(folder / name))
    except OSError as error:
        wrong = f"cannot be read ({error.strerror})"
    if wrong:
        raise UserError(f"{folder / each.name} {wrong}: put it back as it was, or build the dataset again")


def changed(path: Path) -> UserError:
    """What is wrong with a manifest that lacks something."""
    return UserError(f"{path} lacks what a manifest holds: it was changed since it was written")
