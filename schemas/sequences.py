"""Reads packed sequences by memory mapping, and detects damaged shards at opening."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.arrow_layout import MAGIC, LayoutError
from schemas.errors import UserError
from schemas.manifest import MANIFEST
from schemas.named_files import NamedFileError, open_named
from schemas.packed import BATCH, PackedManifest, packed_table, read_packed
from schemas.shard import PackedError, Part, Parts, Shard

__all__ = ["PackedError", "PackedSequences", "Part", "open_packed"]

_THREADS = 16
"""Threads that read shards' metadata at opening; they mostly wait for the disk."""


def open_packed(folder: str | Path, verify: bool = False) -> "PackedSequences":
    """Opens a folder that `gristmill pack` wrote. Checks each shard's structure without reading tokens.

    ``verify`` also reads every shard and checks its SHA-256; only this check finds changed tokens.

    Raises PackedError, which names the file, if the folder is of another kind or a newer version, or if a shard is
    missing, cut off or damaged.
    """
    sequences = PackedSequences(Path(folder))
    if verify:
        sequences.verify()
    return sequences


class PackedSequences:
    """``len`` rows of ``length`` tokens of ``dtype`` (uint16 or int32), in the order of the files.

    Rows that are returned as views are read-only windows into the mapped file. A shard is mapped when it is first read,
    and its file must not change while it is mapped. Pickling stores the folder's path; unpickling opens the folder
    again, and raises PackedError if its manifest has changed.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        written = _read(folder / MANIFEST)
        self.manifest, self._shards = _parse(folder, written)
        self.fingerprint = hashlib.sha256(written).hexdigest()
        """The SHA-256 of the manifest, which contains the SHA-256 of each shard: it identifies tokens and order."""
        self.length = self.manifest.length
        self.padded = self.manifest.padding is not None
        """Whether rows may end with padding, see `filled`."""
        table = packed_table(self.length, self.manifest.token_type, self.padded)
        self.dtype = np.dtype(self.manifest.token_type)
        self._rows = self.manifest.rows
        self._shard_rows = self._shards[0].rows if self._shards else 1
        self._shard_batches = -(-self._shard_rows // BATCH)
        with ThreadPoolExecutor(_THREADS) as pool:
            layouts = list(pool.map(lambda shard: shard.layout(table), self._shards))
        places = np.concatenate([np.empty((0, 3), np.int64), *layouts])
        self._messages = places[:, 0].copy()
        self._starts = places[:, 1] // self.dtype.itemsize  # in tokens from the start of the file
        self._filled = places[:, 2].copy()
        self._mapped: list[pa.Buffer | None] = [None] * len(self._shards)
        self._tokens: list[npt.NDArray[Any] | None] = [None] * len(self._shards)
        self._last_parts: tuple[int, Parts] | None = None
        """(batch, parts) of the record batch whose parts were read last."""

    def __len__(self) -> int:
        return self._rows

    def __repr__(self) -> str:
        return f"PackedSequences({str(self.folder)!r}, rows={self._rows}, length={self.length}, dtype={self.dtype})"

    def __reduce__(self) -> tuple[object, ...]:
        return _reopen, (self.folder, self.fingerprint)

    def verify(self) -> None:
        """Reads every shard. Raises PackedError for the first shard whose SHA-256 differs from the manifest."""
        for shard in self._shards:
            shard.check_digest()

    def __getitem__(self, row: int) -> npt.NDArray[Any]:
        """The row's tokens as a read-only view of shape (length,). Raises IndexError outside of -len to len - 1."""
        shard, batch, inside = self._place(self._row(row))
        return self._run(shard, batch, inside, 1).reshape(self.length)

    def slice(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Rows ``start`` to ``stop - 1``, shape (stop - start, length): a read-only view if they are in one record
        batch, else a copy. A batch begins at every 256th row of a shard. Raises IndexError outside of the rows."""
        if not 0 <= start <= stop <= self._rows:
            raise IndexError(f"rows {start:,} to {stop:,} of {self._rows:,}")
        if start < stop:
            shard, batch, inside = self._place(start)
            if self._place(stop - 1)[:2] == (shard, batch):
                return self._run(shard, batch, inside, stop - start)
        return self.take(range(start, stop))

    def take(self, rows: Sequence[int] | npt.NDArray[Any], out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """A copy of the given rows in the given order, shape (n, length). ``out``, if given, is filled and returned: an
        array of that shape and of a type that can hold the tokens. Consecutive rows are copied together.

        Raises IndexError for a row outside of 0 to len - 1, ValueError or TypeError for an unfit ``out``.
        """
        wanted: list[int] = rows.tolist() if isinstance(rows, np.ndarray) else list(rows)
        if wanted and (min(wanted) < 0 or max(wanted) >= self._rows):
            raise IndexError(f"rows {min(wanted):,} to {max(wanted):,} of {self._rows:,}")
        if out is None:
            out = np.empty((len(wanted), self.length), self.dtype)
        elif out.shape != (len(wanted), self.length):
            raise ValueError(f"out has shape {out.shape}: give shape ({len(wanted)}, {self.length})")
        done, count = 0, len(wanted)
        while done < count:
            row = wanted[done]
            shard, batch, inside = self._place(row)
            most = min(BATCH - inside, self._shard_rows - row % self._shard_rows, count - done)
            size = 1
            if most > 1 and wanted[done + most - 1] == row + most - 1:
                size = most if wanted[done : done + most] == list(range(row, row + most)) else 1
            while size < most and wanted[done + size] == row + size:
                size += 1
            np.copyto(out[done : done + size], self._run(shard, batch, inside, size), casting="safe")
            done += size
        return out

    def parts(self, row: int) -> list[Part]:
        """The documents in the row, in order. A document ends where the next starts, and the last ends at `filled`.

        Raises IndexError outside of -len to len - 1, and PackedError if the parts are damaged.
        """
        shard, parts, inside = self._parts(row)
        try:
            return parts.of(inside)
        except LayoutError as error:
            raise shard.error(f"is damaged: {error}") from error

    def starts(self, row: int) -> npt.NDArray[np.int32]:
        """The starts of the row's documents, in tokens: int32, ascending from 0. Raises the errors of `parts`."""
        shard, parts, inside = self._parts(row)
        try:
            starts = parts.starts(inside)
        except LayoutError as error:
            raise shard.error(f"is damaged: {error}") from error
        if starts[0] != 0 or starts[-1] >= self.filled(row) or (starts[1:] <= starts[:-1]).any():
            raise shard.error(f"is damaged: the parts of row {row:,} do not follow each other")
        return starts

    def filled(self, row: int) -> int:
        """How many tokens of the row, from its start, belong to documents: 1 to ``length``. The others are padding.

        Raises IndexError outside of -len to len - 1, and PackedError if the number is damaged.
        """
        number, batch, inside = self._place(self._row(row))
        if not self.padded:
            return self.length
        filled = int(np.frombuffer(self._map(number), np.int32, 1, int(self._filled[batch]) + 4 * inside)[0])
        if not 1 <= filled <= self.length:
            raise self._shards[number].error(f"is damaged: row {row:,} cannot have {filled:,} tokens")
        return filled

    def _row(self, row: int) -> int:
        """The row, with negative numbers counted from the end."""
        if not -self._rows <= row < self._rows:
            raise IndexError(f"row {row:,} of {self._rows:,}")
        return row if row >= 0 else row + self._rows

    def _place(self, row: int) -> tuple[int, int, int]:
        """(shard, record batch counted over all shards, row in the record batch) of a row."""
        shard, within = divmod(row, self._shard_rows)
        batch, inside = divmod(within, BATCH)
        return shard, shard * self._shard_batches + batch, inside

    def _run(self, shard: int, batch: int, inside: int, rows: int) -> npt.NDArray[Any]:
        """Consecutive rows of one record batch, shape (rows, length)."""
        tokens = self._tokens[shard]
        if tokens is None:
            mapped = self._map(shard)
            tokens = np.frombuffer(mapped, self.dtype, mapped.size // self.dtype.itemsize)
            self._tokens[shard] = tokens
        start = int(self._starts[batch]) + inside * self.length
        return tokens[start : start + rows * self.length].reshape(rows, self.length)

    def _map(self, number: int) -> pa.Buffer:
        """The shard's file as a mapped buffer. No file descriptor stays open."""
        mapped = self._mapped[number]
        if mapped is None:
            shard = self._shards[number]
            shard.check_size()
            with pa.memory_map(str(shard.path)) as file:
                mapped = file.read_buffer(
                    len(MAGIC)
                ).parent  # Arrow advises the system to load everything that is read, so read little
            self._mapped[number] = mapped
        return mapped

    def _parts(self, row: int) -> tuple[Shard, Parts, int]:
        number, batch, inside = self._place(self._row(row))
        shard, last = self._shards[number], self._last_parts
        if last is None or last[0] != batch:
            try:
                last = batch, Parts(self._map(number)[int(self._messages[batch]) :])
            except LayoutError as error:  # the file changed after it was opened
                raise shard.error(f"is damaged: {error}") from error
            self._last_parts = last
        return shard, last[1], inside


def _reopen(folder: Path, fingerprint: str) -> PackedSequences:
    sequences = open_packed(folder)
    if sequences.fingerprint != fingerprint:
        raise PackedError(f"{folder} was packed again after it was opened: open it again")
    return sequences


def _read(manifest: Path) -> bytes:
    try:
        with open_named(manifest) as stream:
            return stream.read()
    except NamedFileError as error:
        raise PackedError(str(error)) from error
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PackedError(f"{manifest} is missing: name a folder that `gristmill pack` has finished") from error
    except OSError as error:
        raise PackedError(f"{manifest} cannot be read ({error.strerror}): make the file readable") from error


def _parse(folder: Path, written: bytes) -> tuple[PackedManifest, list[Shard]]:
    """The manifest, and its shards in order."""
    try:
        manifest, files = read_packed(written, str(folder / MANIFEST))
    except UserError as error:
        raise PackedError(str(error)) from error
    return manifest, [Shard(folder, files[name]) for name in manifest.shards]
