"""The first pass over a unit: reads, judges and sketches its documents, and writes all results known so far."""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.dedup.sketch import sketch, word_counts
from curation.engine.carried_files import receive_files
from curation.engine.room import check_room
from curation.engine.run import Run, filtered_name, filtered_sketches_name, judged_name, passed_name
from curation.engine.site_stages import HostSums, write_sums
from curation.engine.taken_down import SAME_TEXT, STAGE, recognise_judged, taken_down_hashes
from curation.engine.unit_reports import JudgedReport
from curation.judge import Verdicts, documents, judge, rejects
from curation.kernels.buffers import text_buffers
from curation.release.ledger import Ledger
from curation.release.manifest import SITE_REJECTS, InputReport
from curation.release.shards import ShardWriter, shard_name
from curation.sites.evidence import sites_schema
from curation.sources.events import EXCERPT_BYTES
from curation.sources.inputs import Unit
from curation.sources.reading import Chunk, SpanReport, read_unit
from schemas import FAILED, JUDGED, QUARANTINE, REJECTS, SIGNALS, SITES, SKETCHES
from schemas.errors import RunError
from schemas.manifest import ShardEntry

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PASSED = pa.schema([*JUDGED.columns, *(REJECTS.columns.field(name) for name in ("read_bytes", "words"))])
"""A document for the second pass; ``read_bytes`` and ``words`` count its text as read."""

HELD_BACK = ("text", "url", "date", "metadata", "language", "language_score")
"""The columns that are not kept for a document that is taken down."""


def signals_schema(run: Run) -> pa.Schema:
    columns = list(SIGNALS.columns) + list(run.job.recipe.written_signals)
    return pa.schema(columns, metadata=SIGNALS.schema.metadata)


def read_and_judge(run: Run, unit: Unit) -> None:
    """Writes the unit's rejects, signals, sketches and quarantine, its passed documents, and then its report.

    Raises RunError if a list or a model has changed since the run began.
    """
    _check_lists(run)
    receive_files(run.folder, run.job.recipe.carried_files(), run.local)
    ledger, files = Ledger(), list[InputReport]()
    with ExitStack() as open_files:
        shards = Shards(run, unit.index, open_files)
        for chunk in _chunks(run, unit):
            ledger.skip(chunk.skipped)
            ledger.quarantine(chunk.quarantine)
            shards.quarantine.write(chunk.quarantine)
            files += map(_input_report, chunk.finished)
            if len(chunk.documents):
                _judge_batch(run, chunk.documents, shards, ledger)
    if shards.hosts is not None:
        write_sums(run, unit.index, shards.hosts.total())
    report = JudgedReport(ledger=ledger.report(), outputs=shards.entries(), files=tuple(files))
    run.folder.write_json(judged_name(unit.index), report)


def _check_lists(run: Run) -> None:
    recipe = run.job.recipe
    if recipe.list_digests() != run.lists:
        recipe.read_lists()  # this process may have read the lists for an earlier job
    for name, digest in recipe.list_digests().items():
        if digest != run.lists[name]:
            raise RunError(
                f"the list or model {name} has changed since the run began: restore it and run again, so that the run "
                "resumes where it stopped, or give a new output folder"
            )


class Shards:
    """The files that the first pass writes for one unit.

    If the run removes sites, ``passed`` and ``sketches`` are not final yet, and ``hosts`` adds up the documents by
    host. In a takedown of a release that removed sites, ``site_rejects`` and ``sites`` hold what the release knows.
    """

    def __init__(self, run: Run, unit: int, open_files: ExitStack):
        self.written: list[ShardWriter] = []

        def shard(table: str, schema: pa.Schema) -> ShardWriter:
            self.written.append(open_files.enter_context(ShardWriter(run.folder, shard_name(table, unit), schema)))
            return self.written[-1]

        name = filtered_name(unit) if run.removes_sites else passed_name(unit)
        self.passed = open_files.enter_context(
            pa.ipc.new_file(open_files.enter_context(run.folder.writing(name)), PASSED)
        )
        self.quarantine = shard("quarantine", QUARANTINE.schema)
        self.rejects = shard("rejects/filters", REJECTS.schema)
        self.hosts = HostSums(run.job.recipe) if run.removes_sites else None
        if run.removes_sites:
            before = ShardWriter(run.folder, filtered_sketches_name(unit), SKETCHES.schema)
            self.sketches = open_files.enter_context(before)
        else:
            self.sketches = shard("sketches", SKETCHES.schema)
        self.signals = shard("signals", signals_schema(run)) if run.job.recipe.signals else None
        sites = run.job.recipe.sites if run.taken_from is not None else None
        self.site_rejects = shard(SITE_REJECTS, REJECTS.schema) if sites is not None else None
        self.sites = shard(SITES.name, sites_schema(sites)) if sites is not None else None

    def entries(self) -> dict[str, ShardEntry]:
        """The manifest's entries for the finished files, by name."""
        return {shard.name: shard.entry() for shard in self.written}


def _chunks(run: Run, unit: Unit) -> Iterator[Chunk]:
    """The records of the unit's files; under a limit, only the first documents."""
    left = None if run.documents_per_unit is None else run.documents_per_unit[unit.index]
    for chunk in read_unit(unit, run.job.reading, run.job.recipe.reads_rights):
        if left is None:
            yield chunk
            continue
        yield dataclasses.replace(chunk, documents=chunk.documents.slice(0, left))
        left -= min(left, len(chunk.documents))
        if not left:
            return


def _input_report(report: SpanReport) -> InputReport:
    """The manifest's entry for a file, or a range of a file, that was read to its end."""
    file, span = report.span.file, report.span
    start, end = (None, None) if (span.start, span.end) == (0, None) else (span.start, span.end)
    return InputReport(
        file=file.name,
        size=file.size,
        sha256=report.sha256,
        start=start,
        end=end,
        lost=report.lost,
        note=report.note or None,
    )


@dataclass(frozen=True)
class _JudgedBatch:
    """The results of the first pass for a batch of records, before they are written. The arrays have a row for each
    record."""

    records: pa.RecordBatch
    verdicts: Verdicts
    sizes: Ints
    """Bytes of the texts as read."""
    words: Ints
    again: Flags
    """Which records have a text that was taken down from a release."""
    passed: pa.RecordBatch
    """PASSED rows of the documents that continue to the second pass."""
    sketches: pa.RecordBatch | None
    """SKETCHES of ``passed``; None if no document passed."""
    signals: pa.RecordBatch
    """The signals of ``passed``."""


def _judge_batch(run: Run, records: pa.RecordBatch, shards: Shards, ledger: Ledger) -> None:
    """Judges the records and writes the results. If they take more memory than the run may use, judges them in halves;
    a single record that takes too much goes to quarantine."""
    judged = _judge_if_room(run, records)
    if judged is not None:
        _write(run, judged, shards, ledger)
    elif len(records) > 1:
        half = len(records) // 2
        _judge_batch(run, records.slice(0, half), shards, ledger)
        _judge_batch(run, records.slice(half), shards, ledger)
    else:
        quarantined = _quarantine_row(records)
        ledger.quarantine(quarantined)
        shards.quarantine.write(quarantined)


def _judge_if_room(run: Run, records: pa.RecordBatch) -> _JudgedBatch | None:
    """None if judging takes more memory than this process may use. The memory of the attempt is then free again."""
    try:
        return _judge(run, records)
    except MemoryError:
        return None


def _judge(run: Run, records: pa.RecordBatch) -> _JudgedBatch:
    check_room(records["text"])
    words, verdicts = word_counts(records["text"]), judge(records, run.job.recipe)
    sizes = pc.binary_length(records["text"]).to_numpy(zero_copy_only=False).astype(np.int64)
    again = recognise_judged(verdicts, taken_down_hashes(run.releases))
    rows = _passed_rows(documents(records, verdicts.texts, verdicts.signals), sizes, words)
    signals, passing = verdicts.signals, verdicts.is_kept & ~again
    if not passing.all():
        mask = pa.array(passing)
        rows, signals = rows.filter(mask), signals.filter(mask) if signals.num_columns else signals
    sketches = sketch(rows, signals, run.job.recipe.dedup) if len(rows) else None
    return _JudgedBatch(records, verdicts, sizes, words, again, rows, sketches, signals)


def _write(run: Run, judged: _JudgedBatch, shards: Shards, ledger: Ledger) -> None:
    records, verdicts, sizes, words = judged.records, judged.verdicts, judged.sizes, judged.words
    ledger.count("read", records["source"], sizes, words)
    if judged.again.any():
        rows = _passed_rows(documents(records, verdicts.texts, verdicts.signals), sizes, words)
        rows = rows.filter(pa.array(judged.again))
        write_taken_down(rows, [SAME_TEXT] * len(rows), shards, ledger)
        left = ~judged.again
        records, verdicts = records.filter(pa.array(left)), verdicts.filter(left)
        sizes, words = sizes[left], words[left]
    if shards.signals is not None:
        names = shards.signals.schema.names
        columns = [(records if name in SIGNALS.columns.names else verdicts.signals)[name] for name in names]
        shards.signals.write(pa.RecordBatch.from_arrays(columns, schema=shards.signals.schema))
    kept = verdicts.is_kept
    if not kept.all():
        rows = documents(records, verdicts.original, verdicts.signals)
        removed = rejects(verdicts, _passed_rows(rows, sizes, words), run.job.rejects_text)
        shards.rejects.write(removed)
        keys = [removed["source"], removed["stage"], removed["reason"]]
        ledger.count("rejected", keys, sizes[~kept], words[~kept])
    if judged.sketches is not None:
        shards.sketches.write(judged.sketches)
        shards.passed.write_batch(judged.passed)
        if shards.hosts is not None:
            shards.hosts.add(judged.passed, judged.signals)


def write_taken_down(rows: pa.RecordBatch, reasons: Sequence[str], shards: Shards, ledger: Ledger) -> None:
    """Writes documents (PASSED) that are taken down as rejects, each with its reason, and counts them."""
    rejects = taken_down_rows(rows, reasons)
    shards.rejects.write(rejects)
    sizes, words = (rows[name].to_numpy() for name in ("read_bytes", "words"))
    ledger.count("rejected", [rejects[name] for name in ("source", "stage", "reason")], sizes, words)


def taken_down_rows(rows: pa.RecordBatch, reasons: Sequence[str]) -> pa.RecordBatch:
    """REJECTS of documents that are taken down, without their content."""
    names = [name for name in PASSED.names if name not in HELD_BACK]
    columns: dict[str, object] = {name: rows[name] for name in names}
    columns["metadata"] = pa.repeat("", len(rows))
    columns["stage"] = pa.repeat(STAGE, len(rows))
    columns["reason"] = pa.array(reasons, pa.string())
    columns["failed"] = pa.array([[]] * len(rows), FAILED)
    return REJECTS.batch(columns, len(rows))


def _quarantine_row(record: pa.RecordBatch) -> pa.RecordBatch:
    """The QUARANTINE row of a record for which the memory is not sufficient."""
    [row] = record.select(["file", "offset"]).to_pylist()
    data, [begin, end] = text_buffers(record["text"])  # Arrow's scalar would be a copy, for which there is no memory
    size, excerpt = int(end - begin), data[begin:end][:EXCERPT_BYTES].tobytes()
    message = f"judging a text of {size} bytes takes more memory than --memory allows"
    columns = {**row, "error": "too_large", "message": message, "bytes": size, "record": excerpt}
    return QUARANTINE.batch({name: [value] for name, value in columns.items()})


def _passed_rows(rows: pa.RecordBatch, sizes: Ints, words: Ints) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([*rows.columns, pa.array(sizes), pa.array(words)], schema=PASSED)
