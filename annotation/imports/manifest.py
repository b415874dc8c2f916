"""What an imported dataset says of itself: nothing of the run that made it, so that equal files give equal bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.dataset.manifest import FORMAT, VERSION
from annotation.imports.ledger import Ledger
from annotation.imports.sets import OpenSet
from schemas import COMPARISONS, IMPORT_REJECTS


def manifest(
    source: str,
    known: OpenSet,
    files: Sequence[tuple[str, str, str]],
    ledger: Ledger,
    proof: Mapping[str, int],
    written: Mapping[str, Mapping[str, int | str]],
) -> dict[str, Any]:
    """The content of manifest.json. ``files``: name, split and SHA-256 of each file that was read; ``written`` are
    relative to the dataset's folder, each with its rows and SHA-256."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "tables": {table.name: table.version for table in (COMPARISONS, IMPORT_REJECTS)},
        "imports": [
            {
                "name": source,
                "schema": known.name,
                "protocol_version": known.protocol_version,
                "layouts": [layout.given() for layout in known.layouts],
                "files": [
                    {"name": name, "split": split, "sha256": digest, "ledger": ledger.files[name].as_json()}
                    for name, split, digest in files
                ],
            }
        ],
        "ledger": ledger.total().as_json(),
        "split": dict(proof),
        "files": {name: dict(written[name]) for name in sorted(written)},
    }
