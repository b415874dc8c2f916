"""The Python API: what the commands do, for programs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import Any

from curation.engine.driver import curate as _curate
from curation.job import Execution
from curation.release.ledger import Ledger
from curation.release.lookup import Lookup
from curation.reports.explain import explain as _explain
from curation.reports.verdicts import verdicts as _verdicts
from curation.sources.inputs import Input
from curation.sources.storage import storage_options
from jobs.corpus.job_file import load_recipe, make_job
from jobs.corpus.verdict import say_quarantined


def curate(
    inputs: str | Sequence[str],
    output: str | PathLike[str],
    recipe: str = "fineweb",
    changes: Iterable[str] = (),
    against: Sequence[str | PathLike[str]] = (),
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


def verdicts(
    files: str | Sequence[str], recipe: str = "fineweb", changes: Iterable[str] = ()
) -> Iterator[dict[str, Any]]:
    """The verdict on each document of the files, in order, as ``gristmill verdict`` writes it."""
    return _verdicts([files] if isinstance(files, str) else files, load_recipe(recipe, changes), say_quarantined)


def explain(folder: str | PathLike[str], doc_id: str) -> list[str]:
    """The lines in which ``gristmill explain`` says why the document was kept or removed; none if it is not there."""
    lookup = Lookup(str(folder))
    return [line for row in lookup.find(doc_id) for line in _explain(lookup, row)]
