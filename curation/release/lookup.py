"""Looks up documents of a finished folder: kept ones, and removed ones with the document kept in their place."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from curation.kernels.cuts import restore_parts
from curation.recipe import Recipe
from curation.recipes.tables import recipe_of
from curation.release.folder import Folder
from curation.release.manifest import check_digests, check_sizes, read_finished
from schemas.errors import UserError
from schemas.manifest import MANIFEST

FROM = "__filename"
"""The column of an Arrow dataset that names the file of each row."""


class Lookup:
    """The rows of the tables in the finished folder ``root``; ``manifest`` and ``recipe`` are those of its run.

    Raises UserError if the folder is not finished, or if one of its files does not have the size in the manifest.
    """

    def __init__(self, root: str):
        self.folder = Folder(root)
        self.folder.check_name()
        self.manifest, _ = read_finished(self.folder)
        self.files = self.manifest.files
        check_sizes(self.folder, self.files.values())
        self.recipe: Recipe = recipe_of(self.manifest.recipe, f"{root}/{MANIFEST}")
        self._checked: set[str] = set()

    def rows(self, table: str, wanted: pc.Expression | None, columns: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Rows of a table, with all columns or some.

        Checks the CRC-32 of every page that is read, and the SHA-256 of each file that holds one of the rows. Raises
        UserError for a damaged file.
        """
        with self._table_errors(table):
            dataset = self._open(table)
            if dataset is None:
                return []
            chosen = [*(columns or dataset.schema.names), FROM]
            found = dataset.to_table(columns=chosen, filter=wanted).to_pylist()
        shards = {self.folder.path(name): each for name, each in self.files.items()}
        held = {shards[row.pop(FROM)].name for row in found} - self._checked
        check_digests(self.folder, [self.files[name] for name in sorted(held)])
        self._checked |= held
        return found  # type: ignore[no-any-return]

    def dataset(self, table: str) -> ds.Dataset:
        """A table as an Arrow dataset, without rows and columns if the run wrote no such table. Raises UserError if the
        first file of the table cannot be read."""
        with self._table_errors(table):
            return self._open(table) or ds.dataset(pa.table({}))

    def _open(self, table: str) -> ds.Dataset | None:
        shards = [self.folder.path(name) for name in self.files if name.startswith(f"{table}/")]
        if not shards:
            return None
        kind = ds.ParquetFileFormat(page_checksum_verification=True)
        return ds.dataset(shards, format=kind, filesystem=self.folder.filesystem()[0])

    @contextmanager
    def _table_errors(self, table: str) -> Iterator[None]:
        root = self.folder.root
        try:
            yield
        except (pa.ArrowInvalid, OSError) as error:
            raise UserError(
                f"{root}/{table} cannot be read ({error}): `gristmill verify {root}` says which file is damaged"
            ) from error

    def find(self, doc_id: str) -> list[dict[str, Any]]:
        """Every document with an id, kept, removed or superseded, in the order in which they were read."""
        wanted = pc.field("doc_id") == doc_id
        rows = [row for table in ("documents", "rejects", "superseded") for row in self.rows(table, wanted)]
        return sorted(rows, key=lambda row: (row["file"], row["offset"]))

    def reasons(self) -> list[str]:
        """The reasons for which documents were removed, sorted."""
        return sorted({each.reason for each in self.manifest.ledger.rejected})

    def sample(self, count: int, reason: str | None) -> list[dict[str, Any]]:
        """Up to ``count`` removed documents, spread evenly over the corpus, the same ones each time."""
        wanted = None if reason is None else pc.field("reason") == reason
        places = self.rows("rejects", wanted, ["file", "offset"])
        count = min(count, len(places))
        chosen = [places[len(places) * i // count] for i in range(count)]
        rows = [self.at("rejects", place["file"], place["offset"]) for place in chosen]
        return [row for row in rows if row]

    def at(self, table: str, file: str, offset: int) -> dict[str, Any] | None:
        """The row of the document at a place; None if the table has no such row."""
        found = self.rows(table, (pc.field("file") == file) & (pc.field("offset") == offset))
        return found[0] if found else None

    def removed_for(self, file: str, offset: int) -> list[dict[str, Any]]:
        """The duplicates removed in favour of the document at a place, in the order in which they were read."""
        wanted = (pc.field("survivor_file") == file) & (pc.field("survivor_offset") == offset)
        wanted &= pc.field("survivor_release").is_null()  # files of two crawls may have the same name
        rows = self.rows("rejects", wanted, ["doc_id", "file", "offset", "stage"])
        return sorted(rows, key=lambda row: (row["file"], row["offset"]))

    def cuts(self, file: str, offset: int) -> list[dict[str, Any]]:
        """What was cut out of the document at a place (CUTS), in the order of the text."""
        rows = self.rows("cuts", (pc.field("file") == file) & (pc.field("offset") == offset))
        return sorted(rows, key=lambda row: row["start"])

    def text(self, file: str, offset: int) -> str | None:
        """The text of the document at a place, kept or rejected, before pieces were cut out of it; None if neither
        table has it."""
        row = self.at("documents", file, offset)
        if row is None:
            row = self.at("rejects", file, offset)
            return None if row is None else row["text"]
        cuts = self.cuts(file, offset)
        start = np.array([cut["start"] for cut in cuts], np.int64)
        parts = pa.array([cut["text"] for cut in cuts], pa.large_string())
        whole = restore_parts(pa.array([row["text"]], pa.large_string()), np.zeros_like(start), start, parts)
        return whole[0].as_py()  # type: ignore[no-any-return]
