"""Writes the folder of a dataset, which appears complete or not at all."""

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
"""Rows per record batch of an Arrow file; a Parquet row group has eight times as many."""


class Writer:
    """Writes files into an unfinished folder, and records their checksums and rows for the manifest."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.files: dict[str, Entry] = {}

    def table(self, name: str, rows: pa.Table) -> None:
        """Writes ``NAME.arrow``, an IPC file to memory-map, and ``NAME.parquet`` with the same rows."""
        (self.folder / name).parent.mkdir(exist_ok=True)
        rows = rows.combine_chunks()  # so that batch boundaries do not depend on the table's chunks
        with ThreadPoolExecutor(2) as threads:
            written = threads.map(lambda write: write(self.folder / name, rows), (_arrow, _parquet))
            self.files |= {path.relative_to(self.folder).as_posix(): about for path, about in written}

    def parquet(self, name: str, rows: pa.Table) -> None:
        """Writes ``NAME.parquet`` alone."""
        path, about = _parquet(self.folder / name, rows.combine_chunks())
        self.files[path.relative_to(self.folder).as_posix()] = about

    def text(self, name: str, content: str) -> None:
        whole = content.encode()
        (self.folder / name).write_bytes(whole)
        self.files[name] = Entry(hashlib.sha256(whole).hexdigest())

    def note(self, name: str) -> None:
        """Records a file that other code wrote into the folder."""
        self.files[name] = Entry(sha256_of_file(self.folder / name))

    def json(self, name: str, value: object) -> None:
        """Writes a record as JSON without recording the file: this is the manifest, which lists all other files."""
        content = json.dumps(to_json(value), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        (self.folder / name).write_text(content, encoding="utf-8")


def _arrow(stem: Path, rows: pa.Table) -> tuple[Path, Entry]:
    path = stem.with_name(f"{stem.name}.arrow")
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows, max_chunksize=ROWS)
    return _note(path, rows)


def _parquet(stem: Path, rows: pa.Table) -> tuple[Path, Entry]:
    path = stem.with_name(f"{stem.name}.parquet")
    # Arrow opens no path that is not UTF-8
    with path.open("wb") as stream, pq.ParquetWriter(stream, rows.schema, compression="zstd") as writer:
        if len(rows):  # `datasets` cannot read a row group without rows
            writer.write_table(rows, row_group_size=8 * ROWS)
    return _note(path, rows)


def _note(path: Path, rows: pa.Table) -> tuple[Path, Entry]:
    return path, Entry(sha256_of_file(path), rows=len(rows))


@contextmanager
def new_folder(folder: Path, kind: str = "dataset") -> Iterator[Writer]:
    """A writer for a folder that gets its name when the block ends without an error. ``kind`` is the word for a
    finished folder in messages.

    Raises UserError if the name is taken by anything but an empty folder, or no folder can be created there; RunError
    if the folder cannot be written, for example on a full disk.
    """
    with folders.new_folder(folder, kind) as unfinished:
        yield Writer(unfinished)
