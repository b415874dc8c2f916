"""Shards of packed rows: Arrow files that can be memory-mapped, each but the last with the same number of rows."""

from collections.abc import Iterable, Iterator

import pyarrow as pa

from curation.packing.ledger import Ledger
from curation.packing.rows import Cutting, Rows
from curation.release.folder import WORK, Folder
from schemas.checksums import Digest
from schemas.manifest import ShardEntry
from schemas.packed import BATCH
from schemas.progress import Tell
from schemas.table import Table

SHARD_BYTES = 64 << 20
"""Of tokens, about: small enough to copy and to check, large enough to read at random."""


def shard_batches(length: int, token_bytes: int) -> int:
    """Record batches of a shard, at least one.

    >>> shard_batches(4096, 2), shard_batches(1 << 20, 4)
    (32, 1)
    """
    return max(1, SHARD_BYTES // (BATCH * length * token_bytes))


def write_shards(folder: Folder, cutting: Cutting, ledger: Ledger, batches: int, tell: Tell) -> dict[str, ShardEntry]:
    """Writes ``shards/00000.arrow`` and so on, of so many record batches; returns what the manifest says of them.

    A shard that an interrupted run has finished stays as it is. ``tell`` is called with the rows that are done
    and how many there are.
    """
    files: dict[str, ShardEntry] = {}
    rows = batches * BATCH
    for number, first in enumerate(range(0, cutting.rows, rows)):
        stop = min(first + rows, cutting.rows)
        name, report = f"shards/{number:05}.arrow", f"{WORK}/shard-{number:05}.json"
        if folder.exists(report):
            files[name] = folder.read_json(report, ShardEntry)
            ledger.count(cutting.begun(first, stop), (stop - first) * cutting.length)
        else:
            passing = ledger.passing(cutting.between(first, stop))
            files[name] = _write(folder, name, cutting.table, _reported(passing, first, cutting.rows, tell))
            folder.write_json(report, files[name])
    return files


def _reported(rows: Iterable[Rows], done: int, total: int, tell: Tell) -> Iterator[Rows]:
    for each in rows:
        yield each
        done += len(each.batch)
        tell(done, total)


def _write(folder: Folder, name: str, table: Table, rows: Iterable[Rows]) -> ShardEntry:
    count = 0
    with folder.writing(name, durable=True) as file:
        stream = Digest(file)
        with pa.ipc.new_file(stream, table.schema) as writer:
            for each in rows:
                writer.write_batch(each.batch)
                count += len(each.batch)
    return ShardEntry(stream.sha256, stream.size, count)
