"""Reads corpora for packing: Parquet files of texts, from `gristmill curate` or from elsewhere, in batches."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from curation.release.folder import WORK, Folder
from curation.release.manifest import check_digests, check_sizes, read_manifest
from curation.sources.places import remote_version
from schemas import DOCUMENTS, SIGNALS
from schemas.errors import UserError
from schemas.manifest import NamedEntry
from schemas.parquet import open_parquet

BATCH_BYTES = 1 << 20
"""A batch ends when its texts hold this many bytes. A thread encodes one batch at a time."""

_ROWS = 1024
"""How many rows of Parquet are decoded together."""

_PLACE = ("file", "offset")
"""The columns of documents and signals that say where in the input a document was read."""

Place = tuple[int, int]
"""A position in a corpus: the number of a file, and the number of a row in the file."""


class Part(NamedTuple):
    """The row groups of a file of a corpus from ``first`` up to ``stop``."""

    name: str
    first: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of the texts and their ids, and of the values by which a mixture weights documents, if it does. In a
    corpus without the id column, the id of a document is the hash of its text. The values are numbers in ``documents/``
    or, in a folder that `gristmill curate` wrote, in ``signals/``."""

    text: str = "text"
    doc_id: str = "doc_id"
    value: str | None = None


@dataclass(frozen=True, kw_only=True)
class Documents:
    """Consecutive documents of a corpus. Ids should be unique in a source, but equal ids do no harm. ``place`` is the
    position of the next document in the corpus; ``values``, of shape (n,), are those of the column ``value``, NaN for
    a document without a value, and None without such a column."""

    sources: list[str]
    doc_ids: list[str]
    texts: list[str]
    place: Place = (0, 0)
    values: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, kw_only=True)
class ParquetCorpus:
    """A folder that `gristmill curate` wrote, or a file or folder of Parquet; ``path`` is any path that fsspec opens.

    ``name`` is the source of its documents; by default the column ``source`` gives it, or else the folder's name.
    """

    path: str
    name: str | None = None
    columns: Columns = Columns()

    def files(self) -> list[str]:
        """The names of the Parquet files, relative to the folder, sorted.

        Raises UserError for a path without Parquet, for an unfinished run, and for the output of another command.
        """
        return self._list_files()[0]

    def rows(self) -> int:
        """The number of documents, from the files' footers."""
        rows = 0
        for name in self.files():
            with self._open_parquet(name) as file:
                rows += file.metadata.num_rows
        return rows

    def versions(self) -> dict[str, list[Any]]:
        """The files by path, each with its size and an identifier of its version."""
        folder, _ = self._place()
        files, found = folder.filesystem()[0], {}
        for name in [*self.files(), *self._signal_files()]:
            info = files.info(folder.path(name))
            found[self._full_path(name)] = [info["size"], remote_version(info)]
        return found

    def documents(self, start: Place = (0, 0)) -> Iterator[Documents]:
        """The documents from a position on, in the order of the files. A null text counts as an empty text.

        Raises UserError for a file that is damaged or does not have the column of texts. In a folder that
        `gristmill curate` wrote, checks the SHA-256 of each file before reading it.
        """
        names, entries = self._list_files()
        first, skipped = start
        for number, name in enumerate(names[first:], first):
            if name in entries:
                check_digests(self._place()[0], [entries[name]])
            with self._open_parquet(name) as file:
                self._check(name, file.schema_arrow)
                yield from self._rows(name, file, number, skipped if number == first else 0)

    def parts(self, size: int) -> list[Part]:
        """The parts of the files, of about ``size`` stored bytes each."""
        found = []
        for name in self.files():
            with self._open_parquet(name) as file:
                self._check(name, file.schema_arrow)
                sizes = [file.metadata.row_group(group).total_byte_size for group in range(file.num_row_groups)]
            numbers = (np.cumsum(sizes) - 1) // size
            starts = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist()] if sizes else []
            found += [Part(name, first, stop) for first, stop in pairwise([*starts, len(sizes)])]
        return found

    def batches(self, part: Part) -> Iterator[pa.RecordBatch]:
        """The documents of a part as batches of about BATCH_BYTES: ``doc_id``, ``source`` and ``text``, without nulls.
        Raises UserError as `documents` does."""
        entries = self._list_files()[1]
        if part.first == 0 and part.name in entries:
            check_digests(self._place()[0], [entries[part.name]])
        with self._open_parquet(part.name) as file:
            self._check(part.name, file.schema_arrow)
            for batch in file.iter_batches(
                _ROWS, row_groups=range(part.first, part.stop), columns=self._wanted(file), use_threads=False
            ):
                texts = batch[self.columns.text].cast(pa.large_string()).fill_null("")
                for start, stop in _cuts(texts):
                    some, held = batch.slice(start, stop - start), texts.slice(start, stop - start)
                    ids = pa.array(self._ids(some, held), pa.string())
                    sources = pa.array(self._sources(some), pa.string())
                    yield pa.RecordBatch.from_arrays([ids, sources, held], names=["doc_id", "source", "text"])

    def _wanted(self, file: Any) -> list[str]:
        return [self.columns.text, *sorted({self.columns.doc_id, "source"} & set(file.schema_arrow.names))]

    def _ids(self, batch: pa.RecordBatch, texts: pa.LargeStringArray) -> list[str]:
        """The ids of documents; of a document without one, the hash of its text."""
        found = _strings(batch, self.columns.doc_id)
        return [
            xxhash.xxh3_128_hexdigest(texts[place].as_py().encode()) if each is None else each
            for place, each in enumerate(found)
        ]

    def _rows(self, name: str, file: Any, number: int, skipped: int) -> Iterator[Documents]:
        """The documents of a file after the first ``skipped`` rows."""
        values = self._values(name, file)
        ends = np.cumsum([file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)])
        groups = np.flatnonzero(ends > skipped).tolist()
        done = int(ends[groups[0] - 1]) if groups and groups[0] else 0
        for batch in file.iter_batches(_ROWS, row_groups=groups, columns=self._wanted(file), use_threads=False):
            new = batch.slice(max(0, skipped - done))
            done += len(batch)
            if len(new):
                held = None if values is None else values[done - len(new) : done]
                yield from self._divide(new, number, done - len(new), held)

    def _place(self) -> tuple[Folder, str | None]:
        """The folder of the corpus, and the name of the file in it if the corpus is a single file."""
        files, root = Folder(self.path).filesystem()
        if not files.exists(root):
            raise UserError(f"there is no corpus {self.path}: name a folder that `gristmill curate` wrote, or Parquet")
        if files.isdir(root):
            return Folder(self.path), None
        parent, _, name = self.path.rpartition("/")
        return Folder(parent or ("/" if self.path.startswith("/") else ".")), name

    def _list_files(self) -> tuple[list[str], dict[str, NamedEntry]]:
        """The files, see `files`, and their entries in the manifest, if the folder has one."""
        folder, name = self._place()
        if name is not None:
            return [name], {}
        manifest = read_manifest(folder)
        names, entries = folder.names("**/*.parquet"), {}
        if manifest is not None:
            shards = f"{DOCUMENTS.name}/"
            entries = {name: each for name, each in manifest.files.items() if name.startswith(shards)}
            names = [name for name in names if name.startswith(shards)]
            for name in names:
                if name not in entries:
                    raise UserError(f"{self._full_path(name)} is not in the corpus's manifest: move it elsewhere")
            check_sizes(folder, entries.values())
        elif folder.exists(WORK):
            raise UserError(f"{self.path} is unfinished: run `gristmill curate` to its end first")
        if not names:
            raise UserError(f"{self.path} holds no Parquet: name a folder that `gristmill curate` wrote, or Parquet")
        return names, entries

    def _full_path(self, name: str) -> str:
        return self._place()[0].path(name)

    @contextmanager
    def _open_parquet(self, name: str) -> Iterator[Any]:
        try:
            with self._place()[0].reading(name) as stream:
                yield open_parquet(stream)
        except UnicodeDecodeError as error:
            raise UserError(f"{self._full_path(name)} holds a text that is not UTF-8: write the file again") from error
        except (pa.ArrowInvalid, OSError) as error:
            raise UserError(
                f"{self._full_path(name)} cannot be read as Parquet: copy or write the file again ({error})"
            ) from error

    def _check(self, name: str, schema: pa.Schema) -> None:
        column, chosen = self.columns.text, "name the column of texts as --text-column"
        if column not in schema.names:
            raise UserError(
                f"{self._full_path(name)} has no column {column}: {chosen}, one of {', '.join(schema.names)}"
            )
        kind = schema.field(column).type
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        if kind not in (pa.string(), pa.large_string(), pa.string_view()):
            raise UserError(f"{self._full_path(name)}: column {column} is {kind}, and texts are strings: {chosen}")

    def _signal_files(self) -> list[str]:
        """The files of ``signals/`` if the values may be in them."""
        folder, name = self._place()
        if self.columns.value is None or name is not None or read_manifest(folder) is None:
            return []
        return folder.names(f"{SIGNALS.name}/*.parquet")

    def _values(self, name: str, file: Any) -> npt.NDArray[np.float64] | None:
        """The values of all rows of a file; None without a column of values."""
        column = self.columns.value
        if column is None:
            return None
        if column in file.schema_arrow.names:
            return _numbers(file.read([column])[column], column, self._full_path(name))
        signals = name.replace(f"{DOCUMENTS.name}/", f"{SIGNALS.name}/", 1)
        if signals not in self._signal_files():
            raise UserError(self._no_values(name, file.schema_arrow))
        folder, _ = self._place()
        manifest = read_manifest(folder)
        if manifest is not None:
            check_digests(folder, [manifest.files[signals]])
        with self._open_parquet(signals) as other:
            if column not in other.schema_arrow.names:
                raise UserError(self._no_values(name, file.schema_arrow, other.schema_arrow))
            table = other.read([*_PLACE, column])
        rows = pc.index_in(_keys(file.read(list(_PLACE))), _keys(table))
        return _numbers(table[column].take(rows), column, self._full_path(signals))

    def _no_values(self, name: str, *schemas: pa.Schema) -> str:
        numeric = [
            field.name for schema in schemas for field in schema if _is_number(field.type) and field.name not in _PLACE
        ]
        return (
            f"{self._full_path(name)} has no column {self.columns.value} by which to weight its documents: name one of "
            f"{', '.join(numeric) or 'its columns of numbers (it has none)'} as weights.column"
        )

    def _divide(
        self, batch: pa.RecordBatch, file: int, row: int, values: npt.NDArray[np.float64] | None
    ) -> Iterator[Documents]:
        """Divides a batch, which begins at row ``row`` of a file, into batches of about BATCH_BYTES each."""
        texts = batch[self.columns.text].cast(pa.large_string()).fill_null("")
        for start, stop in _cuts(texts):
            part, held = batch.slice(start, stop - start), texts.slice(start, stop - start)
            yield Documents(
                sources=self._sources(part),
                doc_ids=self._ids(part, held),
                texts=held.to_pylist(),
                place=(file, row + stop),
                values=None if values is None else values[start:stop],
            )

    def _sources(self, batch: pa.RecordBatch) -> list[str]:
        if self.name is not None:
            return [self.name] * len(batch)
        own = PurePath(self.path).name.removesuffix(".parquet") or self.path
        return [own if found is None else found for found in _strings(batch, "source")]


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _numbers(column: pa.ChunkedArray, name: str, path: str) -> npt.NDArray[np.float64]:
    if not _is_number(column.type):
        raise UserError(f"{path}: column {name} is {column.type}, and weights.column takes numbers")
    found: npt.NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy()
    return found


def _keys(places: pa.Table) -> pa.ChunkedArray:
    """A text for each place of a document in the input."""
    return pc.binary_join_element_wise(*(places[name].cast(pa.string()) for name in _PLACE), "\0")


def _cuts(texts: pa.LargeStringArray) -> Iterator[tuple[int, int]]:
    """Divides rows into ranges whose texts have about BATCH_BYTES each."""
    ends = np.cumsum(pc.binary_length(texts).to_numpy(zero_copy_only=False))
    number = np.append(ends // BATCH_BYTES, -1)
    start = 0
    for stop in (np.flatnonzero(number[1:] != number[:-1]) + 1).tolist():
        yield start, stop
        start = stop


def _strings(batch: pa.RecordBatch, column: str) -> list[str | None]:
    if column not in batch.schema.names:
        return [None] * len(batch)
    found: list[str | None] = batch[column].cast(pa.string()).to_pylist()
    return found
