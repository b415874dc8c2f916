"""Reads the manifest of a finished folder, and compares the folder's files with it."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from curation.release.folder import Folder
from curation.release.ledger import Ledger, LedgerReport
from curation.release.near_report import NearReport
from curation.release.shards import shard_name
from curation.sites.evidence import SitesReport
from curation.sources.chunks import Lost
from curation.sources.storage import outages, reason
from schemas import CUTS, SITES, SUPERSEDED, TAKEN_DOWN
from schemas.balance import LedgerError
from schemas.errors import CHANGED, UserError
from schemas.manifest import (
    MANIFEST,
    Entry,
    NamedEntry,
    ShardEntry,
    difference,
    named_entries,
    parse_json,
    size_difference,
)
from schemas.records import from_json, other_keys

FORMAT = 1
"""The version of the manifest's format, increased by each change that affects readers."""
TABLES = ("documents", "rejects/filters", "rejects/duplicates", "sketches", "quarantine")
"""The tables with a shard for each unit. If the recipe measures signals, ``signals`` is another such table."""
SITE_REJECTS = "rejects/sites"
"""The table with the documents of removed sites, with a shard for each unit if the recipe removes sites."""

README, JSON_CARD, CROISSANT = CARD_FILES = ("README.md", "card.json", "croissant.json")
"""The files about a folder that the manifest does not name, so that people may edit them: a run writes README.md, and
``gristmill card`` all three."""


@dataclass(frozen=True, kw_only=True)
class InputReport:
    """A file that was read, or the part of it from ``start`` to ``end``; ``note`` is a warning about the file."""

    file: str
    size: int
    sha256: str | None
    start: int | None = None
    end: int | None = None
    lost: Lost | None = None
    note: str | None = None
    others: Mapping[str, Any] = other_keys()


@dataclass(frozen=True, kw_only=True)
class AgainstReport:
    """How many documents a run removed in favour of a release's, and how many of the release's it superseded."""

    release: str
    removed_for: int
    superseded: int


@dataclass(frozen=True, kw_only=True)
class TakedownReport:
    """What a takedown did to the release ``of``; ``asked`` and ``found`` are entries of the selection by reason.

    Among the documents that were taken down, ``same_text`` have the text of a selected document, and ``near`` are
    near-duplicates of one. ``lost`` documents were removed as duplicates of those that were brought back. Older
    manifests lack some counts.
    """

    of: str
    selection: str
    asked: Mapping[str, int]
    found: Mapping[str, int]
    taken_down: int
    brought_back: int
    lost: int
    same_text: int | None = None
    near: int | None = None
    near_left: int | None = None
    others: Mapping[str, Any] = other_keys()


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a finished folder holds, and what it was made from. ``job`` is the job as JSON; ``lists`` are files for
    people, which takedowns of earlier versions did not name; ``near_duplicates`` is None if the run removes no
    near-duplicates, and in older manifests. ``sites`` is None if the run removes no sites; a takedown leaves it as it
    was."""

    format: int
    gristmill: str
    schemas: Mapping[str, int]
    job: Mapping[str, Any]
    against: tuple[AgainstReport, ...]
    inputs: tuple[InputReport, ...]
    ledger: LedgerReport
    outputs: Mapping[str, ShardEntry]
    takedown: tuple[TakedownReport, ...] = ()
    lists: Mapping[str, Entry] | None = None
    near_duplicates: NearReport | None = None
    sites: SitesReport | None = None
    others: Mapping[str, Any] = other_keys()

    @property
    def units(self) -> int:
        """The number of the run's units of work, which is the number of shards of each table."""
        return sum(name.startswith("sketches/") for name in self.outputs)

    @property
    def files(self) -> dict[str, NamedEntry]:
        """All files that the manifest names, by name."""
        return named_entries({**self.outputs, **(self.lists or {})}, MANIFEST)

    @property
    def recipe(self) -> Mapping[str, Any]:
        return self.job["recipe"]  # type: ignore[no-any-return]

    @property
    def rejects_text(self) -> bool:
        return self.job["rejects_text"]  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _Step:
    use: str


@dataclass(frozen=True)
class _Dedup:
    url: bool
    exact: bool
    near: Mapping[str, Any] | None
    keep: Mapping[str, Any]
    pieces: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class _Recipe:
    name: str
    signals: Any
    normalise: Mapping[str, Any] | None
    steps: tuple[_Step, ...]
    dedup: _Dedup
    sites: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class _Job:
    """The parts of a job that are used before its recipe is read."""

    recipe: _Recipe
    rejects_text: bool


_ENOUGH = 4
"""JSON with at least this many of a manifest's keys is the manifest of a corpus; if other keys are missing, it is
damaged."""


def read_manifest(folder: Folder) -> Manifest | None:
    """The manifest of a finished folder; None if the folder has no manifest.

    Raises UserError if it is damaged, was changed, or is not the manifest of a curated corpus.
    """
    content = read_content(folder)
    return None if content is None else parse_manifest(content, folder)


def read_finished(folder: Folder) -> tuple[Manifest, str]:
    """The manifest of a finished folder, and its SHA-256. Raises UserError as ``read_manifest`` does, and if the folder
    has no manifest."""
    content = read_content(folder)
    if content is None:
        raise UserError(
            f"{folder.root} holds no finished run ({MANIFEST} is missing): name a folder that gristmill curate wrote"
        )
    return parse_manifest(content, folder), hashlib.sha256(content).hexdigest()


def read_content(folder: Folder) -> bytes | None:
    """The bytes of a folder's manifest; None if the folder has no manifest. Raises UserError if they cannot be read."""
    try:
        with folder.reading(MANIFEST) as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except outages() as error:
        raise UserError(
            f"{folder.root}/{MANIFEST} cannot be read ({reason(error)}): name a folder that gristmill wrote, or make "
            "the file readable"
        ) from error


def parse_manifest(content: bytes, folder: Folder) -> Manifest:
    """Parses and checks the bytes of a folder's manifest. Raises UserError as ``read_manifest`` does."""
    place = f"{folder.root}/{MANIFEST}"
    value: Any = parse_json(content, place)
    if isinstance(value, dict) and len(value.keys() & {field.name for field in fields(Manifest)}) < _ENOUGH:
        raise UserError(f"{place} was not written by gristmill curate: name another folder")
    if isinstance(value, dict) and value.get("format", FORMAT) != FORMAT:
        raise version_error(folder, value["format"], FORMAT)
    found = from_json(Manifest, value, place)
    from_json(_Job, found.job, place, "job")
    files = named_entries({**found.outputs, **(found.lists or {})}, place)
    _check_shards(found, files, place)
    _check_ledger(found, files, place)
    return found


def version_error(folder: Folder, found: Any, known: int) -> UserError:
    """The error for a folder whose format has the version ``found``, and not the version ``known``."""
    if isinstance(found, int) and found > known:
        return UserError(f"{folder.root} was written by a newer version of gristmill: upgrade gristmill to read it")
    return UserError(f"{folder.root} was written by another version of gristmill: curate it again with this one")


def check_sizes(folder: Folder, files: Collection[NamedEntry]) -> None:
    """Raises UserError for a file that is missing, cannot be read, or does not have the size in the manifest."""
    sizes = folder.sizes(each.name for each in files)
    for each in files:
        if wrong := size_difference(each, sizes[each.name]) if each.name in sizes else difference(each, folder.reading):
            raise UserError(f"{folder.root}/{each.name} {wrong}: restore the original folder, or curate it again")


def check_digests(folder: Folder, files: Iterable[NamedEntry]) -> None:
    """Reads the files, and raises UserError for a file that is missing, cannot be read, or does not have the SHA-256 in
    the manifest."""
    for each in files:
        if wrong := difference(each, folder.reading):
            raise UserError(f"{folder.root}/{each.name} {wrong}: restore the original file, or curate the input again")


def _check_shards(manifest: Manifest, files: Mapping[str, NamedEntry], place: str) -> None:
    """Raises UserError unless the manifest names one shard of every table for each unit."""
    tables = (*TABLES, "signals") if manifest.recipe["signals"] else TABLES
    if manifest.recipe["dedup"].get("pieces"):
        tables = (*tables, CUTS.name)
    if manifest.recipe.get("sites"):
        tables = (*tables, SITE_REJECTS, SITES.name)
    wanted = [shard_name(table, unit) for table in tables for unit in range(manifest.units)]
    if TAKEN_DOWN.name in manifest.schemas:
        wanted.append(shard_name(TAKEN_DOWN.name, 0))
    for name in wanted:
        if name not in files:
            raise _changed_error(place, f"it does not name {name}")
    prefixes = tuple(f"{table}/" for table in tables)
    extra = sorted({name for name in files if name.startswith(prefixes)} - set(wanted))
    if extra:
        raise _changed_error(place, f"it names {extra[0]}, and no shard of that number in sketches")


def _check_ledger(manifest: Manifest, files: Mapping[str, NamedEntry], place: str) -> None:
    """Raises UserError if the ledger does not balance, or counts another number of documents than the shards' rows."""
    ledger = Ledger.of(manifest.ledger)
    try:
        ledger.check()
    except LedgerError as error:
        raise _changed_error(place, f"its ledger does not balance ({error})") from error
    for table, counted in (("documents", "kept"), ("rejects", "rejected")):
        rows = _rows(files, f"{table}/")
        if rows != ledger.total(counted)[0]:
            raise _changed_error(
                place, f"its ledger counts {ledger.total(counted)[0]:,} {counted} documents, its shards {rows:,}"
            )
    for each in manifest.against:
        rows = _rows(files, f"{SUPERSEDED.name}/{each.release}/")
        if rows != each.superseded:
            raise _changed_error(place, f"it counts {each.superseded:,} superseded documents, its shards {rows:,}")


def _rows(files: Mapping[str, NamedEntry], prefix: str) -> int:
    return sum(each.rows or 0 for name, each in files.items() if name.startswith(prefix))


def _changed_error(place: str, what: str) -> UserError:
    return UserError(f"{place}: {what}: {CHANGED}")
