"""Counts documents by the values of columns, exactly and in bounded memory: counts that grow too many go to a file."""

import os
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curation.kernels.listed_terms import hashes

TALLY = pa.schema([("table", pa.string()), ("value", pa.string()), ("documents", pa.int64())])
"""How many documents have each value of each column, which is named in ``table``."""
MOST_ROWS = 1 << 18
"""As many rows are held in memory, about 15 MB of hosts."""
PARTS = 256
"""Counts in the file are divided by a hash of the value, and added up one part after the other."""
MOST_VALUES = 20_000
"""How many values of a column are named, the most frequent first."""


@dataclass(frozen=True)
class Counted:
    """The values of a column: ``different`` values in ``documents`` documents in all, and the MOST_VALUES most frequent
    of them with their documents; of equally frequent values, the first in the order of their letters."""

    documents: int
    different: int
    most: list[tuple[str, int]]


class Tallies:
    """Adds up tables of TALLY. The file has no name, so it goes with the process, however that ends."""

    def __init__(self) -> None:
        self._held: list[pa.Table] = []
        self._file: IO[bytes] | None = None
        self._places: list[list[tuple[int, int]]] = [[] for _ in range(PARTS)]

    def add(self, tally: pa.Table) -> None:
        """Adds the counts of a table."""
        self._held.append(tally)
        if sum(map(len, self._held)) > MOST_ROWS:
            self._held = [_summed(self._held)]
            if len(self._held[0]) > MOST_ROWS // 2:
                if self._file is None:
                    self._file = tempfile.TemporaryFile()  # noqa: SIM115
                    weakref.finalize(self, self._file.close)
                self._spill(self._file)

    def parts(self) -> Iterator[pa.Table]:
        """Tables of TALLY that hold each value of a column once, in all."""
        if self._file is None:
            yield _summed(self._held)
            return
        self._spill(self._file)
        for places in self._places:
            yield _summed([_read(self._file, *place) for place in places])

    def columns(self) -> dict[str, Counted]:
        """The values of each column, by its name."""
        found: dict[str, Counted] = {}
        for part in self.parts():
            for name in pc.unique(part["table"]).to_pylist():
                own = part.filter(pc.equal(part["table"], name)).select(["value", "documents"])
                before = found.get(name, Counted(0, 0, []))
                documents = before.documents + pc.sum(own["documents"]).as_py()
                found[name] = Counted(documents, before.different + len(own), _most(before.most, own))
        return dict(sorted(found.items()))

    def _spill(self, file: IO[bytes]) -> None:
        """Appends what is held to the file, one part after the other."""
        table = _summed(self._held).combine_chunks()
        part = hashes(table["value"].combine_chunks()) % np.uint64(PARTS)
        order = np.argsort(part, kind="stable")
        ends = np.searchsorted(part[order], np.arange(PARTS + 1))
        table = table.take(pa.array(order)).combine_chunks()
        for number, (start, end) in enumerate(pairwise(ends)):
            if end > start:
                place = file.seek(0, os.SEEK_END)
                with pa.ipc.new_stream(file, TALLY) as writer:
                    writer.write_table(table.slice(start, end - start))
                self._places[number].append((place, file.tell()))
        self._held = []


def _summed(tallies: list[pa.Table]) -> pa.Table:
    """One table with each value of each column once."""
    if not tallies:
        return TALLY.empty_table()
    summed = pa.concat_tables(tallies).group_by(["table", "value"]).aggregate([("documents", "sum")])
    return summed.rename_columns(TALLY.names).cast(TALLY)


def _read(file: IO[bytes], start: int, end: int) -> pa.Table:
    """A table that lies in the file between two places."""
    file.seek(start)
    return pa.ipc.open_stream(file.read(end - start)).read_all()


def _most(before: list[tuple[str, int]], own: pa.Table) -> list[tuple[str, int]]:
    """The MOST_VALUES most frequent values of both."""
    given = pa.table({"value": [value for value, _ in before], "documents": [count for _, count in before]}, own.schema)
    ordered = pa.concat_tables([given, own]).sort_by([("documents", "descending"), ("value", "ascending")])
    shown = ordered.slice(0, MOST_VALUES)
    return list(zip(shown["value"].to_pylist(), shown["documents"].to_pylist(), strict=True))
