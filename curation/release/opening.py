"""Opens finished folders as releases: earlier corpora against which a later run deduplicates."""

import os.path
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import combinations
from typing import Any

from curation.filters.contaminated import Contaminated
from curation.filters.thresholds import thresholds
from curation.recipe import REWRITES, STEPS
from curation.recipes.tables import with_earlier_settings
from curation.release.differences import differences
from curation.release.folder import Folder
from curation.release.manifest import Manifest, check_digests, check_sizes, read_finished, version_error
from schemas import REJECTS, SKETCHES, TAKEN_DOWN
from schemas.errors import UserError
from schemas.manifest import MANIFEST, NamedEntry
from schemas.wording import and_more

COMPARED = ("sketches/", "rejects/duplicates/", "superseded/", f"{TAKEN_DOWN.name}/")
"""The tables that later runs read, as prefixes of file names; runs that verify exactly also read the documents."""
OF_THE_RUN = ("verify", "survivor")
"""The settings of near-duplicates in which a run may differ from a release: the run compares all documents anew."""
NAME_DIGITS = 16
SHOWN_DIFFERENCES = 3


@dataclass(frozen=True)
class Release:
    """``name`` is the beginning of the manifest's SHA-256, and does not depend on where the folder is. ``against`` are
    the names of the releases that this one was deduplicated against, ``replaces`` the names that it had before
    takedowns, oldest first. ``stored_bytes`` is the size of its input."""

    folder: Folder
    name: str
    units: int
    against: tuple[str, ...] = ()
    stored_bytes: int = 0
    replaces: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.replaces, self.name)

    def knew(self, other: "Release") -> bool:
        """Whether this release was deduplicated against the other, or against the other as it was before a takedown."""
        return not set(self.against).isdisjoint(other.names)

    def missing(self, releases: Sequence["Release"]) -> list[str]:
        """The names of releases that this one was deduplicated against, and that ``releases`` lack."""
        known = {name for each in releases for name in each.names}
        return [name for name in self.against if name not in known]

    def is_stale(self, releases: Sequence["Release"]) -> bool:
        """Whether ``releases`` holds a takedown of a release that this one was deduplicated against. Then the document
        that was kept in place of a duplicate may no longer exist."""
        return not set(self.against) <= {each.name for each in releases}


def open_release(path: str) -> tuple[Release, Manifest]:
    """The release in a folder, and its manifest.

    Raises UserError if the folder has no manifest, or one of another format.
    """
    folder = Folder(path)
    found, digest = read_finished(folder)
    for table in (SKETCHES, REJECTS):
        version = found.schemas.get(table.name)
        if version != table.version:
            raise version_error(folder, version, table.version)
    against = tuple(each.release for each in found.against)
    stored = sum({each.file: each.size for each in found.inputs}.values())
    taken_from = tuple(each.of for each in found.takedown)
    return Release(folder, digest[:NAME_DIGITS], found.units, against, stored, taken_from), found


def check_shards(release: Release, manifest: Manifest, tables: tuple[str, ...]) -> None:
    """Raises UserError if a shard of the tables is missing, or does not have the size in the manifest."""
    check_sizes(release.folder, [each for name, each in manifest.files.items() if name.startswith(tables)])


def check_contents(release: Release, names: Sequence[str]) -> None:
    """Reads those of the named shards that the release has. Raises UserError if a shard does not have the SHA-256 in
    the manifest."""
    files = release_files(release.folder, release.name)
    check_digests(release.folder, [files[name] for name in names if name in files])


@lru_cache(maxsize=8)
def release_files(folder: Folder, name: str) -> Mapping[str, NamedEntry]:
    """The files of a release, by name, as its manifest describes them.

    Raises UserError if the folder's manifest is no longer that of the release ``name``.
    """
    found, digest = read_finished(folder)
    if not digest.startswith(name):
        raise UserError(f"{folder.root}/{MANIFEST} has changed since the run began: restore it, and run again")
    return found.files


def check_apart(output: Folder, releases: Sequence[Release]) -> None:
    """Raises UserError if the output folder is inside a release."""
    for release in releases:
        if (_place(output) + "/").startswith(_place(release.folder) + "/"):
            raise UserError(
                f"the output {output.root} is inside the release {release.folder.root}: name a folder outside of it"
            )


def _place(folder: Folder) -> str:
    """The real path or URL of a folder, the same for all names of the folder."""
    files, root = folder.filesystem()
    if "file" in files.protocol:
        return os.path.realpath(root)
    return str(files.unstrip_protocol(posixpath.normpath(root))).rstrip("/")


def open_releases(paths: Sequence[str], recipe: Mapping[str, Any]) -> tuple[Release, ...]:
    """The releases in some folders, earlier ones first, whatever the order of ``paths``; a release keeps its position
    after a takedown.

    ``recipe`` (as JSON) is that of the run which compares its documents with the releases'. Raises UserError if the
    recipe removes no duplicates; if a release is damaged, prepared or compared its documents with other settings, or
    was deduplicated against a release that is not in ``paths``; and if two folders hold the same release.
    """
    if paths and not any(recipe["dedup"][stage] for stage in ("url", "exact", "near")):
        raise UserError(
            f"--against {paths[0]} has no effect, since the recipe removes no duplicates: "
            "switch dedup.url, dedup.exact or near on, or leave --against out"
        )
    opened = []
    for path in paths:
        release, found = open_release(path)
        found_differences = list(differences(_compared_settings(found.recipe), _compared_settings(recipe)))
        if found_differences:
            raise UserError(
                f"{path} was deduplicated with other settings, so its sketches cannot be compared with this run's: "
                f"{and_more(found_differences[:SHOWN_DIFFERENCES], len(found_differences), '; ')}. "
                "Use the release's settings"
            )
        if _bounds_survivors(found.recipe) and not _bounds_survivors(recipe):
            raise UserError(
                f"{path} was deduplicated with near.survivor, so it keeps documents that this run, with near.survivor "
                "= 0, would take for one group: leave near.survivor on"
            )
        check_shards(release, found, (*COMPARED, *(["documents/"] if _verifies(recipe) else [])))
        opened.append((path, release))
    for (path, one), (other_path, other) in combinations(opened, 2):
        if one.name == other.name:
            raise UserError(f"{other_path} holds the same release as {path}: name it once")
        if not set(one.names).isdisjoint(other.names):
            raise UserError(f"{path} and {other_path} are one release before and after a takedown: name one of them")
    releases = [release for _, release in opened]
    for path, release in opened:
        for name in release.missing(releases):
            raise UserError(f"{path} {against_missing(name)}")
    return tuple(sorted(releases, key=lambda each: (len(each.against), each.names[0])))


def against_missing(name: str) -> str:
    """The end of a message about a release that was deduplicated against the release ``name``, which is not given."""
    return (
        f"was deduplicated against the release {name}, which is not named: add --against with the folder of that "
        "release (its name is the beginning of the SHA-256 of its manifest.json) or of a takedown of it"
    )


_DEFAULTS = {
    step.use: {
        field.name: list(field.default) if isinstance(field.default, tuple) else field.default for field in fields(step)
    }
    for step in STEPS
    if step.use in REWRITES
}
"""The default settings of each rewrite, as JSON: those of a setting that is missing in the manifest of a release, which
an earlier version wrote."""


def _compared_settings(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a recipe that decide which texts are compared, and how."""
    steps = [_text_settings(step) for step in recipe["steps"] if _changes_texts(step)]
    uses = [step["use"] for step in steps]
    names = [f"{use} {uses[:place].count(use) + 1}" if use in uses[:place] else use for place, use in enumerate(uses)]
    rewrites = {
        name: {**_DEFAULTS.get(step["use"], {}), **step, "place": place}
        for place, (name, step) in enumerate(zip(names, steps, strict=True), 1)
    }
    dedup = {"url_form": "whole"} | {name: value for name, value in recipe["dedup"].items() if name != "pieces"}
    if dedup["near"] is not None:
        dedup["near"] = {name: value for name, value in dedup["near"].items() if name not in OF_THE_RUN}
    return {"normalise": recipe["normalise"], "dedup": dedup, **rewrites}


def _changes_texts(step: Mapping[str, Any]) -> bool:
    return step["use"] in REWRITES or (step["use"] == Contaminated.use and step["action"] == "cut")


def _text_settings(step: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of a step that change texts: all but the thresholds, which only remove documents."""
    left_out = thresholds(Contaminated) if step["use"] == Contaminated.use else ()
    return {name: value for name, value in step.items() if name not in left_out}


def _verifies(recipe: Mapping[str, Any]) -> bool:
    near = with_earlier_settings(recipe["dedup"])["near"]
    return near is not None and near["verify"] == "exact"


def _bounds_survivors(recipe: Mapping[str, Any]) -> bool:
    near = with_earlier_settings(recipe["dedup"])["near"]
    return near is not None and near["survivor"] != 0
