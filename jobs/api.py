"""The Python API: what the commands do, for programs and notebooks. ``from jobs import curate, open_corpus, ...``."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from annotation.dataset import Built
from annotation.dataset import build as _build
from annotation.dataset.master import Master
from annotation.dataset.master import load as _load_dataset
from annotation.judgments.resolve import Resolution
from annotation.judgments.resolve import resolve as _resolve
from annotation.judgments.snapshot import Snapshot
from annotation.judgments.snapshot import load as _load_campaign
from annotation.quality.groups import Agreements, agreements
from curation.dedup.near import families
from curation.engine.driver import curate as _curate
from curation.job import Execution
from curation.release.ledger import Ledger
from curation.release.lookup import Lookup
from curation.release.opening import open_release
from curation.reports.explain import explain as _explain
from curation.reports.verdicts import verdicts as _verdicts
from curation.sources.inputs import Input
from curation.sources.storage import storage_options
from jobs.campaign.campaign_file import read_and_record
from jobs.corpus.job_file import load_recipe, make_job
from jobs.corpus.verdict import say_quarantined
from schemas.errors import RunError, UserError
from schemas.settings import convert, shown

__all__ = [
    "Agreements",
    "Built",
    "Corpus",
    "Failure",
    "Ledger",
    "Master",
    "Resolution",
    "RunError",
    "Snapshot",
    "UserError",
    "Verdict",
    "agreement",
    "build_dataset",
    "curate",
    "explain",
    "load_dataset",
    "open_campaign",
    "open_corpus",
    "resolve",
    "verdicts",
]

AnyPath = str | PathLike[str]


def curate(
    inputs: AnyPath | Iterable[AnyPath],
    output: AnyPath,
    recipe: AnyPath = "fineweb",
    changes: str | Iterable[str] = (),
    against: AnyPath | Iterable[AnyPath] = (),
    workers: int | None = None,
    beam_options: str | Iterable[str] = (),
    storage: Mapping[str, Any] | None = None,
    format: str | None = None,
) -> Ledger:
    """Curates the files of the globs ``inputs`` into the folder ``output`` and returns the run's ledger.

    ``changes`` are settings such as ``"near.bands=20"``; ``against`` are folders of earlier runs: duplicates of their
    documents are removed. ``storage`` are options of remote file systems, such as ``{"anon": True}``. ``format`` is the
    format of the files (None: detected from their content). A script that starts worker processes (``workers`` other
    than 0) needs the usual ``if __name__ == "__main__":``. Raises UserError for a wrong argument or input, and RunError
    if the run cannot finish.
    """
    globs, folder, earlier = _some(inputs, "inputs"), _text(output, "output"), _texts(against, "against")
    kind = None if format is None else _text(format, "format")
    job = make_job(
        [Input(glob=glob, format=kind) for glob in globs],
        _text(recipe, "recipe"),
        _texts(changes, "changes"),
        {"against": earlier},
    )
    if not isinstance(storage, Mapping | None):
        raise UserError(f"storage is {shown(storage)}: give options by name, such as {{'anon': True}}")
    options = {_text(name, "an option's name in storage"): value for name, value in (storage or {}).items()}
    execution = Execution(
        workers=convert(workers, int | None, "workers"),
        beam_options=tuple(_texts(beam_options, "beam_options")),
        storage=storage_options(options.items(), [*globs, folder, *earlier]),
    )
    return _curate(job, folder, execution)


def _text(given: Any, name: str) -> str:
    """The text of an argument that is a text or a path. Raises UserError for anything else."""
    return str(convert(os.fspath(given) if isinstance(given, os.PathLike) else given, str, name))


def _texts(given: Any, name: str) -> list[str]:
    """The texts of an argument that is a text, a path, or several of them. Raises UserError for anything else."""
    if isinstance(given, str | os.PathLike):
        return [_text(given, name)]
    if not isinstance(given, Iterable) or isinstance(given, bytes | Mapping):
        raise UserError(f"{name} is {shown(given)}: give a text or a list of texts")
    return [_text(each, f"an entry of {name}") for each in given]


def _some(given: Any, name: str) -> list[str]:
    """As ``_texts``, but at least one."""
    texts = _texts(given, name)
    if not texts:
        raise UserError(f"{name} is empty: give at least one")
    return texts


def _snapshot(campaign: Any) -> Snapshot:
    if not isinstance(campaign, Snapshot):
        raise UserError(f"campaign is {shown(campaign)}: give what open_campaign returned")
    return campaign


@dataclass(frozen=True)
class Failure:
    """One rule that a document fails: the filter (``stage``) and the rule's name (``reason``).

    ``value`` is the measured value and ``threshold`` the recipe's limit, in the unit of the signal. Both are None if
    the rule compares words, such as languages.
    """

    stage: str
    reason: str
    value: float | None
    threshold: float | None


@dataclass(frozen=True)
class Verdict:
    """The verdict of a recipe's filters on a document, without deduplication.

    ``signals`` are all measurements, by name; None if a value is not defined, such as a share of 0 words.
    """

    doc_id: str
    kept: bool
    reasons: tuple[Failure, ...]
    signals: Mapping[str, Any]


def verdicts(
    files: AnyPath | Iterable[AnyPath], recipe: AnyPath = "fineweb", changes: str | Iterable[str] = ()
) -> Iterator[Verdict]:
    """Yields the verdict on each document of the files, in order. Memory does not grow with the size of the files.

    ``changes`` are settings of the recipe such as ``"language.min_score=0.5"``. A record that cannot be read is skipped
    and named on standard error. Raises UserError for a wrong argument or input.
    """
    settings = load_recipe(_text(recipe, "recipe"), _texts(changes, "changes"))
    for found in _verdicts(_some(files, "files"), settings, say_quarantined):
        failures = tuple(Failure(**failed) for failed in found["reasons"])
        yield Verdict(found["doc_id"], found["kept"], failures, found["signals"])


@dataclass(frozen=True)
class Corpus:
    """A finished corpus. ``name`` is its release: the first 16 digits of its manifest's SHA-256.

    The tables are Arrow datasets: nothing is read before ``to_table``, ``to_batches`` or ``count_rows``.
    """

    folder: str
    name: str
    ledger: Ledger
    documents: ds.Dataset
    rejects: ds.Dataset
    signals: ds.Dataset
    quarantine: ds.Dataset

    @property
    def rejected(self) -> pa.Table:
        """The removed documents by reason: source, stage, reason, documents, bytes (of text, as read), words."""
        words, numbers = ("source", "stage", "reason"), ("documents", "bytes", "words")
        columns = pa.schema([*((name, pa.string()) for name in words), *((name, pa.int64()) for name in numbers)])
        rows = [(*key, *amount) for key, amount in sorted(self.ledger.rejected.items())]
        return pa.Table.from_pylist([dict(zip(columns.names, row, strict=True)) for row in rows], columns)

    def explain(self, doc_id: str) -> list[str]:
        """The lines of ``explain`` for a document of this corpus."""
        return explain(self.folder, doc_id)


def open_corpus(folder: AnyPath) -> Corpus:
    """Opens a folder that ``curate`` or a takedown finished, on any file system.

    Raises UserError if the folder has no finished corpus, or if a file is missing or has another size.
    ``gristmill verify`` also checks the content of the files.
    """
    place = _text(folder, "folder")
    release, manifest = open_release(place)
    lookup = Lookup(place)
    return Corpus(
        folder=place,
        name=release.name,
        ledger=Ledger.of(manifest.ledger),
        documents=lookup.dataset("documents"),
        rejects=lookup.dataset("rejects"),
        signals=lookup.dataset("signals"),
        quarantine=lookup.dataset("quarantine"),
    )


def explain(folder: AnyPath, doc_id: str) -> list[str]:
    """The lines of ``gristmill explain``: why a document was kept or removed. Empty for an unknown id.

    Raises UserError if the folder has no corpus, or a damaged one.
    """
    lookup = Lookup(_text(folder, "folder"))
    return [line for row in lookup.find(convert(doc_id, str, "doc_id")) for line in _explain(lookup, row)]


def open_campaign(folder: AnyPath, as_of: int | None = None) -> Snapshot:
    """The campaign after the last pull, or at revision ``as_of`` of its journal.

    The snapshot's tables are Arrow tables: ``pairs``, ``assignments``, ``judgments`` (a row for each vote that counts)
    and ``refused`` (annotations that do not count, with the reason). If campaign.toml has changed, the change is first
    recorded in the journal. Raises UserError if the folder has no campaign, or nothing was pushed yet.
    """
    path, revision = Path(_text(folder, "folder")), convert(as_of, int | None, "as_of")
    if revision is None:
        read_and_record(path)
    return _load_campaign(path, revision)


def agreement(campaign: Snapshot) -> Agreements:
    """How far the annotators agree, over all pairs and by degree, batch and pair of models.

    Each coefficient (1 is perfect agreement, 0 is chance) has a 95% interval. Gold pairs and adjudicating votes do not
    count.
    """
    return agreements(_snapshot(campaign))


def resolve(campaign: Snapshot) -> Resolution:
    """The verdicts by the campaign's policy: each pair is a row of the Arrow table ``resolved`` or, with the reason, of
    ``unresolved``. Gold pairs are left out."""
    return _resolve(_snapshot(campaign))


def build_dataset(campaigns: AnyPath | Iterable[AnyPath], output: AnyPath, as_of: int | None = None) -> Built:
    """Writes the comparisons of campaign folders into the new folder ``output``; returns its path, ledger and manifest.

    ``as_of`` is a revision of the journal, for a single campaign. Equal campaigns give equal bytes. Raises UserError if
    ``output`` is not empty or a folder has no campaign.
    """
    folders, place = _some(campaigns, "campaigns"), _text(output, "output")
    if as_of is not None and len(folders) > 1:
        raise UserError("as_of is a revision of one campaign's journal: give one campaign")
    return _build([open_campaign(folder, as_of) for folder in folders], Path(place), families)


def load_dataset(folder: AnyPath) -> Master:
    """Loads a dataset that was built, imported or mixed: ``splits`` holds the Arrow tables ``train`` and ``held_out``,
    with a row for each comparison.

    Each file is compared with its checksum. Rows of an older version are converted to the newest version. Raises
    UserError if the folder has no dataset, or a dataset of a newer version, or if a file has changed.
    """
    return _load_dataset(Path(_text(folder, "folder")))
