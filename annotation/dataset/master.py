"""A dataset that was built, imported or mixed, read back: what exports and mixes start from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from annotation.dataset.manifest import FORMAT, VERSION
from annotation.errors import UserError
from schemas import COMPARISONS, SchemaError

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
    content, manifest = _manifest(folder)
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


def _manifest(folder: Path) -> tuple[bytes, dict[str, Any]]:
    path = folder / "manifest.json"
    try:
        content = path.read_bytes()
        manifest = json.loads(content)
    except OSError as error:
        raise UserError(
            f"{folder} holds no dataset: {path.name} cannot be read ({error.strerror}); "
            "name a folder that gristmill dataset build, import or mix wrote"
        ) from error
    except ValueError as error:
        raise UserError(f"{path} is not JSON: it was changed since the dataset was written") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise UserError(f"{folder} holds no dataset of comparisons, by its {path.name}: name one of those")
    version = manifest.get("version")
    if isinstance(version, int) and version > VERSION:
        raise UserError(f"{folder} was written by a newer Gristmill (manifest version {version}): upgrade this one")
    if not isinstance(version, int) or not _names_files(manifest):
        raise UserError(f"{path} lacks what a manifest holds: it was changed since the dataset was written")
    return content, manifest


def _names_files(manifest: Mapping[str, Any]) -> bool:
    files = manifest.get("files")
    return (
        isinstance(files, dict)
        and all(isinstance(about, dict) for about in files.values())
        and isinstance(manifest.get("tables"), dict)
    )


def _arrow(path: Path, expected: str | None) -> pa.Table:
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): build the dataset again") from error
    if found != expected:
        raise UserError(f"{path} is not what the manifest beside it says: it was changed or cut; build it again")
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()
