"""The first pass over a unit of a release from which documents are taken down: reads its kept and removed documents."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.engine.carried_files import receive_files
from curation.engine.reading_pass import PASSED, Shards, taken_down_rows, write_taken_down
from curation.engine.released import PLACE, duplicate_places, rows_at, sketched_places, write_gone
from curation.engine.run import Run, judged_name
from curation.engine.selecting_pass import HASHES, NEAR_HASHES, SELECTED, SELECTION, read_hashes
from curation.engine.selection import REASONS, Matcher, Selection
from curation.engine.stored_documents import Cuts, ShardReader, merge
from curation.engine.taken_down import NEAR, SAME_TEXT, STAGE, is_among, kept_hashes, recognise_rejected
from curation.engine.unit_reports import JudgedReport, SelectedReport
from curation.release.ledger import Ledger
from curation.release.manifest import SITE_REJECTS
from curation.release.opening import Release
from curation.release.shards import ShardWriter, row_groups, shard_name
from schemas import JUDGED, QUARANTINE, REJECTS, SITES, SKETCHES
from schemas.errors import UserError

ROWS_AT_ONCE = 1 << 11
NOT_KEPT = "of a record that could not be read nothing is kept after a takedown"
WHY = (*REASONS, SAME_TEXT, NEAR)
"""Reasons for which a document is taken down."""


class _TakenDown:
    """Decides which documents of a unit are taken down: for each row an index into WHY, or -1."""

    def __init__(self, run: Run):
        selection = run.folder.read_json(SELECTION, Selection)
        self.matcher = Matcher(selection)
        self.texts = read_hashes(run.folder, HASHES)
        self.near = read_hashes(run.folder, NEAR_HASHES) if selection.near else self.texts.slice(0, 0)
        self._recipe = run.job.recipe

    def of_rejects(self, rejects: pa.RecordBatch) -> npt.NDArray[np.int64]:
        """The decisions for REJECTS of filters."""
        why = self.matcher.reasons(rejects["doc_id"], rejects["url"])
        for reason, wanted in ((SAME_TEXT, self.texts), (NEAR, self.near)):
            if len(wanted):
                why[(why < 0) & recognise_rejected(rejects, self._recipe, wanted)] = WHY.index(reason)
        return why

    def of_site_rejects(self, rejects: pa.RecordBatch) -> npt.NDArray[np.int64]:
        """The decisions for REJECTS of removed sites, whose texts are as the recipe keeps them."""
        return self.of_documents(rejects, kept_hashes(rejects))

    def of_documents(self, documents: pa.RecordBatch, content_hashes: pa.Array) -> npt.NDArray[np.int64]:
        """The decisions for documents that reached deduplication."""
        why = self.matcher.reasons(documents["doc_id"], documents["url"])
        for reason, wanted in ((SAME_TEXT, self.texts), (NEAR, self.near)):
            why[(why < 0) & is_among(content_hashes, wanted)] = WHY.index(reason)
        return why


def read_again(run: Run, unit: int) -> None:
    """Writes what ``read_and_judge`` writes, without the documents that are taken down; the report lists the entries of
    the selection that matched a document.

    If any document is taken down, only the place and the error of quarantined records are kept: a broken record may
    hold the text of a document that is taken down.
    """
    assert run.taken_from is not None
    receive_files(run.folder, run.job.recipe.carried_files(), run.local)
    down = _TakenDown(run)
    release, number = run.taken_from, unit - run.first
    ledger = Ledger()
    silent = run.folder.read_json(SELECTED, SelectedReport).documents > 0
    with ExitStack() as open_files:
        shards = Shards(run, number, open_files)
        for _, batch in row_groups(release.folder, shard_name("quarantine", number), QUARANTINE.columns.names):
            ledger.quarantine(batch)
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            if silent:
                columns["record"] = pa.repeat(pa.scalar(b"", pa.large_binary()), len(batch))
                columns["message"] = pa.repeat(NOT_KEPT, len(batch))
            shards.quarantine.write(QUARANTINE.batch(columns, len(batch)))
        taken = [_reread_rejects(release, number, "rejects/filters", down.of_rejects, shards.rejects, ledger)]
        if shards.site_rejects is not None:
            taken.append(
                _reread_rejects(release, number, SITE_REJECTS, down.of_site_rejects, shards.site_rejects, ledger)
            )
        if shards.sites is not None:
            _reread_sites(release, number, down, shards.sites)
        taken.append(_reread_passed(run, unit, down, shards, ledger))
        if shards.signals is not None:
            _reread_signals(release, number, pa.concat_tables([places for places, _ in taken]), shards)
    report = JudgedReport(
        ledger=ledger.report(),
        outputs=shards.entries(),
        found={reason: tuple(sorted(found)) for reason, found in down.matcher.found.items()},
        taken=sum(counts.total() for _, counts in taken),
        reasons=sum((counts for _, counts in taken), Counter[str]()),
    )
    run.folder.write_json(judged_name(number), report)


Taken = tuple[pa.Table, Counter[str]]
"""The places of the documents that are taken down, and their number by reason."""


def _reread_rejects(
    release: Release,
    number: int,
    table: str,
    decide: Callable[[pa.RecordBatch], npt.NDArray[np.int64]],
    shard: ShardWriter,
    ledger: Ledger,
) -> Taken:
    """Copies the rejects of filters or of removed sites, without the content of documents that are taken down."""
    taken, counts = [_no_places()], Counter[str]()
    for _, batch in row_groups(release.folder, shard_name(table, number), REJECTS.columns.names):
        there = np.array(batch["stage"].to_pylist()) != STAGE
        why = np.full(len(batch), -1)
        why[there] = decide(batch.filter(pa.array(there)))
        if (why >= 0).any():
            taken.append(_places(batch, why >= 0))
            counts.update(_reasons(why))
            batch = _clear_taken_down(batch, why)
        shard.write(batch.cast(REJECTS.schema))
        _count(ledger, batch)
        ledger.count("rejected", [batch[name] for name in ("source", "stage", "reason")], *_amounts(batch))
    return pa.concat_tables(taken), counts


def _reread_passed(run: Run, unit: int, down: _TakenDown, shards: Shards, ledger: Ledger) -> Taken:
    """Copies the documents that reached deduplication, kept or not, in their order, without those taken down."""
    assert run.taken_from is not None
    release, number = run.taken_from, unit - run.first
    before = rows_at(sketched_places(release, number), duplicate_places(release.folder, number))
    kept = ShardReader(release, shard_name("documents", number), JUDGED.columns)
    lost = ShardReader(release, shard_name("rejects/duplicates", number), JUDGED.columns)
    cuts = Cuts(release, number) if run.job.recipe.dedup.pieces else None
    taken, counts, left = [_no_places()], Counter[str](), 0
    gone: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    for start, group in row_groups(release.folder, shard_name("sketches", number), SKETCHES.columns.names):
        for low in range(0, len(group), ROWS_AT_ONCE):
            sketches = group.slice(low, ROWS_AT_ONCE)
            was_lost = np.isin(np.arange(start + low, start + low + len(sketches)), before)
            documents = merge(kept, lost, was_lost)
            if cuts is not None:
                documents = cuts.restore(documents, start + low, was_lost)
            if not all(documents[name].equals(sketches[name]) for name in PLACE):
                raise UserError(
                    f"the shards {number:05d} of {release.folder.root} do not belong together: restore the "
                    "original folder"
                )
            passed = pa.RecordBatch.from_arrays(
                [*documents.columns, sketches["read_bytes"], sketches["words"]], schema=PASSED
            )
            _count(ledger, passed)
            why = down.of_documents(passed, sketches["content_hash"])
            goes = why >= 0
            if goes.any():
                taken.append(_places(passed, goes))
                counts.update(_reasons(why))
                write_taken_down(passed.filter(pa.array(goes)), _reasons(why), shards, ledger)
                passed, sketches = passed.filter(pa.array(~goes)), sketches.filter(pa.array(~goes))
            gone.append(np.flatnonzero(was_lost[~goes]) + left)
            left += len(passed)
            if len(passed):
                shards.sketches.write(sketches.cast(SKETCHES.schema))
                shards.passed.write_batch(passed)
    write_gone(run, unit, np.concatenate(gone))
    return pa.concat_tables(taken), counts


def _reread_sites(release: Release, number: int, down: _TakenDown, shard: ShardWriter) -> None:
    """Copies the evidence on sites, without hosts that are taken down."""
    for _, batch in row_groups(release.folder, shard_name(SITES.name, number), shard.schema.names):
        left = [not down.matcher.has_host(host) for host in batch["host"].to_pylist()]
        shard.write(batch.filter(pa.array(left)).cast(shard.schema))


def _reasons(why: npt.NDArray[np.int64]) -> list[str]:
    return [WHY[place] for place in why.tolist() if place >= 0]


def _reread_signals(release: Release, number: int, taken: pa.Table, shards: Shards) -> None:
    """Copies the signals of the documents that are not taken down."""
    assert shards.signals is not None
    schema = shards.signals.schema
    for _, batch in row_groups(release.folder, shard_name("signals", number), schema.names):
        left = np.ones(len(batch), bool)
        left[rows_at(pa.Table.from_batches([batch.select(PLACE)]), taken)] = False
        shards.signals.write(batch.filter(pa.array(left)).cast(schema))


def _clear_taken_down(batch: pa.RecordBatch, why: npt.NDArray[np.int64]) -> pa.RecordBatch:
    """The REJECTS rows in their order, those that are taken down (``why`` not -1) without their content."""
    goes = why >= 0
    rows = taken_down_rows(batch.filter(pa.array(goes)), _reasons(why))
    order = np.arange(len(batch))
    order[goes] = len(batch) + np.arange(len(rows))
    both = pa.Table.from_batches([batch.cast(REJECTS.schema), rows])
    return both.take(pa.array(order)).combine_chunks().to_batches()[0]


def _places(batch: pa.RecordBatch, chosen: npt.NDArray[np.bool_]) -> pa.Table:
    return pa.Table.from_batches([batch.select(PLACE).filter(pa.array(chosen))]).cast(_no_places().schema)


def _no_places() -> pa.Table:
    return pa.schema([JUDGED.columns.field(name) for name in PLACE]).empty_table()


def _count(ledger: Ledger, rows: pa.RecordBatch) -> None:
    ledger.count("read", rows["source"], *_amounts(rows))


def _amounts(rows: pa.RecordBatch) -> Sequence[npt.NDArray[np.int64]]:
    return [rows["read_bytes"].to_numpy(), rows["words"].to_numpy()]
