"""From benchmarks and a corpus to a finished folder: claim the folder, search all parts, gather, write the manifest."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import orjson

from curation.benchmarks.samples import Benchmark, samples_table
from curation.benchmarks.settings import Settings
from curation.contamination.gathering import REPORT, SAMPLES_FILE, Gathered, gather
from curation.contamination.manifest import FORMAT, VERSION, BenchmarkReport, ContaminationManifest
from curation.contamination.run import Search, prepare
from curation.contamination.scores import Scores
from curation.contamination.searching import search_part
from curation.contamination.tables import SUBSETS, documents_of, samples_of
from curation.contamination.verdicts import subset_rows
from curation.engine.beam_options import check_options, is_local
from curation.engine.claim import Claim, claim_folder
from curation.engine.pipeline import Wiring
from curation.engine.planning import workers_for
from curation.engine.runner import Pipelines, run_steps, started_workers
from curation.job import Execution
from curation.packing.corpus import Columns, ParquetCorpus
from curation.release.folder import Folder
from curation.release.manifest import read_content
from curation.release.shards import ShardWriter, read_shard, row_groups
from curation.sources.storage import use_storage
from curation.tokenizers.tokenizer import Tokenizer, one_thread_each
from schemas.checksums import Digest
from schemas.manifest import MANIFEST, Entry

PART_BYTES = 16 << 20
"""A part of the corpus has about this many stored bytes."""
SUBSETS_FILE, LIST_FILE = "subsets.parquet", "documents.txt"
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Searched:
    """A benchmark and the SHA-256 of its file."""

    benchmark: Benchmark
    sha256: str


def find_contamination(
    corpus: str,
    benchmarks: Sequence[Searched],
    tokenizer: Tokenizer | None,
    output: str,
    settings: Settings,
    scores: Sequence[Scores] = (),
    execution: Execution | None = None,
) -> ContaminationManifest:
    """Searches the corpus for the samples of the benchmarks, and writes the folder ``output``. The definition llama2
    needs a tokenizer; the others have none.

    The folder must be new or empty, or hold an interrupted search of the same corpus and benchmarks, which then
    resumes. Raises UserError for a user's mistake and RunError if the search cannot finish.
    """
    execution = execution or Execution()
    use_storage(execution.storage)
    if execution.beam_options:
        check_options(execution.beam_options, ask_server=False)
    samples = samples_table(each.benchmark for each in benchmarks)
    source = ParquetCorpus(path=corpus, columns=Columns(text=settings.text_column, doc_id=settings.id_column))
    files = source.versions()
    folder = Folder(output)
    asked = {
        "settings": settings.report(),
        "columns": [settings.text_column, settings.id_column],
        "tokenizer": None if tokenizer is None else _digest(tokenizer.content),
        "end_token": None if tokenizer is None else tokenizer.end_token,
        "samples": _digest(samples.to_pylist()),
        "scores": {each.name: each.sha256 for each in scores},
    }
    claim = Claim(gristmill=version("gristmill"), files=files, asked=asked)
    with claim_folder(folder, claim), one_thread_each():
        search = Search(
            folder=folder,
            corpus=source,
            parts=tuple(source.parts(PART_BYTES)),
            settings=settings,
            end_token=None if tokenizer is None else tokenizer.end_token,
            key=_digest(asked),
            local=is_local(execution.beam_options),
            storage=execution.storage,
        )
        prepare(search, samples, tokenizer).build()
        workers = workers_for(execution, sum(size for size, _ in files.values()), len(search.parts))
        with started_workers(search, workers, execution) as processes:
            run_steps(search, processes, execution, lambda start: _search(start, search))
        manifest = _finish(search, benchmarks, tokenizer, scores, corpus, files)
        folder.release()
    return manifest


def _search(start: Pipelines, search: Search) -> None:
    with start() as wiring:
        _wire(wiring, search)


def _wire(wiring: Wiring[Any], search: Search) -> None:
    """Every part is searched, and what is found of the samples is gathered."""
    found = wiring.start("search", search_part, search, range(len(search.parts)))
    wiring.join("gather", gather, search, range(1), found, wiring.marks(range(1)))


def _finish(
    search: Search,
    benchmarks: Sequence[Searched],
    tokenizer: Tokenizer | None,
    scores: Sequence[Scores],
    corpus: str,
    files: dict[str, list[Any]],
) -> ContaminationManifest:
    """Writes the table of subsets, and then the manifest."""
    folder = search.folder
    report = folder.read_json(REPORT, Gathered)
    table, documents = samples_of(search.settings.definition), documents_of(search.settings.definition)
    names = [name for name in table.columns.names if name not in ("text", "spans", "matches")]
    samples = read_shard(folder, SAMPLES_FILE, names)
    with ShardWriter(folder, SUBSETS_FILE, SUBSETS.schema) as writer:
        writer.write(subset_rows(samples, scores))
    held = {**report.files, SUBSETS_FILE: writer.entry(), LIST_FILE: _write_list(folder, sorted(report.files))}
    manifest = ContaminationManifest(
        format=FORMAT,
        version=VERSION,
        gristmill=version("gristmill"),
        settings=search.settings.report(),
        tokenizer={} if tokenizer is None else {"kind": tokenizer.kind, "sha256": _digest(tokenizer.content)},
        benchmarks=tuple(
            BenchmarkReport(
                name=each.benchmark.name,
                sha256=each.sha256,
                template=each.benchmark.template,
                samples=len(each.benchmark.texts),
            )
            for each in benchmarks
        ),
        scores={each.name: each.sha256 for each in scores},
        corpus=_corpus(corpus, files),
        read=report.read,
        tables={each.name: each.version for each in (table, documents, SUBSETS)},
        files=dict(sorted(held.items())),
    )
    folder.write_json(MANIFEST, manifest)
    return manifest


def _write_list(folder: Folder, shards: Sequence[str]) -> Entry:
    """Writes the ids of contaminated documents, one per line; an id with a line feed is left out, with a warning."""
    left_out = 0
    with folder.writing(LIST_FILE) as stream:
        written = Digest(stream)
        for shard in shards:
            if not shard.startswith("documents/"):
                continue
            for _, rows in row_groups(folder, shard, ["doc_id"]):
                ids = rows["doc_id"].to_pylist()
                listed = [doc_id for doc_id in ids if "\n" not in doc_id]
                written.write("".join(f"{doc_id}\n" for doc_id in listed).encode())
                left_out += len(ids) - len(listed)
    if left_out:
        LOG.warning("%s leaves out %d ids that hold a line feed: see documents/", LIST_FILE, left_out)
    return Entry(written.sha256, written.size)


def _corpus(corpus: str, files: dict[str, list[Any]]) -> dict[str, Any]:
    """The corpus as the manifest describes it: the SHA-256 of its manifest, or else the name and size of each file."""
    folder = Folder(corpus)
    system, root = folder.filesystem()
    content = read_content(folder) if system.isdir(root) else None
    if content is not None:
        return {"manifest": _digest(content)}
    return {"files": [{"name": path.rpartition("/")[2], "bytes": size} for path, (size, _) in sorted(files.items())]}


def _digest(value: Any) -> str:
    """The SHA-256 of bytes, or of a value as JSON."""
    content = value if isinstance(value, bytes) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()
