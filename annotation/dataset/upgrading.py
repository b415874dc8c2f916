"""Rewrites a dataset of an older version in the current version."""

import shutil
from dataclasses import replace
from pathlib import Path

from annotation.dataset.files import new_folder
from annotation.dataset.manifest import VERSION, check_file
from annotation.dataset.master import Master
from schemas import COMPARISONS
from schemas.manifest import MANIFEST, named_entries


def upgrade_dataset(master: Master, folder: Path) -> None:
    """Writes the comparisons in the newest version of the table, and copies all other files.

    The manifest names the version before the upgrade. Raises UserError for an occupied folder.
    """
    rewritten = {f"comparisons/{name}.{kind}" for name in master.splits for kind in ("arrow", "parquet")}
    others = sorted(set(master.manifest.files) - rewritten)
    files = named_entries(master.manifest.files, str(master.folder / MANIFEST))
    for name in others:
        check_file(master.folder, files[name])
    with new_folder(folder) as writer:
        for name, rows in master.splits.items():
            writer.table(f"comparisons/{name}", rows)
        for name in others:
            (writer.folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(master.folder / name, writer.folder / name)
            writer.files[name] = master.manifest.files[name]
        content = replace(
            master.manifest,
            version=VERSION,
            tables={**master.manifest.tables, COMPARISONS.name: COMPARISONS.version},
            upgraded={COMPARISONS.name: master.version},
            files=writer.files,
        )
        writer.json(MANIFEST, content)
