"""A dataset of an older version, written anew in this one."""

import shutil
from pathlib import Path

from annotation.dataset.files import new_folder
from annotation.dataset.manifest import VERSION
from annotation.dataset.master import Master
from annotation.errors import UserError
from schemas import COMPARISONS
from schemas.manifest import MANIFEST, sha256_of


def upgraded(master: Master, folder: Path) -> None:
    """Writes the comparisons as the newest version of the table, and all other files as they are.

    The manifest names the version that they were upgraded from. Raises UserError for an occupied folder.
    """
    rewritten = {f"comparisons/{name}.{kind}" for name in master.splits for kind in ("arrow", "parquet")}
    others = sorted(set(master.manifest["files"]) - rewritten)
    for name in others:
        _check(master, name)
    with new_folder(folder) as writer:
        for name, rows in master.splits.items():
            writer.table(f"comparisons/{name}", rows)
        for name in others:
            (writer.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(master.folder / name, writer.folder / name)
            writer.files[name] = master.manifest["files"][name]
        content = {
            **master.manifest,
            "version": VERSION,
            "tables": {**master.manifest["tables"], COMPARISONS.name: COMPARISONS.version},
            "upgraded": {COMPARISONS.name: master.version},
            "files": {name: writer.files[name] for name in sorted(writer.files)},
        }
        writer.json(MANIFEST, content)


def _check(master: Master, name: str) -> None:
    """Raises UserError for a file that is missing, or is not the one that the manifest describes."""
    path = master.folder / name
    if path.is_file():
        with path.open("rb") as stream:
            if sha256_of(stream) == master.manifest["files"][name]["sha256"]:
                return
    raise UserError(f"{path} is not what the manifest beside it says: it was changed, or is not there")
