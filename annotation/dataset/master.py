"""A dataset that was built, imported or mixed, read back: what exports and mixes start from."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from annotation.dataset.manifest import FORMAT, VERSION, changed, read_manifest
from annotation.errors import UserError
from schemas import COMPARISONS, SchemaError
from schemas.manifest import MANIFEST, sha256_of

SPLITS = ("train", "held_out")


@dataclass(frozen=True)
class Master:
    """The comparisons of a folder, by split, as the newest version of the table. ``digest``: the SHA-256 of its
    manifest, which names all that it holds; ``version``: the one that the rows were written in."""

    folder: Path
    digest: str
    manifest: Mapping[str, Any]
    splits: Mapping[str, pa.Table]
    version: int

    @property
    def name(self) -> str:
        return self.folder.resolve().name


def load(folder: Path) -> Master:
    """Reads the dataset of this folder, its files against the checksums of its manifest.

    Raises UserError for a folder that holds no dataset, one of a newer version, or one whose files were changed.
    """
    content, manifest = read_manifest(
        folder, FORMAT, VERSION, "no dataset of comparisons", "gristmill dataset build, import or mix"
    )
    if not isinstance(manifest.get("tables"), dict):
        raise changed(folder / MANIFEST)
    splits, versions = {}, set()
    for name in SPLITS:
        path = folder / "comparisons" / f"{name}.arrow"
        rows = _arrow(path, manifest["files"].get(f"comparisons/{name}.arrow", {}).get("sha256"))
        try:
            versions.add(COMPARISONS.version_of(rows))
            splits[name] = COMPARISONS.upgraded(rows)
        except SchemaError as error:
            raise UserError(f"{path}: {error}") from error
    return Master(folder, hashlib.sha256(content).hexdigest(), manifest, splits, min(versions))


def _arrow(path: Path, expected: str | None) -> pa.Table:
    try:
        with path.open("rb") as stream:
            found = sha256_of(stream)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): build the dataset again") from error
    if found != expected:
        raise UserError(f"{path} is not what the manifest beside it says: it was changed or cut; build it again")
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()
