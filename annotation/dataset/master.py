"""Reads a dataset that was built, imported or mixed: the input of exports and mixes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from annotation.dataset.manifest import FORMAT, VERSION, DatasetManifest, check_file, read_manifest
from schemas import COMPARISONS, SchemaError
from schemas.errors import CHANGED, DamagedError, UserError
from schemas.manifest import MANIFEST, NamedEntry, named_entries

SPLITS = ("train", "held_out")


@dataclass(frozen=True)
class Master:
    """A dataset: the comparisons of a folder, by split, upgraded to the newest version of the table.

    ``digest``: the SHA-256 of the manifest, which covers all files; ``version``: the table version on disk.
    """

    folder: Path
    digest: str
    manifest: DatasetManifest
    splits: Mapping[str, pa.Table]
    version: int

    @property
    def name(self) -> str:
        return self.folder.resolve().name


def load(folder: Path) -> Master:
    """Reads the dataset in a folder, and compares its files with the checksums in its manifest.

    Raises UserError for a folder without a dataset, a dataset of a newer version, or changed files.
    """
    content, manifest = read_manifest(
        folder,
        DatasetManifest,
        FORMAT,
        VERSION,
        "no dataset of comparisons",
        "gristmill dataset build, import or mix",
    )
    files = named_entries(manifest.files, str(folder / MANIFEST))
    splits, versions = {}, set()
    for name in SPLITS:
        each = files.get(f"comparisons/{name}.arrow")
        if each is None:
            raise DamagedError(f"{folder / MANIFEST} does not name comparisons/{name}.arrow: {CHANGED}")
        rows = _arrow(folder, each)
        try:
            versions.add(COMPARISONS.version_of(rows))
            splits[name] = COMPARISONS.upgrade(rows)
        except SchemaError as error:
            raise UserError(f"{folder / each.name}: {error}") from error
    return Master(folder, hashlib.sha256(content).hexdigest(), manifest, splits, min(versions))


def _arrow(folder: Path, each: NamedEntry) -> pa.Table:
    check_file(folder, each)
    with pa.memory_map(str(folder / each.name)) as file:
        return pa.ipc.open_file(file).read_all()
