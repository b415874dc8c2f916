"""The dataset's folder: it appears whole, or not at all."""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas import folders
from schemas.checksums import sha256_of_file
from schemas.manifest import Entry
from schemas.records import to_json

ROWS = 8192
"""Rows of a record batch of Arrow files; a row group of Parquet holds eight times as many."""


class Writer:
    """Writes files into a folder that does not have its name yet, and notes what they hold."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.files: dict[str, Entry] = {}

    def table(self, name: str, rows: pa.Table) -> None:
        """``NAME.arrow``, an IPC file that can be memory-mapped, and ``NAME.parquet`` with the same rows."""
        (self.folder / name).parent.mkdir(exist_ok=True)
        rows = rows.combine_chunks()  # so that batches begin at the same rows, however the table came about
        with ThreadPoolExecutor(2) as threads:
            written = threads.map(lambda write: write(self.folder / name, rows), (_arrow, _parquet))
            self.files |= {path.relative_to(self.folder).as_posix(): about for path, about in written}

    def text(self, name: str, content: str) -> None:
        whole = content.encode()
        (self.folder / name).write_bytes(whole)
        self.files[name] = Entry(hashlib.sha256(whole).hexdigest())

    def note(self, name: str) -> None:
        """A file that somebody else wrote into the folder."""
        self.files[name] = Entry(sha256_of_file(self.folder / name))

    def json(self, name: str, value: object) -> None:
        """A record in a file that is not noted: it is written last, and holds the notes of the others."""
        content = json.dumps(to_json(value), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        (self.folder / name).write_text(content, encoding="utf-8")


def _arrow(stem: Path, rows: pa.Table) -> tuple[Path, Entry]:
    path = stem.with_name(f"{stem.name}.arrow")
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows, max_chunksize=ROWS)
    return _note(path, rows)


def _parquet(stem: Path, rows: pa.Table) -> tuple[Path, Entry]:
    path = stem.with_name(f"{stem.name}.parquet")
    with pq.ParquetWriter(path, rows.schema, compression="zstd") as writer:
        if len(rows):  # `datasets` cannot read a row group without rows
            writer.write_table(rows, row_group_size=8 * ROWS)
    return _note(path, rows)


def _note(path: Path, rows: pa.Table) -> tuple[Path, Entry]:
    return path, Entry(sha256_of_file(path), rows=len(rows))


@contextmanager
def new_folder(folder: Path) -> Iterator[Writer]:
    """A writer of a folder that takes its name when the block ends without an error.

    Raises UserError when there is something by that name other than an empty folder, or none can be made there;
    RunError when it cannot be written, as on a full disk.
    """
    with folders.new_folder(folder, "dataset") as unfinished:
        yield Writer(unfinished)
