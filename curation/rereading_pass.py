"""The first pass over a unit of a release from which documents are taken down: what it kept and lost is read again."""

from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curation.dedup.released import PLACE, duplicates, keep_gone, rows_at, sketched
from curation.errors import UserError
from curation.finished import TABLES
from curation.folder import WORK
from curation.ledger import Ledger
from curation.reading_pass import PASSED, Shards
from curation.release import Release, check_contents
from curation.run import Run, judged_name
from curation.selection import REASONS, Selection, Taking
from curation.shards import row_groups, shard_name
from schemas import DOCUMENTS, QUARANTINE, REJECTS, SKETCHES

SELECTION = f"{WORK}/selection.json"
STAGE = "takedown"
ROWS_AT_ONCE = 1 << 11
_HELD_BACK = ("text", "url", "date", "metadata", "language", "language_score")
"""What a new release no longer says of a document that was taken down."""


def read_again(run: Run, unit: int) -> None:
    """Leaves what ``read_and_judge`` leaves, without the documents that are taken down; the report says which entries
    of the selection took any."""
    assert run.taken_from is not None
    taking = Taking(Selection.from_json(run.folder.read_json(SELECTION)))
    release, number = run.taken_from, unit - run.first
    check_contents(release, [shard_name(table, number) for table in (*TABLES, "signals")])
    ledger = Ledger()
    with ExitStack() as open_files:
        shards = Shards(run, number, open_files)
        for _, batch in row_groups(release.folder, shard_name("quarantine", number), QUARANTINE.columns.names):
            ledger.quarantine(batch)
            shards.quarantine.write(batch.cast(QUARANTINE.schema))
        taken = [_filtered(release, number, taking, shards, ledger)]
        taken.append(_passed(run, unit, taking, shards, ledger))
        if shards.signals is not None:
            _signals(release, number, pa.concat_tables(taken), shards)
    report = {
        "ledger": ledger.to_json(),
        "outputs": [shard.entry() for shard in shards.written],
        "found": {reason: sorted(found) for reason, found in taking.found.items()},
        "taken": sum(map(len, taken)),
    }
    run.folder.write_json(judged_name(number), report)


def _filtered(release: Release, number: int, taking: Taking, shards: Shards, ledger: Ledger) -> pa.Table:
    """Carries over what the filters removed; gives the places of what is taken down of it."""
    taken = [_nowhere()]
    for _, batch in row_groups(release.folder, shard_name("rejects/filters", number), REJECTS.columns.names):
        there = np.array(batch["stage"].to_pylist()) != STAGE
        still = batch.filter(pa.array(there))
        why = np.full(len(batch), -1)
        why[there] = taking.reasons(still["doc_id"], still["url"])
        if (why >= 0).any():
            taken.append(_places(batch, why >= 0))
            batch = _taken_down(batch, why)
        shards.rejects.write(batch.cast(REJECTS.schema))
        _count(ledger, batch)
        ledger.count("rejected", [batch[name] for name in ("source", "stage", "reason")], *_amounts(batch))
    return pa.concat_tables(taken)


def _passed(run: Run, unit: int, taking: Taking, shards: Shards, ledger: Ledger) -> pa.Table:
    """Brings together what reached deduplication, kept or not, in its order; gives the places of what is taken down."""
    assert run.taken_from is not None
    release, number = run.taken_from, unit - run.first
    before = rows_at(sketched(release, number), duplicates(release, number))
    kept = _Rows(release, shard_name("documents", number))
    lost = _Rows(release, shard_name("rejects/duplicates", number))
    taken, left = [_nowhere()], 0
    gone: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    for start, group in row_groups(release.folder, shard_name("sketches", number), SKETCHES.columns.names):
        for low in range(0, len(group), ROWS_AT_ONCE):
            sketches = group.slice(low, ROWS_AT_ONCE)
            was_lost = np.isin(np.arange(start + low, start + low + len(sketches)), before)
            documents = _merged(kept, lost, was_lost)
            if not all(documents[name].equals(sketches[name]) for name in PLACE):
                raise UserError(
                    f"the shards {number:05d} of {release.folder.root} do not belong together: its files were changed"
                )
            passed = pa.RecordBatch.from_arrays(
                [*documents.columns, sketches["read_bytes"], sketches["words"]], schema=PASSED
            )
            _count(ledger, passed)
            why = taking.reasons(passed["doc_id"], passed["url"])
            down = why >= 0
            if down.any():
                rows = passed.filter(pa.array(down))
                taken.append(_places(passed, down))
                rejects = REJECTS.batch(_stripped(rows, why[down]), len(rows))
                shards.rejects.write(rejects)
                ledger.count("rejected", [rejects[name] for name in ("source", "stage", "reason")], *_amounts(rejects))
                passed, sketches = passed.filter(pa.array(~down)), sketches.filter(pa.array(~down))
            gone.append(np.flatnonzero(was_lost[~down]) + left)
            left += len(passed)
            if len(passed):
                shards.sketches.write(sketches.cast(SKETCHES.schema))
                shards.passed.write_batch(passed)
    keep_gone(run, unit, np.concatenate(gone))
    return pa.concat_tables(taken)


def _signals(release: Release, number: int, taken: pa.Table, shards: Shards) -> None:
    """Carries over what was measured on the documents that are left."""
    assert shards.signals is not None
    schema = shards.signals.schema
    for _, batch in row_groups(release.folder, shard_name("signals", number), schema.names):
        left = np.ones(len(batch), bool)
        left[rows_at(pa.Table.from_batches([batch.select(PLACE)]), taken)] = False
        shards.signals.write(batch.filter(pa.array(left)).cast(schema))


class _Rows:
    """The documents of a shard in their order, some at a time."""

    def __init__(self, release: Release, name: str):
        self._groups = row_groups(release.folder, name, DOCUMENTS.columns.names)
        self._held = DOCUMENTS.columns.empty_table()

    def take(self, count: int) -> pa.Table:
        while len(self._held) < count:
            _, batch = next(self._groups, (0, None))
            if batch is None:
                break
            batch = batch.cast(DOCUMENTS.columns)
            self._held = pa.concat_tables([self._held, pa.Table.from_batches([batch])])
        found, self._held = self._held.slice(0, count), self._held.slice(count)
        return found


def _merged(kept: _Rows, lost: _Rows, was_lost: npt.NDArray[np.bool_]) -> pa.RecordBatch:
    """The next documents of both, each where it stood; fewer where a shard has ended."""
    count = int(was_lost.sum())
    both = pa.concat_tables([kept.take(len(was_lost) - count), lost.take(count)])
    order = np.argsort(np.argsort(was_lost, kind="stable"), kind="stable")
    merged = both.take(pa.array(order[order < len(both)])).combine_chunks().to_batches()
    return merged[0] if merged else pa.RecordBatch.from_pylist([], DOCUMENTS.columns)


def _taken_down(batch: pa.RecordBatch, why: npt.NDArray[np.int64]) -> pa.RecordBatch:
    """REJECTS rows, those that are taken down (``why`` not -1) without what they said, each where it stood."""
    down = why >= 0
    rows = REJECTS.batch(_stripped(batch.filter(pa.array(down)), why[down]), int(down.sum()))
    order = np.arange(len(batch))
    order[down] = len(batch) + np.arange(len(rows))
    both = pa.Table.from_batches([batch.cast(REJECTS.schema), rows])
    return both.take(pa.array(order)).combine_chunks().to_batches()[0]


def _stripped(rows: pa.RecordBatch, why: npt.NDArray[np.int64]) -> dict[str, object]:
    """The columns of REJECTS for documents that are taken down."""
    columns: dict[str, object] = {
        name: rows[name] for name in PASSED.names if name in rows.schema.names and name not in _HELD_BACK
    }
    columns["metadata"] = pa.repeat("", len(rows))
    columns["stage"] = pa.repeat(STAGE, len(rows))
    columns["reason"] = pa.array(REASONS, pa.string()).take(pa.array(why))
    columns["failed"] = pa.array([[]] * len(rows), REJECTS.columns.field("failed").type)
    return columns


def _places(batch: pa.RecordBatch, chosen: npt.NDArray[np.bool_]) -> pa.Table:
    return pa.Table.from_batches([batch.select(PLACE).filter(pa.array(chosen))]).cast(_nowhere().schema)


def _nowhere() -> pa.Table:
    return pa.schema([DOCUMENTS.columns.field(name) for name in PLACE]).empty_table()


def _count(ledger: Ledger, rows: pa.RecordBatch) -> None:
    ledger.count("read", rows["source"], *_amounts(rows))


def _amounts(rows: pa.RecordBatch) -> Sequence[npt.NDArray[np.int64]]:
    return [rows["read_bytes"].to_numpy(), rows["words"].to_numpy()]
