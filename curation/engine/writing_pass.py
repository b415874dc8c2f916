"""The second pass over a unit: divides its passed documents into kept documents and duplicates."""

from contextlib import ExitStack

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.dedup.edges import row_ids, rows_of, unpack
from curation.dedup.removal import NONE_REMOVED, STAGES, Removals
from curation.dedup.sketch import signature_values
from curation.engine.dedup_stages import Blobs, name_table, unit_removals
from curation.engine.piece_cuts import Cutter, count_cuts, with_emptied
from curation.engine.reading_pass import PASSED
from curation.engine.released import names_of, read_gone
from curation.engine.run import Run, passed_name, superseded_name, written_name
from curation.engine.shingles import similarities
from curation.engine.stored_documents import with_texts
from curation.engine.unit_reports import SupersededReport, WrittenReport
from curation.kernels.minhash import equal_shares
from curation.release.ledger import Ledger
from curation.release.near_report import UNIT_HOSTS, NearCounts
from curation.release.shards import ShardWriter, read_rows, shard_name
from schemas import CUTS, DOCUMENTS, FAILED, JUDGED, REJECTS, SUPERSEDED

REHYDRATION_WEIGHTS = {1: 1, 2: 2, 3: 3, 5: 5, 100: 8, 1000: 1}
"""How often FineWeb2 repeats a document, by the least size of its cluster (README of huggingface/fineweb-2)."""
REASONS = {"url": "same_url", "exact": "same_text", "near": "near_duplicate"}


def write_documents(run: Run, unit: int, survivors: Blobs, names: Blobs, counts: Blobs) -> None:
    """Writes the kept documents and duplicates of a unit of the run (numbered as in the stages), and then its report;
    removes its passed documents. ``counts`` has the numbers of documents that are removed for the unit's documents."""
    removed = unit_removals(run, unit, survivors) if run.job.recipe.dedup.stages else NONE_REMOVED
    explained = _explain(run, unit, removed, names)
    number = unit - run.first
    ledger, near = Ledger(), NearCounts()
    sizes = ClusterSizes(counts)
    all_gone = [removed.row]
    cutter = Cutter(run, unit, name_table(names)) if run.job.recipe.dedup.pieces else None
    with ExitStack() as open_files:

        def shard(table: str, schema: pa.Schema) -> ShardWriter:
            return open_files.enter_context(ShardWriter(run.folder, shard_name(table, number), schema))

        documents = shard("documents", DOCUMENTS.schema)
        duplicates = shard("rejects/duplicates", REJECTS.schema)
        shards = [documents, duplicates]
        if cutter is not None:
            shards.append(shard("cuts", CUTS.schema))
        passed = pa.ipc.open_file(open_files.enter_context(run.folder.reading(passed_name(number))))
        start = 0
        for index in range(passed.num_record_batches):
            batch = passed.get_batch(index)
            low, high = np.searchsorted(removed.row, [start, start + len(batch)])
            gone = np.zeros(len(batch), bool)
            gone[removed.row[low:high] - start] = True
            kept, lost = batch, explained.slice(low, high - low)
            if cutter is not None:
                cut = cutter.cut(batch, start)
                shards[-1].write(cut.trace)
                count_cuts(ledger, batch["source"], cut)
                kept, lost = with_texts(batch, cut.texts), with_emptied(lost, gone, cut.emptied)
                gone |= cut.emptied
                all_gone.append(np.flatnonzero(cut.emptied) + start)
            kept = kept.filter(pa.array(~gone)) if gone.any() else kept
            _write_kept(documents, kept, sizes.of(start, len(batch))[~gone], ledger)
            if len(lost):
                rows = batch.filter(pa.array(gone))
                duplicates.write(_rejects(rows, lost, run.job.rejects_text))
                _count(ledger, rows, lost)
                _count_near(near, rows, lost)
            start += len(batch)
    now = np.concatenate(all_gone)
    before = now if run.taken_from is None else read_gone(run, unit)
    settings = run.job.recipe.dedup.near
    report = WrittenReport(
        ledger=ledger.report(),
        outputs={each.name: each.entry() for each in shards},
        released=_by_release(explained),
        near=near.report(settings.verify, UNIT_HOSTS) if settings is not None else None,
        brought_back=len(np.setdiff1d(before, now)),
        lost=len(np.setdiff1d(now, before)),
    )
    run.folder.write_json(written_name(number), report)
    if cutter is None:  # otherwise a runner that begins its pipeline again reads the documents again
        run.folder.remove(passed_name(number))


def write_superseded(run: Run, unit: int, survivors: Blobs, names: Blobs) -> None:
    """Writes which documents of a released unit lost to another released document, if any, and then a report."""
    removed = unit_removals(run, unit, survivors) if run.job.recipe.dedup.stages else NONE_REMOVED
    outputs = {}
    if len(removed.row):
        release, number = run.release_of(unit)
        explained = _explain(run, unit, removed, names)
        own = read_rows(*run.sketches(unit), ["doc_id", "file", "offset", "read_bytes", "words"], removed.row)
        columns = {name: own[name].combine_chunks() for name in own.column_names}
        columns |= {name: explained[name] for name in explained.schema.names if name != "failed"}
        columns["release"] = pa.repeat(release.name, len(own))
        with ShardWriter(run.folder, shard_name(f"superseded/{release.name}", number), SUPERSEDED.schema) as shard:
            shard.write(SUPERSEDED.batch(columns, len(own)))
        outputs[shard.name] = shard.entry()
    run.folder.write_json(superseded_name(unit), SupersededReport(documents=len(removed.row), outputs=outputs))


def _by_release(explained: pa.RecordBatch) -> dict[str, int]:
    """How many documents were removed in favour of a document of each release."""
    counts = pc.value_counts(explained["survivor_release"].drop_null()).to_pylist()
    return {entry["values"]: entry["counts"] for entry in counts}


class ClusterSizes:
    """The sizes of the clusters of a unit's documents; ``counts`` has the numbers of documents removed for them."""

    def __init__(self, counts: Blobs):
        found = unpack(counts, 2)
        found = found[np.argsort(found[:, 0])]
        self._rows, self._removed = rows_of(found[:, 0]), found[:, 1].astype(np.int64)

    def of(self, start: int, count: int) -> npt.NDArray[np.int64]:
        """The sizes for ``count`` documents from row ``start`` on."""
        sizes = np.ones(count, np.int64)
        low, high = np.searchsorted(self._rows, [start, start + count])
        sizes[self._rows[low:high] - start] += self._removed[low:high]
        return sizes


def _write_kept(shard: ShardWriter, rows: pa.RecordBatch, sizes: npt.NDArray[np.int64], ledger: Ledger) -> None:
    columns: dict[str, object] = {name: rows[name] for name in JUDGED.columns.names}
    columns["near_cluster_size"] = pa.array(sizes)
    columns["rehydration_weight"] = pa.array(rehydration_weights(sizes))
    shard.write(DOCUMENTS.batch(columns, len(rows)))
    ledger.count("kept", rows["source"], rows["read_bytes"].to_numpy(), rows["words"].to_numpy())
    ledger.kept_text_bytes += pc.sum(pc.binary_length(rows["text"])).as_py() or 0


def rehydration_weights(sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """How often FineWeb2 repeats a document of a cluster with ``sizes`` documents.

    >>> rehydration_weights(np.array([1, 2, 4, 5, 99, 100, 999, 1000])).tolist()
    [1, 2, 3, 5, 5, 8, 8, 1]
    """
    least = np.array(list(REHYDRATION_WEIGHTS))
    return np.array(list(REHYDRATION_WEIGHTS.values()), np.int32)[np.searchsorted(least, sizes, side="right") - 1]


def _count_near(counts: NearCounts, rows: pa.RecordBatch, explained: pa.RecordBatch) -> None:
    near = pc.equal(explained["stage"], "near")
    similarity = explained["survivor_similarity"].filter(near).fill_null(np.nan).to_numpy(zero_copy_only=False)
    counts.add(similarity, rows["source"].filter(near), rows["url"].filter(near))


def _count(ledger: Ledger, rows: pa.RecordBatch, explained: pa.RecordBatch) -> None:
    keys = [rows["source"], explained["stage"], explained["reason"]]
    ledger.count("rejected", keys, rows["read_bytes"].to_numpy(), rows["words"].to_numpy())


_ADDED = [field for field in REJECTS.columns if field.name not in PASSED.names]


def _rejects(rows: pa.RecordBatch, explained: pa.RecordBatch, with_text: bool) -> pa.RecordBatch:
    columns: dict[str, object] = {name: rows[name] for name in rows.schema.names}
    columns |= {name: explained[name] for name in explained.schema.names}
    if not with_text:
        columns["text"] = None
    return REJECTS.batch(columns, len(rows))


def _explain(run: Run, unit: int, removed: Removals, answers: Blobs) -> pa.RecordBatch:
    """The columns of REJECTS that a document itself does not have, with a row for each removal."""
    count = len(removed.row)
    answer = name_table(answers)
    ids = answer["id"].to_numpy()
    survivor = answer.take(pa.array(np.searchsorted(ids, removed.survivor)))
    matched = answer.take(pa.array(np.searchsorted(ids, removed.matched)))
    own = read_rows(*run.sketches(unit), ["signature"], removed.row)["signature"]
    to_matched = _measure(removed.similarity, own, matched["signature"], run)
    to_survivor = _measure(_to_survivor(run, unit, removed, to_matched), own, survivor["signature"], run)
    stages = pa.array(STAGES, pa.string()).take(pa.array(removed.stage))
    reasons = pa.array([REASONS[stage] for stage in STAGES], pa.string()).take(pa.array(removed.stage))
    near = run.job.recipe.dedup.near
    threshold = np.array([np.nan, 1.0, near.required_similarity if near else np.nan])[removed.stage]
    columns = [
        stages,
        reasons,
        _failed_column(stages, reasons, to_matched, threshold),
        *(survivor[name].combine_chunks() for name in ("doc_id", "file", "offset")),
        names_of(run, removed.survivor),
        _or_null(to_survivor),
        *(matched[name].combine_chunks() for name in ("doc_id", "file", "offset")),
        names_of(run, removed.matched),
        _or_null(to_matched),
    ]
    assert count == len(stages)
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(_ADDED))


def _to_survivor(
    run: Run, unit: int, removed: Removals, to_matched: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The similarities to the survivors, so far as they are known or follow from the sets of shingles; else NaN."""
    result = np.where(removed.survivor == removed.matched, to_matched, removed.to_survivor)
    if not run.job.recipe.dedup.verifies:
        return result
    todo = np.flatnonzero(np.isnan(result) & (removed.stage != STAGES.index("url")))
    exact = removed.stage[todo] == STAGES.index("exact")
    own = np.where(exact, removed.matched[todo], row_ids(unit, removed.row[todo]))
    result[todo] = similarities(run, own, removed.survivor[todo])
    return result


def _measure(
    known: npt.NDArray[np.float64], own: pa.ChunkedArray, other: pa.ChunkedArray, run: Run
) -> npt.NDArray[np.float64]:
    """The similarities: known ones as they are, unknown ones (NaN) from the signatures if both documents have one."""
    near = run.job.recipe.dedup.near
    both = pc.and_(own.is_valid(), other.is_valid()).to_numpy()
    todo = np.flatnonzero(np.isnan(known) & both)
    result = known.copy()
    if near is not None and len(todo):
        rows = pa.array(todo)
        left, right = (signature_values(side.take(rows).combine_chunks(), near)[0] for side in (own, other))
        share = np.empty(len(todo), np.float64)
        equal_shares(left, right, share)
        result[todo] = share
    return result


def _failed_column(
    stages: pa.Array, reasons: pa.Array, values: npt.NDArray[np.float64], thresholds: npt.NDArray[np.float64]
) -> pa.Array:
    entries = pa.StructArray.from_arrays(
        [stages, reasons, _or_null(values), _or_null(thresholds)], fields=list(FAILED.value_type)
    )
    return pa.ListArray.from_arrays(pa.array(np.arange(len(stages) + 1, dtype=np.int32)), entries, type=FAILED)


def _or_null(values: npt.NDArray[np.float64]) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)
