"""The manifest of an imported dataset. Nothing in it depends on the run, so equal files give equal bytes."""

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
    """A file that was read, and the split of its rows. ``ledger``: its FileCounts."""

    name: str
    split: str
    sha256: str
    ledger: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ImportEntry:
    """A set that was imported. ``layouts``: the given names of each Layout."""

    name: str
    schema: str
    protocol_version: str
    layouts: tuple[Mapping[str, object], ...]
    files: tuple[FileEntry, ...]


@dataclass(frozen=True, kw_only=True)
class ImportManifest(DatasetManifest):
    """The manifest of an imported dataset. ``ledger``: the sum of all FileCounts; ``split``: the proof that no family
    of prompts is in both splits; ``opposite_verdicts``: the number of pairs of answers with opposite verdicts."""

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
    """The manifest of a dataset. ``files``: name, split and SHA-256 of each input file; ``written``: the output files
    by path relative to the dataset's folder, each with rows and SHA-256."""
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
