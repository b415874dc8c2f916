"""A finished folder as an input: what an earlier run released, and what it knows of its documents."""

import os.path
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

from curation.recipe import REWRITES
from curation.release.differences import changes
from curation.release.folder import Folder
from curation.release.manifest import Manifest, check_digests, check_sizes, read_finished
from schemas import REJECTS, SKETCHES, TAKEN_DOWN
from schemas.errors import UserError
from schemas.manifest import MANIFEST, Noted
from schemas.wording import and_more

COMPARED = ("sketches/", "rejects/duplicates/", "superseded/", f"{TAKEN_DOWN.name}/")
"""The tables that later runs read."""
NAME_DIGITS = 16
SHOWN_CHANGES = 3


@dataclass(frozen=True)
class Release:
    """``name`` is the beginning of its manifest's SHA-256: the same wherever the folder lies; ``against`` are the names
    of the releases that it was deduplicated against, ``stands_for`` those of which it is what takedowns left, oldest
    first; ``stored_bytes`` are those of its input."""

    folder: Folder
    name: str
    units: int
    against: tuple[str, ...] = ()
    stored_bytes: int = 0
    stands_for: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.stands_for, self.name)

    def knew(self, other: "Release") -> bool:
        """Whether this one was deduplicated against the other, or against what that was before a takedown."""
        return not set(self.against).isdisjoint(other.names)

    def missing(self, releases: Sequence["Release"]) -> list[str]:
        """The names of what this one was deduplicated against, where no release stands for it."""
        known = {name for each in releases for name in each.names}
        return [name for name in self.against if name not in known]

    def is_stale(self, releases: Sequence["Release"]) -> bool:
        """Whether something was taken down since of what this one was deduplicated against, going by the releases
        that are there: what it removed as duplicates may then be duplicates of nothing."""
        return not set(self.against) <= {each.name for each in releases}


def open_release(path: str) -> tuple[Release, Manifest]:
    """The release in a folder, and its manifest.

    Raises UserError where there is none, or one of another format.
    """
    folder = Folder(path)
    found, digest = read_finished(folder)
    if (found.schemas.get(SKETCHES.name), found.schemas.get(REJECTS.name)) != (SKETCHES.version, REJECTS.version):
        raise UserError(f"{path} was written by another version of gristmill: curate it again with this one")
    against = tuple(each.release for each in found.against)
    stored = sum({each.file: each.size for each in found.inputs}.values())
    taken_from = tuple(each.of for each in found.takedown)
    return Release(folder, digest[:NAME_DIGITS], found.units, against, stored, taken_from), found


def check_shards(release: Release, manifest: Manifest, tables: tuple[str, ...]) -> None:
    """Raises UserError where a shard of some tables is missing, or has another size than the manifest says."""
    check_sizes(release.folder, [each for name, each in manifest.files.items() if name.startswith(tables)])


def check_contents(release: Release, names: Sequence[str]) -> None:
    """Reads those of the named shards that the release has. Raises UserError where a byte differs from what was
    written."""
    noted = noted_files(release.folder, release.name)
    check_digests(release.folder, [noted[name] for name in names if name in noted])


@lru_cache(maxsize=8)
def noted_files(folder: Folder, name: str) -> Mapping[str, Noted]:
    """What the manifest of the release of that name says of its files.

    Raises UserError where the folder holds another release by now.
    """
    found, digest = read_finished(folder)
    if not digest.startswith(name):
        raise UserError(f"{folder.root}/{MANIFEST} has changed since the run began: put it back, and run again")
    return found.files


def check_apart(output: Folder, releases: Sequence[Release]) -> None:
    """Raises UserError where the output would lie in a release."""
    for release in releases:
        if (_place(output) + "/").startswith(_place(release.folder) + "/"):
            raise UserError(
                f"the output {output.root} lies in the release {release.folder.root}: name a folder outside of it"
            )


def _place(folder: Folder) -> str:
    """Where a folder really lies, so that two names of one place are the same."""
    files, root = folder.filesystem()
    if "file" in files.protocol:
        return os.path.realpath(root)
    return str(files.unstrip_protocol(posixpath.normpath(root))).rstrip("/")


def open_releases(paths: Sequence[str], recipe: Mapping[str, Any]) -> tuple[Release, ...]:
    """The releases in some folders, earlier ones first, whatever the order of ``paths``; what a takedown left stands
    where the whole one stood.

    ``recipe`` (as JSON) is that of the run which compares documents with theirs. Raises UserError where it removes no
    duplicates; where a release is damaged, did otherwise before it compared documents, or was itself deduplicated
    against one that is not among them; and where two folders hold the same one.
    """
    if paths and not any(recipe["dedup"][stage] for stage in ("url", "exact", "near")):
        raise UserError(
            f"--against {paths[0]} is without effect, since the recipe removes no duplicates: "
            "switch dedup.url, dedup.exact or near on, or leave --against out"
        )
    opened = []
    for path in paths:
        release, found = open_release(path)
        told = list(changes(_compared(found.recipe), _compared(recipe)))
        if told:
            raise UserError(
                f"{path} was deduplicated with other settings, so its sketches cannot be compared with this run's: "
                f"{and_more(told[:SHOWN_CHANGES], len(told), '; ')}. Use the release's settings"
            )
        check_shards(release, found, COMPARED)
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
    """What is to be said of a release that was deduplicated against another one which is not there."""
    return (
        f"was deduplicated against the release {name}, which is not named: add --against with its folder (where "
        f"sha256sum manifest.json begins with {name}), or with that of a takedown of it"
    )


def _compared(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What decides which texts are compared, and how."""
    steps = [step for step in recipe["steps"] if step["use"] in REWRITES]
    rewrites = {step["use"]: {**step, "place": place} for place, step in enumerate(steps, 1)}
    return {"normalise": recipe["normalise"], "dedup": recipe["dedup"], **rewrites}
