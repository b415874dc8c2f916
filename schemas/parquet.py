"""Opens Parquet files."""

from collections.abc import Sequence
from typing import IO

import pyarrow.parquet as pq


def open_parquet(source: str | IO[bytes], dictionaries: Sequence[str] = ()) -> pq.ParquetFile:
    """The Parquet file of a local path or open stream, whose pages are compared with their checksums. The columns
    ``dictionaries`` are read as dictionaries.

    The caller's thread reads the stream. Arrow would read ahead on threads of its own, which may still hold the
    stream's bytes when the process ends; the end of Python then aborts the process.
    """
    ahead = isinstance(source, str)
    return pq.ParquetFile(source, page_checksum_verification=True, read_dictionary=list(dictionaries), pre_buffer=ahead)
