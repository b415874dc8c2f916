"""The Python API: what the commands do, for programs and notebooks. ``from jobs import curate, open_corpus, ...``."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from jobs.campaign.campaign_file import read_and_note
from jobs.corpus.job_file import load_recipe, make_job
from jobs.corpus.verdict import say_quarantined
from schemas.errors import RunError, UserError

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
    inputs: str | Sequence[str],
    output: AnyPath,
    recipe: str = "fineweb",
    changes: Iterable[str] = (),
    against: Sequence[AnyPath] = (),
    workers: int | None = None,
    beam_options: Sequence[str] = (),
    storage: Mapping[str, Any] | None = None,
    format: str | None = None,
) -> Ledger:
    """Curates the files of the globs ``inputs`` into the folder ``output`` and returns the run's ledger.

    ``changes`` are settings such as ``"near.bands=20"``; ``against`` are folders of earlier runs, of whose documents no
    duplicate is kept; ``storage`` are options of remote file systems, such as ``{"anon": True}``; ``format`` is how the
    files are read, None for as their content tells. A script that starts worker processes (``workers`` other than 0)
    needs the usual ``if __name__ == "__main__":``. Raises UserError for a mistake in what was asked and RunError when
    the run cannot finish.
    """
    globs = [inputs] if isinstance(inputs, str) else inputs
    job = make_job(
        [Input(glob=glob, format=format) for glob in globs],
        recipe,
        changes,
        {"against": [str(path) for path in against]},
    )
    options = storage_options((storage or {}).items(), [*globs, str(output), *job.against])
    execution = Execution(workers=workers, beam_options=tuple(beam_options), storage=options)
    return _curate(job, str(output), execution)


@dataclass(frozen=True)
class Failure:
    """One rule that a document fails: the filter (``stage``) and the rule's name (``reason``).

    ``value`` is what was measured and ``threshold`` what the recipe asks for, in the unit of the signal; both are None
    where the rule asks for one of several words, such as a language.
    """

    stage: str
    reason: str
    value: float | None
    threshold: float | None


@dataclass(frozen=True)
class Verdict:
    """What a recipe's filters say of one document, without deduplication.

    ``signals`` are all measurements, by name; None for what cannot be measured, such as a share of no words.
    """

    doc_id: str
    kept: bool
    reasons: tuple[Failure, ...]
    signals: Mapping[str, Any]


def verdicts(files: str | Sequence[str], recipe: str = "fineweb", changes: Iterable[str] = ()) -> Iterator[Verdict]:
    """The verdict on each document of the files, in their order; a document at a time, whatever their size.

    ``changes`` are settings of the recipe such as ``"language.min_score=0.5"``. A record that cannot be read is skipped
    and named on standard error. Raises UserError for a mistake in what was asked.
    """
    paths = [files] if isinstance(files, str) else files
    for found in _verdicts(paths, load_recipe(recipe, changes), say_quarantined):
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
        """How much went for which reason: source, stage, reason, documents, bytes (of text, as read), words."""
        words, numbers = ("source", "stage", "reason"), ("documents", "bytes", "words")
        columns = pa.schema([*((name, pa.string()) for name in words), *((name, pa.int64()) for name in numbers)])
        rows = [(*key, *amount) for key, amount in sorted(self.ledger.rejected.items())]
        return pa.Table.from_pylist([dict(zip(columns.names, row, strict=True)) for row in rows], columns)

    def explain(self, doc_id: str) -> list[str]:
        """As ``explain`` does."""
        return explain(self.folder, doc_id)


def open_corpus(folder: AnyPath) -> Corpus:
    """The corpus in a folder that ``curate`` or a takedown finished, on any file system.

    Raises UserError for a folder without one, and for files that are missing or of another size than was written. What
    the files hold is checked by ``gristmill verify``.
    """
    release, manifest = open_release(str(folder))
    lookup = Lookup(str(folder))
    return Corpus(
        folder=str(folder),
        name=release.name,
        ledger=Ledger.of(manifest.ledger),
        documents=_table(lookup, "documents"),
        rejects=_table(lookup, "rejects"),
        signals=_table(lookup, "signals"),
        quarantine=_table(lookup, "quarantine"),
    )


def _table(lookup: Lookup, name: str) -> ds.Dataset:
    shards = [lookup.folder.path(file) for file in lookup.files if file.startswith(f"{name}/")]
    if not shards:  # signals of a recipe that measures nothing
        return ds.dataset(pa.table({}))
    return ds.dataset(shards, format="parquet", filesystem=lookup.folder.filesystem()[0])


def explain(folder: AnyPath, doc_id: str) -> list[str]:
    """The lines in which ``gristmill explain`` says why the document was kept or removed; none if it is not there.

    Raises UserError for a folder without a corpus, and for a damaged one.
    """
    lookup = Lookup(str(folder))
    return [line for row in lookup.find(doc_id) for line in _explain(lookup, row)]


def open_campaign(folder: AnyPath, as_of: int | None = None) -> Snapshot:
    """A campaign as the last pull left it, or as it was at revision ``as_of`` of its journal.

    The snapshot's tables are Arrow tables: ``pairs``, ``assignments``, ``judgments`` (a vote a row) and ``refused``
    (annotations that do not count, with the reason). Settings of campaign.toml that changed are noted in the journal
    first, as by the commands. Raises UserError for a folder without a campaign, and before its first push.
    """
    path = Path(folder)
    if as_of is None:
        read_and_note(path)
    return _load_campaign(path, as_of)


def agreement(campaign: Snapshot) -> Agreements:
    """How far the annotators agree, over all pairs and by degree, batch and pair of models.

    Each coefficient (1 is perfect, 0 is chance) comes with its 95% interval. Gold pairs and adjudicating votes do not
    count.
    """
    return agreements(campaign)


def resolve(campaign: Snapshot) -> Resolution:
    """What the votes come to by the campaign's policy: a row a pair, in ``resolved`` or, with the reason, in
    ``unresolved``; both are Arrow tables. Gold pairs are left out."""
    return _resolve(campaign)


def build_dataset(campaigns: AnyPath | Sequence[AnyPath], output: AnyPath, as_of: int | None = None) -> Built:
    """Writes the comparisons of campaign folders into the new folder ``output``; returns its path, ledger and manifest.

    ``as_of`` is a revision of the journal, for one campaign. Equal campaigns give equal bytes. Raises UserError for an
    occupied folder or a folder without a campaign, and RunError where the ledger does not balance.
    """
    folders = [campaigns] if isinstance(campaigns, str | os.PathLike) else list(campaigns)
    if as_of is not None and len(folders) > 1:
        raise UserError("as_of is a revision of one campaign's journal: give one campaign")
    return _build([open_campaign(folder, as_of) for folder in folders], Path(output), families)


def load_dataset(folder: AnyPath) -> Master:
    """The dataset in a folder that was built, imported or mixed: ``splits`` holds the Arrow tables ``train`` and
    ``held_out``, a comparison a row.

    Its files are read against the checksums of its manifest; rows of an older version come as those of the newest.
    Raises UserError for a folder without a dataset, one of a newer version, or a changed file.
    """
    return _load_dataset(Path(folder))
