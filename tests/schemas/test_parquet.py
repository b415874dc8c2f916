"""Parquet files of Python streams."""

import io
import threading

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.parquet import open_parquet


class Watched(io.BytesIO):
    """A stream that notes which threads read it."""

    def __init__(self, content: bytes):
        super().__init__(content)
        self.readers = set[int]()

    def read(self, size: int | None = -1, /) -> bytes:
        self.readers.add(threading.get_ident())
        return super().read(size)


def test_no_other_thread_reads_a_stream() -> None:
    """A thread of Arrow's that still holds bytes of a stream at the end of the process aborts it."""
    table = pa.table({"text": ["flour"] * 1_000, "words": range(1_000)})
    content = io.BytesIO()
    pq.write_table(table, content, row_group_size=100)
    stream = Watched(content.getvalue())
    assert open_parquet(stream).read_row_group(3, use_threads=False) == table.slice(300, 100)
    assert stream.readers == {threading.get_ident()}
