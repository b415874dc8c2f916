"""Draws rows of a finished folder by a hash of their document ids, so that every call draws the same rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curation.release.folder import Folder
from curation.release.manifest import Manifest
from curation.release.shards import row_groups, shard_columns

Key = TypeVar("Key")


@dataclass(frozen=True, order=True)
class Drawn:
    """A row of a shard; rows with a lower ``rank`` are drawn first."""

    rank: int
    shard: str
    row: int


class Draws(Generic[Key]):
    """The rows with the lowest ranks, at most ``most`` for each key."""

    def __init__(self, most: int):
        self.most = most
        self._held: dict[Key, list[Drawn]] = {}

    def add(self, key: Key, shard: str, rows: npt.NDArray[np.int64], ranks: npt.NDArray[Any]) -> None:
        """Offers rows of a shard, each with its rank."""
        best = np.argsort(ranks, kind="stable")[: self.most]
        offered = [Drawn(int(ranks[each]), shard, int(rows[each])) for each in best]
        if offered:
            self._held[key] = sorted([*self._held.get(key, []), *offered])[: self.most]

    def drawn(self) -> Mapping[Key, Sequence[Drawn]]:
        """The drawn rows of each key, the lowest rank first."""
        return self._held


def shards_of(manifest: Manifest, table: str) -> list[str]:
    """The names of a table's shards, sorted."""
    return sorted(name for name in manifest.files if name.startswith(f"{table}/"))


def batches_of(
    folder: Folder, manifest: Manifest, table: str, columns: Sequence[str]
) -> Iterator[tuple[str, int, pa.RecordBatch]]:
    """Columns of a table, a row group at a time, with the shard's name and the number of the first row. A column that
    an earlier version did not write is left out."""
    for name in shards_of(manifest, table):
        held = set(shard_columns(folder, name))
        for start, batch in row_groups(folder, name, [each for each in columns if each in held]):
            yield name, start, batch


def read_drawn(
    folder: Folder, drawn: Iterable[Drawn], columns: Sequence[str], characters: int
) -> dict[Drawn, dict[str, Any]]:
    """The drawn rows as dicts, texts cut to ``characters``; only one row group is in memory besides the result."""
    found: dict[Drawn, dict[str, Any]] = {}
    for shard, group in groupby(sorted(set(drawn), key=lambda each: (each.shard, each.row)), lambda each: each.shard):
        wanted = list(group)
        held = set(shard_columns(folder, shard))
        rows = np.unique(np.array([each.row for each in wanted], np.int64))
        dicts: dict[int, dict[str, Any]] = {}
        for start, batch in row_groups(folder, shard, [name for name in columns if name in held], rows):
            low, high = np.searchsorted(rows, [start, start + len(batch)])
            chosen = cut_texts(batch.take(pa.array(rows[low:high] - start)), characters)
            dicts |= dict(zip(rows[low:high].tolist(), chosen.to_pylist(), strict=True))
        found |= {each: dicts[each.row] for each in wanted}
    return found


def cut_texts(batch: pa.RecordBatch, characters: int) -> pa.RecordBatch:
    """The batch with the first ``characters`` of each text."""
    if "text" not in batch.schema.names:
        return batch
    place = batch.schema.get_field_index("text")
    return batch.set_column(place, "text", pc.utf8_slice_codeunits(batch["text"], 0, characters))
