"""A finished folder as an input: what an earlier run released, and what it knows of its documents."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curation.changes import changes
from curation.errors import UserError
from curation.folder import MANIFEST, Folder
from schemas import REJECTS, SKETCHES

FORMAT = 1
"""Of the manifest: it grows whenever a reader would notice the change."""
TOLD = {"format", "gristmill", "schemas", "job", "against", "inputs", "ledger", "outputs"}
"""What every manifest holds."""
NAME_DIGITS = 16
SHOWN_CHANGES = 3


@dataclass(frozen=True)
class Release:
    """``name`` is the beginning of its manifest's SHA-256: the same wherever the folder lies; ``against`` are the names
    of the releases that it was deduplicated against, ``stored_bytes`` those of its input."""

    folder: Folder
    name: str
    units: int
    against: tuple[str, ...] = ()
    stored_bytes: int = 0


def read_manifest(folder: Folder) -> dict[str, Any] | None:
    """The manifest of a finished folder; None where there is none.

    Raises UserError where it is broken or tells of something else than documents that were curated.
    """
    try:
        found = folder.read_json(MANIFEST)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise UserError(f"{folder.root}/{MANIFEST} is broken ({error}): curate into a new folder") from error
    if not isinstance(found, dict) or not found.keys() >= TOLD:
        raise UserError(f"{folder.root}/{MANIFEST} was not written by gristmill curate: name another folder")
    return found


def open_release(path: str) -> tuple[Release, dict[str, Any]]:
    """The release in a folder, and its manifest.

    Raises UserError where there is none, or one of another format.
    """
    folder = Folder(path)
    found = read_manifest(folder)
    if found is None:
        raise UserError(
            f"{path} holds no finished run ({MANIFEST} is missing): name a folder that gristmill curate wrote"
        )
    with folder.reading(MANIFEST) as stream:
        digest = hashlib.sha256(stream.read()).hexdigest()
    written = found["format"], found["schemas"].get(SKETCHES.name), found["schemas"].get(REJECTS.name)
    if written != (FORMAT, SKETCHES.version, REJECTS.version):
        raise UserError(f"{path} was written by another version of gristmill: curate it again with this one")
    units = sum(name.startswith("sketches/") for name in found["outputs"])
    against = tuple(each["release"] for each in found["against"])
    stored = sum({entry["file"]: entry["size"] for entry in found["inputs"]}.values())
    return Release(folder, digest[:NAME_DIGITS], units, against, stored), found


def open_releases(paths: Sequence[str], normalise: Any, dedup: Any) -> tuple[Release, ...]:
    """The releases in some folders, earlier ones first, whatever the order of ``paths``.

    ``normalise`` and ``dedup`` (as JSON) are what a run does before it compares documents. Raises UserError where a
    release did otherwise, lies in two of the folders, or was itself deduplicated against one that is not among them.
    """
    opened: dict[str, tuple[str, Release]] = {}
    for path in paths:
        release, found = open_release(path)
        if release.name in opened:
            raise UserError(f"{path} holds the same release as {opened[release.name][0]}: name it once")
        opened[release.name] = (path, release)
        recipe = found["job"]["recipe"]
        told = list(
            changes(
                {"normalise": recipe["normalise"], "dedup": recipe["dedup"]}, {"normalise": normalise, "dedup": dedup}
            )
        )
        if told:
            raise UserError(
                f"{path} was deduplicated with other settings, so its sketches cannot be compared with this run's: "
                f"{'; '.join(told[:SHOWN_CHANGES])}. Use the release's settings"
            )
    for path, release in opened.values():
        for name in release.against:
            if name not in opened:
                raise UserError(
                    f"{path} was deduplicated against the release {name}, which is not named: add --against with its "
                    "folder"
                )
    return tuple(
        release for _, release in sorted(opened.values(), key=lambda each: (len(each[1].against), each[1].name))
    )
