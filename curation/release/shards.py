"""Parquet shards: zstd, row groups of a bounded size, the same bytes for the same rows."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from curation.release.folder import Folder
from schemas.checksums import Digest
from schemas.errors import RunError
from schemas.manifest import ShardEntry
from schemas.parquet import open_parquet

ROW_GROUP_BYTES = 32 << 20
"""A row group ends when its rows hold this many bytes: small enough for random access, large enough for scans."""

_REPEATED = {"source", "language", "file", "stage", "reason", "error", "survivor_file", "matched_file"}
_RANDOM = {"signature", "content_hash", "url_hash"}


def shard_name(table: str, unit: int) -> str:
    return f"{table}/{unit:05d}.parquet"


class ShardWriter:
    """Writes record batches of one schema to a Parquet file, which appears when the block ends."""

    def __init__(self, folder: Folder, name: str, schema: pa.Schema):
        self.name = name
        self.rows = 0
        self.schema = schema
        self._file: AbstractContextManager[IO[bytes]] = folder.writing(name)
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0

    def __enter__(self) -> "ShardWriter":
        columns = self.schema.names
        self._stream = Digest(self._file.__enter__())
        self._parquet = pq.ParquetWriter(
            self._stream,
            self.schema,
            compression={name: "none" if name in _RANDOM else "zstd" for name in columns} if columns else "zstd",
            compression_level={name: 1 for name in columns if name not in _RANDOM} or None,
            use_dictionary=[name for name in columns if name in _REPEATED],
            write_statistics=[name for name in columns if name not in ("text", "metadata", *_RANDOM)],
            store_schema=True,
            write_page_checksum=True,  # CRC-32 of the page's bytes, which every reader of shards verifies
        )
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        if not len(batch):
            return
        self.rows += len(batch)
        self._held.append(batch)
        self._held_bytes += batch.nbytes
        if self._held_bytes >= ROW_GROUP_BYTES:
            self._flush()

    def entry(self) -> ShardEntry:
        """The manifest's entry for the finished shard."""
        return ShardEntry(self._stream.sha256, self._stream.size, self.rows)

    def _flush(self) -> None:
        if self._held:
            table = pa.Table.from_batches(self._held, self.schema)
            self._parquet.write_table(table, row_group_size=len(table))
            self._held, self._held_bytes = [], 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            try:
                if error is None:
                    self._flush()
                    self._parquet.close()
            finally:
                self._parquet.is_open = False  # after an error Parquet must write nothing more, not even a footer
        except BaseException as fault:
            self._file.__exit__(type(fault), fault, fault.__traceback__)
            raise
        self._file.__exit__(kind, error, trace)


def read_shard(folder: Folder, name: str, columns: Sequence[str]) -> pa.Table:
    """Some columns of a shard. Raises RunError if a page of the shard is damaged."""
    with folder.reading(name) as stream, _shard_errors(folder, name):
        return open_parquet(stream).read(columns=list(columns), use_threads=False)


def shard_columns(folder: Folder, name: str) -> list[str]:
    """The names of the columns of a shard. Raises RunError if the shard is damaged."""
    with folder.reading(name) as stream, _shard_errors(folder, name):
        return list(open_parquet(stream).schema_arrow.names)


def row_groups(
    folder: Folder, name: str, columns: Sequence[str], rows: npt.NDArray[np.int64] | None = None
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Some columns of a shard, a row group at a time, each with the number of its first row. Row groups that hold none
    of the ``rows`` (ascending; None: all) are not read.

    Raises RunError if a page of the shard is damaged.
    """
    start = 0
    with folder.reading(name) as stream:
        with _shard_errors(folder, name):
            file = open_parquet(stream)
        for group in range(file.num_row_groups):
            size = file.metadata.row_group(group).num_rows
            if not size or (rows is not None and np.ptp(np.searchsorted(rows, [start, start + size])) == 0):
                start += size
                continue
            with _shard_errors(folder, name):
                table = file.read_row_group(group, columns=list(columns), use_threads=False).combine_chunks()
            yield start, table.to_batches()[0]
            start += size


@contextmanager
def _shard_errors(folder: Folder, name: str) -> Iterator[None]:
    """Turns errors of Parquet into RunError with the shard's name; errors of the operating system pass unchanged."""
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise RunError(
            f"{folder.root}/{name} is damaged ({error}): restore the original file, or write the folder again"
        ) from error


def read_rows(folder: Folder, name: str, columns: Sequence[str], rows: npt.NDArray[np.int64]) -> pa.Table:
    """Some columns of some rows (ascending) of a shard; only one row group is in memory besides the result."""
    found = []
    for start, batch in row_groups(folder, name, columns, rows):
        low, high = np.searchsorted(rows, [start, start + len(batch)])
        found.append(batch.take(pa.array(rows[low:high] - start)))
    if not found:
        return read_shard(folder, name, columns).slice(0, 0)
    return pa.Table.from_batches(found).combine_chunks()
