"""What an imported dataset says of itself: nothing of the run that made it, so that equal files give equal bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.dataset.manifest import FORMAT, VERSION, DatasetManifest
from annotation.dataset.prompts import SplitProof
from annotation.imports.ledger import ImportLedger
from annotation.imports.sets import OpenSet
from schemas import COMPARISONS, IMPORT_REJECTS
from schemas.manifest import Entry


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """A file that was read, and the split of its rows. ``ledger``: FileCounts of `ledger`."""

    name: str
    split: str
    sha256: str
    ledger: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ImportEntry:
    """A set that was imported. ``layouts``: what is given in each Layout."""

    name: str
    schema: str
    protocol_version: str
    layouts: tuple[Mapping[str, object], ...]
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, kw_only=True)
class ImportManifest(DatasetManifest):
    """Of a dataset that was imported. ``ledger``: the sum of all FileCounts; ``split``: that no family of prompts is in
    both splits; ``opposite_verdicts``: pairs of answers that have such."""

    imports: tuple[ImportEntry, ...]
    ledger: Mapping[str, Any]
    split: SplitProof
    opposite_verdicts: int = 0


def describe(
    source: str,
    known: OpenSet,
    files: Sequence[tuple[str, str, str]],
    ledger: ImportLedger,
    proof: SplitProof,
    contradictions: int,
    written: Mapping[str, Entry],
) -> ImportManifest:
    """The manifest of a dataset. ``files``: name, split and SHA-256 of each file that was read; ``written`` are
    relative to the dataset's folder, each with its rows and SHA-256."""
    read = tuple(
        FileEntry(name=name, split=split, sha256=digest, ledger=ledger.files[name].as_json())
        for name, split, digest in files
    )
    entry = ImportEntry(
        name=source,
        schema=known.name,
        protocol_version=known.protocol_version,
        layouts=tuple(layout.list_given() for layout in known.layouts),
        files=read,
    )
    return ImportManifest(
        format=FORMAT,
        version=VERSION,
        tables={table.name: table.version for table in (COMPARISONS, IMPORT_REJECTS)},
        imports=(entry,),
        ledger=ledger.total().as_json(),
        split=proof,
        opposite_verdicts=contradictions,
        files=written,
    )
