"""Rows of a finished corpus, found by DuckDB in the Parquet files, in the order of the files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import Any, Literal

import duckdb
import pyarrow as pa
from duckdb.func import ARROW, SPECIAL

from curation.filters.hosts import hosts_of
from curation.release.lookup import Lookup
from schemas.errors import UserError

MEMORY = "1GB"
"""What all queries together may hold. Nothing is spilled to the disk."""
THREADS = 2
INTERRUPT_SECONDS = 0.05
PAGE_ROWS = 25
FIRST_CHARACTERS = 200

Name = Literal["documents", "rejects"]

_CONDITIONS = {
    "stage": "stage = ?",
    "reason": "reason = ?",
    "source": "source = ?",
    "language": "language = ?",
    "doc_id": "doc_id = ?",
    "host": "ends_with('.' || host_of(url), '.' || ?)",
    "text": "contains(lower(text), lower(?))",
}
"""The SQL of each field of `Wanted` but the table. Values are always parameters, never part of the SQL."""
_SHARDS = "read_parquet(?, filename = true, file_row_number = true, hive_partitioning = false)"
_LISTED = f"doc_id, url, source, language, left(text, {FIRST_CHARACTERS}) AS first, filename, file_row_number"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which rows of a table to show; a field that is None does not restrict them. ``host`` includes its subdomains, and
    ``text`` is contained in the row's text in any case of letters. Only rejects have ``stage`` and ``reason``."""

    table: Name = "documents"
    stage: str | None = None
    reason: str | None = None
    source: str | None = None
    language: str | None = None
    host: str | None = None
    doc_id: str | None = None
    text: str | None = None

    def conditions(self) -> tuple[str, list[str]]:
        """A condition in SQL with parameters, and their values."""
        given = [(sql, value) for name, sql in _CONDITIONS.items() if (value := getattr(self, name)) is not None]
        return " AND ".join(["true", *(sql for sql, _ in given)]), [value for _, value in given]


@dataclass(frozen=True)
class Place:
    """A row of a table: the number of its file, in the order of names, and of the row in the file, both from 0."""

    shard: int
    row: int


START = Place(0, 0)


@dataclass(frozen=True)
class Page:
    """Up to PAGE_ROWS rows with their places, and the place at which the next page starts, if there is one."""

    rows: list[tuple[Place, dict[str, Any]]]
    next: Place | None


class CorpusTables:
    """The documents and rejects of a finished folder ``root`` on this machine, each table as the paths of its files.

    DuckDB can open no other files. Safe to use from several threads.
    """

    def __init__(self, root: str, shards: Mapping[Name, Sequence[str]]):
        self.root = root
        self._change = Condition()
        self._running: list[duckdb.DuckDBPyConnection] = []
        self._shards = {table: list(paths) for table, paths in shards.items()}
        settings: dict[str, str | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "threads": THREADS,
            "temp_directory": "",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        self._database = duckdb.connect(":memory:", config=settings)
        self._database.create_function("host_of", _hosts, ["VARCHAR"], "VARCHAR", type=ARROW, null_handling=SPECIAL)
        self._database.execute("SET allowed_paths = ?", [[path for paths in self._shards.values() for path in paths]])
        self._database.execute("SET enable_external_access = false")
        self._database.execute("SET lock_configuration = true")

    @classmethod
    def of(cls, lookup: Lookup) -> "CorpusTables":
        """The tables of the folder that ``lookup`` reads."""
        names: tuple[Name, ...] = ("documents", "rejects")
        files = sorted(lookup.files)
        shards = {
            table: [lookup.folder.path(name) for name in files if name.startswith(f"{table}/")] for table in names
        }
        return cls(lookup.folder.root, shards)

    def close(self) -> None:
        """Interrupts the queries of other threads, and returns when all have ended."""
        with self._change:
            while self._running:
                for cursor in self._running:
                    cursor.interrupt()
                self._change.wait(INTERRUPT_SECONDS)  # a query that had not begun yet is interrupted the next time
            self._database.close()

    def count(self, wanted: Wanted) -> int:
        """How many rows there are of the wanted ones."""
        shards = self._shards[wanted.table]
        if not shards:
            return 0
        condition, values = wanted.conditions()
        [row] = self._rows(wanted.table, f"SELECT count(*) AS n FROM {_SHARDS} WHERE {condition}", [shards, *values])
        return int(row["n"])

    def page(self, wanted: Wanted, start: Place = START) -> Page:
        """The wanted rows from a place on: doc_id, url, source, language, the first FIRST_CHARACTERS of the text, and
        for rejects stage and reason.

        DuckDB keeps the order of rows in files under LIMIT without a sort, so a search ends with its last row found.
        The columns that are shown, such as the text, are read for the rows found, and no others.
        """
        shards = self._shards[wanted.table][start.shard :]
        if not shards:
            return Page([], None)
        condition, values = wanted.conditions()
        columns = f"{_LISTED}, stage, reason" if wanted.table == "rejects" else _LISTED
        sql = (
            "WITH found AS (SELECT filename AS found_file, file_row_number AS found_row "
            f"FROM {_SHARDS} WHERE (filename <> ? OR file_row_number >= ?) AND {condition} LIMIT {PAGE_ROWS + 1}) "
            f"SELECT {columns} FROM {_SHARDS} JOIN found ON filename = found_file AND file_row_number = found_row"
        )
        found = self._rows(wanted.table, sql, [shards, shards[0], start.row, *values, shards])
        numbers = {path: start.shard + number for number, path in enumerate(shards)}
        rows = [(Place(numbers[row.pop("filename")], row.pop("file_row_number")), row) for row in found]
        rows.sort(key=lambda each: (each[0].shard, each[0].row))
        return Page(rows[:PAGE_ROWS], rows[PAGE_ROWS][0] if len(rows) > PAGE_ROWS else None)

    def row(self, table: Name, place: Place) -> dict[str, Any] | None:
        """All columns of the row at a place; None if there is no such row."""
        shards = self._shards[table][place.shard : place.shard + 1]
        if not shards:
            return None
        sql = f"SELECT * EXCLUDE (filename, file_row_number) FROM {_SHARDS} WHERE file_row_number = ?"
        found = self._rows(table, sql, [shards, place.row])
        return found[0] if found else None

    def _rows(self, table: Name, sql: str, values: list[Any]) -> list[dict[str, Any]]:
        with self._errors(table), self._cursor() as cursor:
            found: list[dict[str, Any]] = cursor.sql(sql, params=values).to_arrow_table().to_pylist()
        return found

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of the thread's own: DuckDB refuses calls on a connection that another thread uses."""
        with self._change:
            cursor = self._database.cursor()
            self._running.append(cursor)
        try:
            yield cursor
        finally:
            with self._change:
                cursor.close()
                self._running.remove(cursor)
                self._change.notify_all()

    @contextmanager
    def _errors(self, table: str) -> Iterator[None]:
        try:
            yield
        except duckdb.OutOfMemoryException as error:
            raise UserError(f"the search in {self.root}/{table} needs more than {MEMORY}: narrow it") from error
        except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
            raise  # the SQL is wrong
        except (duckdb.InterruptException, duckdb.ConnectionException) as error:
            raise UserError("gristmill look is ending: start it again") from error
        except duckdb.Error as error:
            raise UserError(
                f"{self.root}/{table} cannot be read ({error}): "
                f"`gristmill verify {self.root}` says which file is damaged"
            ) from error


def _hosts(urls: Any) -> Any:
    """`hosts_of` for a column, as an Arrow function of DuckDB gets it."""
    return hosts_of(urls.combine_chunks() if isinstance(urls, pa.ChunkedArray) else urls)
