"""Writes shards of packed rows: memory-mappable Arrow files, all but the last with the same number of rows."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from curation.packing.ledger import PackingLedger
from curation.packing.rows import RowBatch, Rows
from curation.release.folder import WORK, Folder
from schemas.checksums import Digest
from schemas.manifest import ShardEntry
from schemas.packed import BATCH
from schemas.progress import Tell
from schemas.table import Table

SHARD_BYTES = 64 << 20
"""About how many bytes of tokens a shard has: small enough to copy and check, large enough for random access."""


def shard_batches(length: int, token_bytes: int) -> int:
    """The number of record batches in a shard, at least 1.

    >>> shard_batches(4096, 2), shard_batches(1 << 20, 4)
    (32, 1)
    """
    return max(1, SHARD_BYTES // (BATCH * length * token_bytes))


def write_shards(folder: Folder, plan: Rows, ledger: PackingLedger, batches: int, tell: Tell) -> dict[str, ShardEntry]:
    """Writes ``shards/00000.arrow`` and so on, of ``batches`` record batches each; returns the manifest's entries.

    A shard that an interrupted run has finished is kept. ``tell`` is called with the number of rows that are done and
    the number of all rows.
    """
    files: dict[str, ShardEntry] = {}
    rows = batches * BATCH
    for number, first in enumerate(range(0, plan.rows, rows)):
        stop = min(first + rows, plan.rows)
        name, report = f"shards/{number:05}.arrow", f"{WORK}/shard-{number:05}.json"
        if folder.exists(report):
            files[name] = folder.read_json(report, ShardEntry)
            ledger.count(plan.pieces(first, stop))
        else:
            counted = ledger.count_rows(plan.between(first, stop))
            files[name] = _write(folder, name, plan.table, _report_progress(counted, first, plan.rows, tell))
            folder.write_json(report, files[name])
    return files


def _report_progress(rows: Iterable[RowBatch], done: int, total: int, tell: Tell) -> Iterator[RowBatch]:
    for each in rows:
        yield each
        done += len(each.batch)
        tell(done, total)


def _write(folder: Folder, name: str, table: Table, rows: Iterable[RowBatch]) -> ShardEntry:
    count = 0
    with folder.writing(name, durable=True) as file:
        stream = Digest(file)
        with pa.ipc.new_file(stream, table.schema) as writer:
            for each in rows:
                writer.write_batch(each.batch)
                count += len(each.batch)
    return ShardEntry(stream.sha256, stream.size, count)
