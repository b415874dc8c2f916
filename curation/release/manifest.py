"""The manifest of a finished folder, read back, and the folder's files compared with it."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from curation.release.folder import Folder
from curation.release.ledger import Ledger
from curation.release.shards import shard_name
from schemas import SUPERSEDED, TAKEN_DOWN
from schemas.balance import LedgerError
from schemas.errors import UserError
from schemas.manifest import MANIFEST, Noted, check, difference, noted, parsed, size_difference

FORMAT = 1
"""Of the manifest: it grows whenever a reader would notice the change."""
TABLES = ("documents", "rejects/filters", "rejects/duplicates", "sketches", "quarantine")
"""Of each of which a unit has one shard; where the recipe measures anything, of ``signals`` too."""

_AMOUNT = {"documents": int, "bytes": int, "words": int}
_LEDGER = {
    "read": {str: _AMOUNT},
    "kept": {str: _AMOUNT},
    "rejected": [{**_AMOUNT, "source": str, "stage": str, "reason": str}],
    "quarantined": {str: {"records": int, "bytes": int}},
    "skipped": {str: int},
    "kept_text_bytes": int,
}
_RECIPE = {
    "name": str,
    "signals": bool,
    "normalise": (None, {str: object}),
    "steps": [{"use": str}],
    "dedup": {"url": bool, "exact": bool, "near": (None, {str: object}), "keep": {str: object}},
}
_TAKEDOWN = {
    "of": str,
    "selection": str,
    "asked": {str: int},
    "found": {str: int},
    "taken_down": int,
    "brought_back": int,
    "lost": int,
    "same_text?": int,
    "near?": int,
    "near_left?": int,
}
_LOST = {"bytes": int, "error": str, "message": str, "whole": bool, "doubtful_documents?": int}
_MANIFEST = {
    "format": int,
    "gristmill": str,
    "schemas": {str: int},
    "job": {"recipe": _RECIPE, "rejects_text": bool},
    "against": [{"release": str, "removed_for": int, "superseded": int}],
    "inputs": [{"file": str, "size": int, "sha256": object, "lost?": _LOST}],
    "ledger": _LEDGER,
    "outputs": {str: {"rows": int, "bytes": int, "sha256": str}},
    "takedown?": [_TAKEDOWN],
    "lists?": {str: {"bytes": int, "sha256": str}},
}

_ENOUGH = 4
"""A manifest with so many of these names is one of a corpus; if it lacks others, it is damaged."""


def read_manifest(folder: Folder) -> dict[str, Any] | None:
    """The manifest of a finished folder; None if the folder has no manifest.

    Raises UserError where it is damaged, was changed, or is not that of a curated corpus.
    """
    content = _content(folder)
    return None if content is None else parse_manifest(content, folder)


def read_finished(folder: Folder) -> tuple[dict[str, Any], str]:
    """The manifest of a finished folder, and its SHA-256. Raises UserError as ``read_manifest`` does, and where the
    folder has no manifest."""
    content = _content(folder)
    if content is None:
        raise UserError(
            f"{folder.root} holds no finished run ({MANIFEST} is missing): name a folder that gristmill curate wrote"
        )
    return parse_manifest(content, folder), hashlib.sha256(content).hexdigest()


def _content(folder: Folder) -> bytes | None:
    try:
        with folder.reading(MANIFEST) as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except IsADirectoryError as error:
        raise UserError(f"{folder.root}/{MANIFEST} is a folder: name another folder") from error


def parse_manifest(content: bytes, folder: Folder) -> dict[str, Any]:
    """The manifest of a folder from its bytes, checked. Raises UserError as ``read_manifest`` does."""
    place = f"{folder.root}/{MANIFEST}"
    found: Any = parsed(content, place)
    if isinstance(found, dict) and len(found.keys() & _MANIFEST.keys()) < _ENOUGH:
        raise UserError(f"{place} was not written by gristmill curate: name another folder")
    if isinstance(found, dict) and found.get("format", FORMAT) != FORMAT:
        raise UserError(f"{folder.root} was written by another version of gristmill: curate it again with this one")
    check(found, _MANIFEST, place)
    files = noted({**found["outputs"], **found.get("lists", {})}, place)
    _check_shards(found, files, place)
    _check_ledger(found, files, place)
    return dict(found)


def units_of(manifest: Mapping[str, Any]) -> int:
    """How many units of work a finished run had: so many shards has each of its tables."""
    return sum(name.startswith("sketches/") for name in manifest["outputs"])


def outputs_of(manifest: Mapping[str, Any], folder: Folder) -> dict[str, Noted]:
    """The files of a checked manifest by their names."""
    return noted({**manifest["outputs"], **manifest.get("lists", {})}, f"{folder.root}/{MANIFEST}")


def check_sizes(folder: Folder, files: Collection[Noted]) -> None:
    """Raises UserError for a file that is missing, or has another size than the manifest says."""
    sizes = folder.sizes(each.name for each in files)
    for each in files:
        if wrong := size_difference(each, sizes.get(each.name)):
            raise UserError(f"{folder.root}/{each.name} {wrong}: put the folder back as it was, or curate it again")


def check_digests(folder: Folder, files: Iterable[Noted]) -> None:
    """Reads the files. Raises UserError for a file that is missing or differs from what was written."""
    for each in files:
        if wrong := difference(each, folder.reading):
            raise UserError(f"{folder.root}/{each.name} {wrong}: put it back as it was, or curate the input again")


def _check_shards(manifest: Mapping[str, Any], files: Mapping[str, Noted], place: str) -> None:
    """Raises UserError unless the manifest names one shard of every table for each unit."""
    tables = (*TABLES, "signals") if manifest["job"]["recipe"]["signals"] else TABLES
    wanted = [shard_name(table, unit) for table in tables for unit in range(units_of(manifest))]
    if TAKEN_DOWN.name in manifest["schemas"]:
        wanted.append(shard_name(TAKEN_DOWN.name, 0))
    for name in wanted:
        if name not in files:
            raise _changed(place, f"it does not name {name}")
    prefixes = tuple(f"{table}/" for table in tables)
    extra = sorted({name for name in files if name.startswith(prefixes)} - set(wanted))
    if extra:
        raise _changed(place, f"it names {extra[0]}, and no shard of that number in sketches")


def _check_ledger(manifest: Mapping[str, Any], files: Mapping[str, Noted], place: str) -> None:
    """Raises UserError where the ledger does not balance, or counts other documents than the shards have rows."""
    ledger = Ledger.from_json(manifest["ledger"])
    try:
        ledger.check()
    except LedgerError as error:
        raise _changed(place, f"its ledger does not balance ({error})") from error
    for table, counted in (("documents", "kept"), ("rejects", "rejected")):
        rows = _rows(files, f"{table}/")
        if rows != ledger.total(counted)[0]:
            raise _changed(
                place, f"its ledger counts {ledger.total(counted)[0]:,} {counted} documents, its shards {rows:,}"
            )
    for each in manifest["against"]:
        rows = _rows(files, f"{SUPERSEDED.name}/{each['release']}/")
        if rows != each["superseded"]:
            raise _changed(place, f"it counts {each['superseded']:,} superseded documents, its shards {rows:,}")


def _rows(files: Mapping[str, Noted], prefix: str) -> int:
    return sum(each.rows or 0 for name, each in files.items() if name.startswith(prefix))


def _changed(place: str, what: str) -> UserError:
    return UserError(f"{place}: {what}: the manifest was changed since it was written: put it back as it was")
