"""Reads the texts of a finished folder again: kept documents as they were written, removed ones as they were judged."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from curation.release.folder import Folder
from curation.release.manifest import Manifest
from curation.release.shards import row_groups
from schemas import DOCUMENTS, RECORDS, REJECTS

_REMOVAL = ("stage", "reason")


def stored_records(folder: Folder, manifest: Manifest) -> Iterator[pa.RecordBatch]:
    """All documents of the folder as batches of RECORDS, kept and removed, without those whose text was not stored."""
    for name in sorted(manifest.files):
        if name.startswith((f"{DOCUMENTS.name}/", f"{REJECTS.name}/")):
            for _, rows in row_groups(folder, name, RECORDS.columns.names):
                yield _records(rows)


def removed_records(
    folder: Folder, manifest: Manifest, source: str, stage: str, reason: str
) -> Iterator[pa.RecordBatch]:
    """The documents of a source that were removed for a reason, as batches of RECORDS."""
    for name in sorted(manifest.files):
        if name.startswith(f"{REJECTS.name}/"):
            for _, rows in row_groups(folder, name, [*RECORDS.columns.names, *_REMOVAL]):
                chosen = pc.and_(pc.equal(rows["stage"], stage), pc.equal(rows["reason"], reason))
                yield _records(rows.filter(pc.and_(chosen, pc.equal(rows["source"], source))))


def _records(rows: pa.RecordBatch) -> pa.RecordBatch:
    rows = rows.filter(rows["text"].is_valid())
    return RECORDS.batch({name: rows[name] for name in RECORDS.columns.names}, len(rows))
