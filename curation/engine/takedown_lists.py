"""Writes a takedown's lists for people: entries that matched nothing, and near-duplicates of what was taken down."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from curation.engine.released import duplicate_places
from curation.engine.run import Run
from curation.engine.selecting_pass import near_documents
from curation.engine.selection import Selection
from curation.release.folder import Folder
from schemas.checksums import Digest
from schemas.manifest import Entry

NEAR_LIST = "near.jsonl"
"""The near-duplicates of documents that were taken down, which stay."""
NOT_FOUND = "not_found/"
LISTED = 10_000
"""The list holds at most this many near-duplicates; the manifest says how many there are."""


def not_found_name(reason: str) -> str:
    return f"{NOT_FOUND}{reason}.txt"


def list_missing(folder: Folder, selection: Selection, found: Mapping[str, set[str]]) -> dict[str, Entry]:
    """Writes the entries that matched no document, in the form in which selections are given; returns the files."""
    entries = {}
    for reason, asked in selection.by_reason().items():
        missing = [entry for entry in asked if entry not in found[reason]]
        if missing:
            name = not_found_name(reason)
            entries[name] = _write(folder, name, (f"{entry}\n".encode() for entry in missing))
    return entries


def list_near(run: Run) -> tuple[int, dict[str, Entry]]:
    """Lists the near-duplicates of documents that were taken down, in the order of the release.

    Returns their number, and the file with at most LISTED of them, which says whether each is a kept document.
    """
    count, lines = 0, list[bytes]()
    for number in range(run.units):
        rows = near_documents(run, number)
        count += len(rows)
        lines += _lines(run, number, rows.slice(0, LISTED - len(lines)).to_pylist())
    return count, {NEAR_LIST: _write(run.folder, NEAR_LIST, lines)} if lines else {}


def _lines(run: Run, number: int, rows: list[dict[str, Any]]) -> Iterator[bytes]:
    if not rows:
        return
    lost = {(row["file"], row["offset"]) for row in duplicate_places(run.folder, number).to_pylist()}
    for row in rows:
        listed = {name: row[name] for name in ("doc_id", "file", "offset", "like")}
        listed |= {"similarity": round(row["similarity"], 4), "kept": (row["file"], row["offset"]) not in lost}
        yield json.dumps(listed, ensure_ascii=False).encode() + b"\n"


def _write(folder: Folder, name: str, lines: Iterable[bytes]) -> Entry:
    with folder.writing(name) as stream:
        digest = Digest(stream)
        for line in lines:
            digest.write(line)
    return Entry(digest.sha256, digest.size)
