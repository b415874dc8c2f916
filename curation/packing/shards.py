"""Shards of packed rows: Arrow files that can be memory-mapped, each but the last with the same number of rows."""

from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path

import pyarrow as pa

from curation.folder import Digest
from curation.packing.rows import Rows
from schemas.packed import BATCH
from schemas.table import Table

SHARD_BYTES = 64 << 20
"""Of tokens, about: small enough to copy and to check, large enough to read at random."""

Files = dict[str, dict[str, int | str]]


def shard_batches(length: int, token_bytes: int) -> int:
    """Record batches of a shard, at least one.

    >>> shard_batches(4096, 2), shard_batches(1 << 20, 4)
    (32, 1)
    """
    return max(1, SHARD_BYTES // (BATCH * length * token_bytes))


def write_shards(folder: Path, table: Table, rows: Iterable[Rows], batches: int) -> Files:
    """Writes ``shards/00000.arrow`` and so on, of so many record batches; returns what the manifest says of them."""
    (folder / "shards").mkdir()
    files: Files = {}
    left = iter(rows)
    for number, first in enumerate(left):
        name, count = f"shards/{number:05}.arrow", 0
        with (folder / name).open("wb") as file:
            stream = Digest(file)
            with pa.ipc.new_file(stream, table.schema) as writer:
                for each in chain([first], islice(left, batches - 1)):
                    writer.write_batch(each.batch)
                    count += len(each.batch)
        files[name] = {"rows": count, "bytes": stream.size, "sha256": stream.sha256}
    return files
