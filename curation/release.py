"""A finished folder as an input: what an earlier run released, and what it knows of its documents."""

import hashlib
from dataclasses import dataclass
from typing import Any

from curation.errors import UserError
from curation.folder import Folder
from curation.manifest import FORMAT, MANIFEST
from schemas import SKETCHES

NAME_DIGITS = 16


@dataclass(frozen=True)
class Release:
    """``name`` is the beginning of its manifest's SHA-256: the same wherever the folder lies."""

    folder: Folder
    name: str
    units: int


def open_release(path: str) -> tuple[Release, dict[str, Any]]:
    """The release in a folder, and its manifest.

    Raises UserError where there is none, or one of another format.
    """
    folder = Folder(path)
    if not folder.exists(MANIFEST):
        raise UserError(
            f"{path} holds no finished run ({MANIFEST} is missing): name a folder that gristmill curate wrote"
        )
    with folder.reading(MANIFEST) as stream:
        digest = hashlib.sha256(stream.read()).hexdigest()
    found = folder.read_json(MANIFEST)
    written = found.get("format"), found.get("schemas", {}).get("sketches")
    if written != (FORMAT, SKETCHES.version):
        raise UserError(f"{path} was written by another version of gristmill: curate it again with this one")
    units = sum(name.startswith("sketches/") for name in found["outputs"])
    return Release(folder, digest[:NAME_DIGITS], units), found
